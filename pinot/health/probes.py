"""All probes of a pipeline, run concurrently."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from pinot.health.embedded import EmbeddedProbe
from pinot.health.group import GroupProbe
from pinot.health.incomplete import DefectsProbe, defects
from pinot.health.kafka import KafkaProbe
from pinot.health.pinot import PinotProbe
from pinot.health.sample import Failure, Races, Sample
from pinot.health.simulator import SimulatorProbe
from stream.pinot import OPEN, PinotAuth


class Probes:
    """The probes of one pipeline, keyed by the fields of `Sample`."""

    def __init__(self, probes: Mapping[str, Callable[[], Any]]) -> None:
        self._probes = probes

    def races(self) -> Races | Failure:
        """Run only the probe of the running races."""
        found: Races | Failure = self._probes["races"]()
        return found

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
    """Return probes of the simulators, Kafka (a librdkafka configuration) and Pinot (URLs)."""
    pinot = PinotProbe(controller, broker, pinot_auth)
    count = partial(defects, broker=broker, controller=controller, pinot_auth=pinot_auth)
    return Probes(
        {
            "simulator": simulator,
            "group": GroupProbe(kafka),
            "kafka": KafkaProbe(kafka),
            "pinot": pinot,
            "races": pinot.races,
            "defects": DefectsProbe(count),
        }
    )


def of_embedded(simulator: SimulatorProbe, path: Path) -> Probes:
    """Return probes of the simulator and the embedded store's file."""
    store = EmbeddedProbe(path)
    return Probes({"simulator": simulator, "embedded": store, "races": store.races})
