"""A plan as the API answers it."""

import numpy as np
import pytest

from dashboard.plan.plan import read
from tests.dashboard.plan.planned import answer

REQUEST = {"competitors": 200, "crowding": "flow", "width": 2.0, "dns": 0.1, "dnf": 0.1, "seed": 3}


def test_columns_become_a_table_of_places_and_minutes() -> None:
    """Density and flow of a section and a minute are where the API says; elsewhere they are zero."""
    found = answer(REQUEST)
    plan, minutes = read(found), found["minutes"]
    where = minutes["section"][5], minutes["minute"][5]

    assert plan.density.shape == plan.flow.shape == (len(found["sections"]), plan.minutes)
    assert plan.density[where] == minutes["density"][5]
    assert plan.flow[where] == minutes["flow"][5]
    assert plan.density.sum() == pytest.approx(sum(minutes["density"]))


def test_what_is_unknown_is_no_number() -> None:
    """Those who don't start have no start, those who don't finish no times; all lose a number of seconds."""
    plan = read(answer(REQUEST))

    assert np.isnan(plan.start).sum() == 20
    assert (
        np.isnan(plan.gun_time).sum() == np.isnan(plan.chip_time).sum() == np.isnan(plan.finish).sum() == 40
    )
    assert not np.isnan(plan.lost).any()


def test_an_unlimited_width_is_infinite() -> None:
    """A section without a width is unlimited."""
    found = answer(REQUEST)
    found["sections"][0]["width"] = None

    assert read(found).width[:2].tolist() == [np.inf, 2.0]


def test_a_level_is_found_by_its_quantity() -> None:
    """The levels and the warnings are those of the answer."""
    plan = read(answer({**REQUEST, "competitors": 1000, "width": 1.0}))

    assert plan.level("density").above == 1.2
    assert "Peckover" in plan.level("flow").source
    assert {warned.quantity for warned in plan.warnings} <= {"density", "flow"}
    assert len(plan.warnings) > 0
