import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from dashboard.analytics.entrants import Entrants, count_by, fence_times, pace_bands
from dashboard.race.snapshots import Snapshots
from dashboard.store.protocol import Competitor
from dashboard.ui.viewer import KM, MILES, Unit
from tests.dashboard.fakes import FakeStore, at, race


def entrants() -> Entrants:
    """One race of four: two have finished, one runs, one has given up; two were on the climb, one is."""
    store = FakeStore(
        known=[race("one", competitors=4)],
        now=at(
            (1, 5000.0, "finished", 1300.0),
            (2, 5000.0, "finished", 1520.0),
            (3, 3000.0, "running", 1600.0),
            (4, 1000.0, "dnf", 400.0),
        ),
        names={
            1: Competitor("A", "W35", 1, "Harriers"),
            2: Competitor("B", "M40", 1),
            3: Competitor("C", "W35", 1, "Harriers"),
        },
        passed=[
            *((bib, "start", "Start", 1, 0.0, 100.0 if bib == 1 else 0.0) for bib in (1, 2, 3, 4)),
            (1, "enter", "The climb", 1, 500.0, 200.0),
            (1, "exit", "The climb", 1, 700.0, 260.0),
            (2, "enter", "The climb", 1, 500.0, 210.0),
            (2, "exit", "The climb", 1, 700.0, 300.0),
            (3, "enter", "The climb", 1, 500.0, 220.0),
            (1, "finish", "Finish", 1, 5000.0, 1300.0),
            (2, "finish", "Finish", 1, 5000.0, 1520.0),
        ],
    )
    return Entrants.of([Snapshots(store).results("one")])


def test_people() -> None:
    """All entrants are there, with category and club if known, finishers with their pace."""
    people = entrants().people
    assert dict(
        zip(people["category"], people["category"].map(people["category"].value_counts()), strict=True)
    ) == {
        "W35": 2,
        "M40": 1,
        "not known": 1,
    }
    assert sorted(people.loc[people["finished"], "pace"]) == [240.0, 304.0]
    assert people.loc[~people["finished"], "pace"].isna().all()
    assert sorted(people["club"]) == ["Harriers", "Harriers", "no club", "no club"]


def test_stays() -> None:
    """Time in a geofence is that of the visits that have ended."""
    found = fence_times(entrants().stays)
    assert found.to_dict("records") == [{"fence": "The climb", "seconds": 150.0}]


def test_only() -> None:
    """One category's entrants are its competitors and their visits; an unknown course has none."""
    women = entrants().only(None, "W35")
    assert (len(women.people), women.stays["seconds"].tolist()) == (2, [60.0])
    assert entrants().only("hills", None).people.equals(entrants().people)
    assert entrants().only("flat", None).people.empty


def test_sample_of_a_large_race() -> None:
    """Of a race with more than 50,000 competitors, the members of the sample count, and it says so."""
    bibs = (1, 2, 7, 14)
    store = FakeStore(
        known=[race("one", competitors=60_000)],
        now=at(*((bib, 5000.0, "finished", 1300.0 + bib) for bib in bibs)),
        names={bib: Competitor("A", "W35", 1) for bib in bibs},
        passed=[
            passing
            for bib in bibs
            for passing in (
                (bib, "enter", "The climb", 1, 500.0, 200.0),
                (bib, "exit", "The climb", 1, 700.0, 260.0),
                (bib, "finish", "Finish", 1, 5000.0, 1300.0 + bib),
            )
        ],
    )
    found = Entrants.of([Snapshots(store).results("one")])
    assert found.people["category"].tolist() == ["W35", "W35"]
    assert found.stays["seconds"].tolist() == [60.0, 60.0]
    assert found.sampled == found.only("hills", None).sampled == {"hills"}
    assert not found.only("flat", None).sampled
    assert not entrants().sampled


def test_counts_are_sorted() -> None:
    """The most come first; as many are in the order of their names."""
    people = pd.DataFrame({"club": ["b", "a", "c", "c", "b", "d"]})
    assert count_by(people, "club").to_dict("list") == {"club": ["b", "c", "a", "d"], "count": [2, 2, 1, 1]}


@given(st.lists(st.floats(60, 3600), min_size=1), st.sampled_from([KM, MILES]))
def test_pace_bands(paces: list[float], unit: Unit) -> None:
    """Each finisher is in the band that the pace lies in; bands follow one another without a gap."""
    bands = pace_bands(pd.DataFrame({"pace": [*paces, np.nan]}), unit)
    begins = bands["band"].tolist()
    assert begins == list(range(begins[0], begins[-1] + 1, 30))
    for band, count in zip(begins, bands["count"], strict=True):
        assert count == sum(band <= unit.pace(pace) < band + 30 for pace in paces)


def test_no_races() -> None:
    """Without races there are no entrants, in the same columns."""
    empty = Entrants.of([])
    assert empty.categories == []
    assert len(count_by(empty.people, "club")) == len(pace_bands(empty.people, KM)) == 0
    assert len(fence_times(empty.stays)) == 0
