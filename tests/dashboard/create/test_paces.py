import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.create import paces


@given(st.integers(0, 59_999))
def test_written_and_read(seconds: int) -> None:
    """A pace of whole seconds is the same after it was written and read."""
    assert paces.read(paces.write(seconds)) == seconds


@pytest.mark.parametrize(
    "text", ["", "4", "4:5", "4:60", "4,30", "a:bc", "1000:00", "4:30 min", "\N{ARABIC-INDIC DIGIT FOUR}:30"]
)
def test_no_pace(text: str) -> None:
    """What is no pace is said to be none, with how to write one."""
    with pytest.raises(paces.PaceError, match="such as 4:30"):
        paces.read(text)


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
    assert paces.in_minutes(said) == shown
