import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.request import paces
from dashboard.ui.viewer import KM, MILES


@given(st.integers(0, 59_999))
def test_written_and_read(seconds: int) -> None:
    """A pace of whole seconds is the same after it was written and read."""
    assert paces.read(paces.write(seconds, KM), KM) == seconds


@given(st.integers(0, 30_000))
def test_there_and_back(seconds: int) -> None:
    """A pace per kilometre stays the same when the viewer looks at miles and returns."""
    in_miles = paces.write(seconds, MILES)
    assert paces.write(paces.read(in_miles, MILES), KM) == paces.write(seconds, KM)


def test_per_mile() -> None:
    """A pace typed per mile is sent per kilometre."""
    assert paces.read("8:00", MILES) == pytest.approx(298.258)
    assert paces.write(300, MILES) == "8:03"
    with pytest.raises(paces.PaceError, match="per mile, such as 7:15"):
        paces.read("4", MILES)


@pytest.mark.parametrize(
    "text", ["", "4", "4:5", "4:60", "4,30", "a:bc", "1000:00", "4:30 min", "\N{ARABIC-INDIC DIGIT FOUR}:30"]
)
def test_no_pace(text: str) -> None:
    """What is no pace is said to be none, with how to write one."""
    with pytest.raises(paces.PaceError, match="such as 4:30"):
        paces.read(text, KM)


def test_finish_time() -> None:
    """The finish time is the pace for as many kilometres as the course has."""
    assert paces.finish(300, 42_195) == "3:30:58"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("must be at least 60", "must be at least 60 (1:00 per km)"),
        ("must be at most 3,600", "must be at most 3,600 (60:00 per km)"),
        ("the pace is 144.5 seconds per kilometre", "the pace is 144.5 seconds per kilometre (2:24 per km)"),
        ("must be a number", "must be a number"),
    ],
)
def test_api_words_in_minutes(said: str, shown: str) -> None:
    """Each number of seconds has its minutes beside it."""
    assert paces.in_minutes(said, KM) == shown
