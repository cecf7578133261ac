"""Races that one can begin with. A preset fills the form in; everything can be changed afterwards."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Preset:
    """What a preset fills in; paces in seconds per kilometre, pauses in seconds.

    Attributes:
        title: what its button says.
        icon: what stands before it, in Streamlit's words.
        course: short name of its course; one that isn't offered is left as it was.
        name: the race's name.
        stopped: per cent of the competitors who pause in a geofence.
        speed: race seconds per second.
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
