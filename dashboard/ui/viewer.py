"""How the viewer of a page reads distances, paces, dates and times of day.

The browser's locale decides, unless the viewer chooses otherwise in the units menu; the link keeps a choice.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st
from babel import Locale, UnknownLocaleError
from babel.core import get_global

Clock = Literal["24-hour", "12-hour"]


class Height(NamedTuple):
    """A unit of altitude: its symbol, and its length in metres."""

    symbol: str
    metres: float


class Unit(NamedTuple):
    """A unit of distance, and what goes with it.

    Attributes:
        name: in the menu and in links.
        symbol: behind a number.
        each: behind "per", in a pace.
        word: in a sentence.
        metres: its length.
        height: unit of altitudes.
    """

    name: str
    symbol: str
    each: str
    word: str
    metres: float
    height: Height

    def pace(self, seconds_per_km: Any) -> Any:
        """Seconds per unit of a pace, or of an array of paces, in seconds per kilometre."""
        return seconds_per_km * (self.metres / KM.metres)

    @property
    def min_sec(self) -> str:
        """The unit of a pace in words."""
        return f"min:sec per {self.each}"


KM = Unit("km", "km", "km", "kilometre", 1000.0, Height("m", 1.0))
MILES = Unit("miles", "mi", "mile", "mile", 1609.344, Height("ft", 0.3048))
UNITS = {unit.name: unit for unit in (KM, MILES)}
CLOCKS: tuple[Clock, ...] = get_args(Clock)

MILE_TERRITORIES = frozenset({"GB", "US"})
"""Where road distances are in miles (CLDR, unitPreferences of usage "road")."""

UNKNOWN_LOCALE = "en-150"
"""English as written in Europe, for browsers that name no locale known to CLDR."""

EXTENSIONS = "-u-"
"""Begins a language tag's extensions, such as a numbering system, which Babel does not read."""

_QUOTED = re.compile("'[^']*'")
"""Text in a pattern of CLDR, such as the h of 15 h 05."""

_UNITS, _CLOCK = "units", "clock"
"""Keys of the menu's widgets, and the parameters of the link."""


@dataclass(frozen=True)
class Viewer:
    """What formatting depends on.

    Attributes:
        unit: of distances and paces.
        clock: of times of day.
        locale: a language tag such as `en-US`, known to Babel.
        zone: IANA name of the time zone.
    """

    unit: Unit
    clock: Clock
    locale: str
    zone: str

    @classmethod
    def of(cls, locale: str | None, zone: str | None) -> "Viewer":
        """The viewer of a browser with this locale (a language tag) and time zone (an IANA name)."""
        known = _known(locale)
        unit = MILES if _territory(known) in MILE_TERRITORIES else KM
        fields = _QUOTED.sub("", known.time_formats["short"].pattern)
        clock: Clock = "12-hour" if "h" in fields or "K" in fields else "24-hour"
        return cls(unit, clock, str(known).replace("_", "-"), _known_zone(zone))

    @property
    def for_scripts(self) -> dict[str, Any]:
        """The choices of static/formatting.js."""
        unit = self.unit._asdict() | {"height": self.unit.height._asdict()}
        return {"unit": unit, "clock": self.clock, "locale": self.locale}


def current() -> Viewer:
    """The viewer of the page that is being drawn."""
    usual = Viewer.of(st.context.locale, st.context.timezone)
    return replace(
        usual,
        unit=UNITS.get(st.session_state.get(_UNITS, ""), usual.unit),
        clock=st.session_state.get(_CLOCK, usual.clock),
    )


def in_link() -> dict[str, str]:
    """The choices that differ from what the locale suggests, as parameters of a link."""
    usual, chosen = Viewer.of(st.context.locale, st.context.timezone), current()
    units = {_UNITS: chosen.unit.name} if chosen.unit != usual.unit else {}
    return units | ({_CLOCK: chosen.clock} if chosen.clock != usual.clock else {})


def menu() -> None:
    """The menu for units and clock, on every page; drawn before anything that depends on them."""
    usual = Viewer.of(st.context.locale, st.context.timezone)
    with st.container(key="units-menu"), st.popover("Units", icon=":material/straighten:"):
        _choice("Distances and paces", list(UNITS), usual.unit.name, _UNITS)
        _choice("Time of day", CLOCKS, usual.clock, _CLOCK)


def _choice(label: str, options: Sequence[str], usual: str, key: str) -> None:
    chosen = st.session_state.get(key, usual)
    if chosen != usual and key not in st.query_params:
        # A link to another page, and another race, have left it out of the address. Streamlit writes values
        # that are set here to the address.
        st.session_state[key] = chosen
    st.segmented_control(label, options, default=usual, key=key, required=True, bind="query-params")


def _known(locale: str | None) -> Locale:
    """The locale, or its language, as far as CLDR has them."""
    tag = (locale or "").split(EXTENSIONS)[0]
    for one in (tag, tag.split("-")[0]):
        try:
            return Locale.parse(one, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale.parse(UNKNOWN_LOCALE, sep="-")


def _territory(known: Locale) -> str:
    """The locale's territory; by default the one where most speakers of its language live."""
    likely: str = get_global("likely_subtags").get(known.language, "")
    return known.territory or likely.rpartition("_")[2]


def _known_zone(zone: str | None) -> str:
    try:
        return ZoneInfo(zone or "UTC").key
    except (ZoneInfoNotFoundError, ValueError):
        return "UTC"
