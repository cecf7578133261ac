import pytest
from babel.localedata import locale_identifiers

from dashboard.ui import formatting
from dashboard.ui.viewer import UNKNOWN_LOCALE, Viewer


@pytest.mark.parametrize(
    ("locale", "unit", "clock"),
    [
        ("en-US", "miles", "12-hour"),
        ("en-GB", "miles", "24-hour"),
        ("en", "miles", "12-hour"),  # most of its speakers are in the USA
        ("cy-GB", "miles", "24-hour"),
        ("en-AU", "km", "12-hour"),
        ("de", "km", "24-hour"),
        ("fr-CA", "km", "24-hour"),  # writes 15 h 05: that h is a word
        ("zh-TW", "km", "12-hour"),
        ("es-US-u-nu-latn", "miles", "12-hour"),
        ("de-XX", "km", "24-hour"),
        (None, "km", "24-hour"),
        ("", "km", "24-hour"),
        ("<script>", "km", "24-hour"),
        ("../../etc/passwd", "km", "24-hour"),
    ],
)
def test_units_of_a_locale(locale: str | None, unit: str, clock: str) -> None:
    """Units and clock are those usual in the locale's territory."""
    viewer = Viewer.of(locale, None)
    assert (viewer.unit.name, viewer.clock) == (unit, clock)


def test_unknown_locale() -> None:
    """A locale that CLDR doesn't have is written as English in Europe, or as its language is."""
    assert Viewer.of("xx-YY", None).locale == UNKNOWN_LOCALE
    assert Viewer.of("de-XX", None).locale == "de"
    assert Viewer.of("zh-TW", None).locale == "zh-Hant-TW"


def test_every_locale_can_be_written() -> None:
    """Moments and dates can be written in each locale of CLDR."""
    for identifier in locale_identifiers():
        viewer = Viewer.of(identifier.replace("_", "-"), None)
        assert ".078" in formatting.exact_clock(78, viewer)
        assert "1970" in formatting.day_and_clock(78, viewer)
        assert sorted(formatting.date_order(viewer)) == sorted("DD/MM/YYYY")
