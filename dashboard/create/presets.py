"""Presets that fill in the form; everything can be changed afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Preset:
    """What a preset fills in; paces in seconds per kilometre, pauses in seconds.

    Attributes:
        title: the button's label.
        icon: the button's icon, in Streamlit's notation.
        course: short name of its course; ignored if it isn't available.
        name: the race's name.
        stopped: per cent of the competitors who pause in a geofence.
        speed: race seconds per second.
        options: the realism options, by the API's field names; see `race_options`.
    """

    title: str
    icon: str
    course: str
    name: str
    competitors: int
    fastest: float
    slowest: float
    stopped: int
    min_pause: float
    max_pause: float
    speed: float
    options: Mapping[str, Any] = field(default_factory=dict)


PRESETS = (
    Preset(
        title="Saturday 5 km",
        icon=":material/park:",
        course="crystal-palace",
        name="Saturday morning 5 km",
        competitors=300,
        fastest=170,
        slowest=720,
        stopped=5,
        min_pause=10,
        max_pause=60,
        speed=10,
    ),
    Preset(
        title="Real parkrun",
        icon=":material/groups:",
        course="crystal-palace",
        name="Real parkrun",
        competitors=250,
        fastest=170,
        slowest=720,
        stopped=0,
        min_pause=5,
        max_pause=30,
        speed=10,
        options={
            "pace_model": "parkrun",
            "start_flow": 15.0,
            "entrants": "drawn",
            "dnf": 0.01,
            "walking": 0.01,
            "gps_error": 2.5,
        },
    ),
    Preset(
        title="Big city 10 km",
        icon=":material/location_city:",
        course="city-10k",
        name="City 10 km",
        competitors=3000,
        fastest=170,
        slowest=600,
        stopped=15,
        min_pause=5,
        max_pause=45,
        speed=20,
    ),
    Preset(
        title="Half marathon in waves",
        icon=":material/waves:",
        course="hilly-half",
        name="Half marathon in waves",
        competitors=2000,
        fastest=180,
        slowest=540,
        stopped=2,
        min_pause=10,
        max_pause=120,
        speed=20,
        options={
            "pace_model": "marathon",
            "fatigue": "wall",
            "gradient": True,
            "wave_size": 500,
            "wave_delay": 180.0,
            "start_flow": 10.0,
            "corrals": True,
            "entrants": "drawn",
            "dns": 0.03,
            "dnf": 0.02,
            "disqualified": 0.002,
            "gps_error": 3.0,
        },
    ),
    Preset(
        title="Stress test of 10,000",
        icon=":material/speed:",
        course="hilly-half",
        name="Stress test",
        competitors=10_000,
        fastest=180,
        slowest=540,
        stopped=10,
        min_pause=5,
        max_pause=120,
        speed=10,
    ),
)
