"""All probes of a pipeline, run concurrently."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from pinot.health.embedded import EmbeddedProbe
from pinot.health.incomplete import defects
from pinot.health.incomplete_probe import DefectsProbe
from pinot.health.kafka import KafkaProbe
from pinot.health.races import RacesProbe
from pinot.health.sample import Sample
from pinot.health.tables import PinotProbe
from stream.pinot import OPEN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pinot.health.simulator import SimulatorProbe
    from stream.pinot import PinotAuth


class Probes:
    """The probes of one pipeline, keyed by the fields of `Sample`."""

    def __init__(self, probes: Mapping[str, Callable[[], Any]]) -> None:
        self._probes = probes

    def take(self) -> Sample:
        """Run all probes concurrently; an unreachable part becomes a `Failure` within seconds."""
        taken = time.time()
        with ThreadPoolExecutor(max_workers=len(self._probes)) as pool:
            asked = {name: pool.submit(probe) for name, probe in self._probes.items()}
            return Sample(taken=taken, **{name: answer.result() for name, answer in asked.items()})


def of_stack(
    simulator: SimulatorProbe,
    kafka: Mapping[str, Any],
    *,
    controller: str,
    broker: str,
    pinot_auth: PinotAuth = OPEN,
) -> Probes:
    """Return probes of the simulator, Kafka (a librdkafka configuration) and Pinot (URLs)."""
    return Probes(
        {
            "simulator": simulator,
            "kafka": KafkaProbe(kafka),
            "pinot": PinotProbe(controller, broker, pinot_auth),
            "races": RacesProbe(broker, pinot_auth),
            "defects": DefectsProbe(
                partial(defects, broker=broker, controller=controller, pinot_auth=pinot_auth)
            ),
        }
    )


def of_embedded(simulator: SimulatorProbe, path: Path) -> Probes:
    """Return probes of the simulator and the embedded store's file."""
    store = EmbeddedProbe(path)
    return Probes({"simulator": simulator, "embedded": store, "races": store.races})
