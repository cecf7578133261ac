"""The report of `python -m pinot status`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pinot.health.probes import of_stack
from pinot.health.report import Report, report
from pinot.health.simulator import SimulatorProbe
from pinot.health.verdict import Light

if TYPE_CHECKING:
    from pinot.settings import StatusSettings


def status(settings: StatusSettings) -> Report:
    """Report on two samples of the pipeline, `settings.seconds` apart."""
    probes = of_stack(
        SimulatorProbe(settings.api, settings.token.get_secret_value()),
        settings.client_config(),
        controller=settings.pinot_controller,
        broker=settings.pinot_broker,
        pinot_auth=settings.pinot_auth(),
    )
    first = probes.take()
    time.sleep(settings.seconds)
    return report([first, probes.take()])


def is_well(found: Report) -> bool:
    """Return whether every part is green or grey."""
    return all(part.verdict.light in {Light.GREEN, Light.GREY} for part in found.parts)
