"""Two plans compared, in sentences."""

import numpy as np
import pytest

from dashboard.plan import compare
from dashboard.plan.compare import Effect
from dashboard.ui.viewer import KM
from tests.dashboard.plan.planned import plan

REQUEST = {"wave_size": 1000, "wave_delay": 180.0, "corrals": True, "start_width": 6.0}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, ""),
        ({"wave_delay": 480.0}, "waves of 1,000 every 8 min instead of waves of 1,000 every 3 min"),
        ({"wave_size": None}, "one wave instead of waves of 1,000 every 3 min"),
        ({"start_flow": 12.5}, "12.5 starts a second instead of a free start line"),
        ({"corrals": False}, "runners in random order instead of faster runners in front"),
        ({"start_width": None}, "one as wide as the course instead of a start line of 6 m"),
        ({"width": 4.5}, "a course of 4.5 m at most instead of the widths of the course file"),
    ],
)
def test_changes_say_what_plan_b_has(change: dict[str, object], words: str) -> None:
    """Each setting that differs is named with both of its values."""
    assert compare.changes(REQUEST, {**REQUEST, **change}) == (f"Plan B has {words}." if words else "")


def test_an_interval_without_waves_is_no_change() -> None:
    """The wave interval of a plan with one wave means nothing."""
    alone = {**REQUEST, "wave_size": None}

    assert compare.changes(alone, {**alone, "wave_delay": 600.0}) == ""


def test_two_equal_plans_have_no_effects() -> None:
    """A plan compared with itself has neither benefits nor costs."""
    assert compare.effects(plan(), plan(), KM) == []


def test_benefits_and_costs_are_sentences() -> None:
    """Peak, crowded places, losses, queue, last start and last finish are compared; benefits come first."""
    before = plan()
    density = before.density.copy()
    density[1] = [0, 0, 0.4, 0.9, 0, 0]
    after = plan(
        density=density,
        waiting=before.waiting / 4.0,
        start=before.start + np.array([0.0, 0.0, 300.0, 0.0]),
        lost_at_start=np.array([0.0, 2.0, 0.0, 0.0]),
        lost_on_course=np.array([20.0, 7.0, 0.0, 0.0]),
        chip_time=before.chip_time + np.array([20.0, 0.0, 0.0, 0.0]),
    )

    assert compare.effects(before, after, KM) == [
        Effect("benefit", "The peak density at 0.75 km falls from 1.90 to 0.90/m²."),
        Effect("benefit", "More than 1.20/m² is reached nowhere, before on 500 m in 2 min."),
        Effect("benefit", "The median loss falls from 48 s to 9 s."),
        Effect("benefit", "67 % of the runners lose less time: 1 min 10 s at the median."),
        Effect("benefit", "The longest queue behind the start line has 3 runners, before 12."),
        Effect("cost", "33 % of the runners lose more time: 20 s at the median."),
        Effect("cost", "The last start is 5 min later, 6:30 after the first gun."),
    ]


def test_another_densest_place_is_named() -> None:
    """If the crowd moves, the place where it moves to is named."""
    before = plan()
    density = np.zeros_like(before.density)
    density[1, 3], density[2, 4] = 0.8, 2.1
    effects = compare.effects(before, plan(density=density), KM)
    sentences = {effect.sentence: effect.verdict for effect in effects}

    assert sentences["The densest place is at 1.25 km, with 2.10/m²."] == "cost"
    assert sentences["The peak density at 0.75 km falls from 1.90 to 0.80/m²."] == "benefit"


def test_a_plan_that_is_worse_has_costs() -> None:
    """The other way round, the benefits are costs."""
    before = plan()
    density = before.density * 1.2
    later = compare.effects(before, plan(density=density, start=before.start + 60.0), KM)

    assert {effect.verdict for effect in later} == {"cost"}
    assert later[0].sentence == "The peak density at 0.75 km rises from 1.90 to 2.28/m²."
    assert later[-1].sentence == "The last finish is 1 min later, 5:10 after the first gun."
