from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.replay.times import epoch

MOMENT = datetime(2025, 5, 4, 8, 59, 30, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "text",
    [
        "2025-05-04T08:59:30Z",
        "2025-05-04T08:59:30+0000",
        "2025-05-04T08:59:30+00",
        "2025-05-04T10:59:30+02:00",
        "2025-05-04T03:29:30-05:30",
        "2025-05-04t08:59:30z",
        "\n  2025-05-04T08:59:30Z\t",
        "2025-05-04 08:59:30 UTC",
        "2025-05-04T10:59:30+02:00[Europe/Berlin]",
        "2025-5-4T8:59:30Z",
        "2025-05-04T08:5930Z",
        "20250504T085930Z",
        "2025/05/04 08:59:30Z",
        "2025-05-04T08:59:30.000000000Z",
        "2025-05-04T08:59:30,0Z",
    ],
)
def test_times_that_can_mean_only_one_thing_are_read(text: str) -> None:
    """Offsets, blanks, lower case, missing zeros and missing separators are no obstacle."""
    assert epoch(text) == (MOMENT, True)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2025-05-04T08:59:30.98", 0.98),
        ("2025-05-04T08:59:30,123456789", 0.123456789),
        ("2025-05-04T08:59", -30.0),
    ],
)
def test_times_without_a_zone_are_utc(text: str, seconds: float) -> None:
    """They are marked, so that they can be reported; fractions have any number of digits."""
    found, has_zone = epoch(text)

    assert found == pytest.approx(MOMENT + seconds, abs=1e-6)
    assert not has_zone


def test_the_end_of_a_day_and_leap_seconds() -> None:
    """24:00:00 is midnight, 23:59:60 the second before it, which counts as midnight."""
    assert epoch("2025-05-03T24:00:00Z") == epoch("2025-05-04T00:00:00Z")
    assert epoch("2016-12-31T23:59:60Z") == epoch("2017-01-01T00:00:00Z")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "noon",
        "2025-05-04",
        "1746349170",
        "0000-00-00T00:00:00Z",
        "2025-02-30T00:00:00Z",
        "2025-13-04T00:00:00Z",
        "05/04/2025 08:59:30",
        "2025-05-04T24:00:01Z",
        "2025-05-04T25:00:00Z",
        "2025-05-04T08:60:00Z",
        "2025-05-04T08:59:61Z",
        "2025-05-04T8:593Z",
        "2025-05-04T08:5Z",
        "2025-05-04T08:59:30+25:00",
        "2025-05-04T08:59:30Z" + " " * 100 + "x",
    ],
)
def test_others_are_refused(text: str) -> None:
    """What is no time, or may be several, is an error."""
    with pytest.raises(ValueError, match=r"^$|day|month|year"):
        epoch(text)


@given(st.datetimes(timezones=st.timezones()))
def test_isoformat_is_read(moment: datetime) -> None:
    """Any time that Python writes is read, in any zone, to the microsecond."""
    if (offset := moment.utcoffset()) is None or offset.total_seconds() % 60:
        return
    seconds, has_zone = epoch(moment.isoformat())

    assert has_zone
    since = (moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1)
    assert seconds == pytest.approx(since, abs=1e-5)
