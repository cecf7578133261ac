"""Plans for tests: drawn by hand, and computed by the simulator."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import numpy as np
import orjson

from dashboard.plan.plan import Level, Plan, Warned
from simulator.course.course import Course
from simulator.course.library import load_file
from simulator.export import crowding
from simulator.export.crowding import CrowdingQuery
from simulator.export.crowding_files import plan_as_json
from simulator.race.request import RaceRequest
from simulator.steps import done
from tests.processes import ROOT

PLAIN = "plain"
"""Short name of a course without widths."""
LEVELS = [Level("density", 1.2, "the densest"), Level("flow", 102.0, "the fastest")]


def plan(**other: Any) -> Plan:
    """A plan of 4 sections of 500 m, 6 minutes, 2 waves and 4 competitors, of whom the last doesn't start."""
    density = np.zeros((4, 6))
    density[1, 2:4] = 1.5, 1.9
    density[2, 4] = 0.6
    flow = density * 60.0
    known: dict[str, Any] = {
        "seed": 7,
        "first": np.array([0.0, 500.0, 1000.0, 1500.0]),
        "last": np.array([500.0, 1000.0, 1500.0, 2000.0]),
        "width": np.array([6.0, 4.0, 4.0, np.inf]),
        "density": density,
        "flow": flow,
        "waves": np.array([[2, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0]]),
        "waiting": np.array([2.0, 12.4, 0.0, 0.0, 0.0, 0.0]),
        "levels": LEVELS,
        "warnings": [Warned("density", 1.2, 500.0, 1000.0, 2, 4), Warned("flow", 102.0, 500.0, 1000.0, 3, 4)],
        "start": np.array([0.0, 10.0, 90.0, np.nan]),
        "gun_time": np.array([200.0, 250.0, np.nan, np.nan]),
        "chip_time": np.array([200.0, 240.0, np.nan, np.nan]),
        "lost_at_start": np.array([0.0, 10.0, 30.0, 0.0]),
        "lost_on_course": np.array([0.0, 38.0, 70.0, 0.0]),
    }
    return Plan(**{**known, **other})


@cache
def _course() -> Course:
    return load_file(ROOT / "courses" / "city-10k.kml")


def answer(request: Mapping[str, Any], report: Callable[[float], None] = lambda _: None) -> dict[str, Any]:
    """What the API answers to the request of a plan, on the course of 10 km or on one without widths."""
    asked = RaceRequest.model_validate({**request, "course": "city-10k"})
    resolved = asked.resolved(run_id="plan", name="Plan", seed=99, start_at=datetime(2027, 4, 30, tzinfo=UTC))
    course = replace(_course(), widths=()) if request.get("course") == PLAIN else _course()
    steps = crowding.planned(course, resolved, CrowdingQuery())
    report(0.5)
    found: dict[str, Any] = orjson.loads(b"".join(plan_as_json(done(steps))))
    return found
