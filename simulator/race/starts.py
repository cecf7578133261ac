"""The start: waves, corrals and the start flow."""

import numpy as np

from simulator.race.chance import Stream
from simulator.race.request import RaceRequest
from simulator.race.start_list import StartList
from stream.arrays import Floats, Ints
from stream.results import wave_guns

MISJUDGED = 0.1
"""Maximum relative difference between a competitor's expected and actual pace."""


def of(request: RaceRequest, pace: Floats, listed: StartList | None) -> tuple[Ints, Floats, Ints]:
    """Return each competitor's wave (1…), seconds from the first gun to the own start, and place.

    All have shape (n,); the place is that in the start order, from 0. Waves start `wave_delay` apart. In
    each, `start_flow` competitors cross the line per second, the first immediately. With corrals, competitors
    with a faster expected pace stand in front; without, the order is random.
    """
    n = len(pace)
    order = np.arange(n)
    crowded = request.crowding != "none"
    if request.wave_size is not None or request.start_flow is not None or crowded:
        lots = request.draw(Stream.START_ORDER)
        expected = pace * (1.0 + MISJUDGED * (2.0 * lots - 1.0))
        order = np.argsort(expected if request.corrals else lots, kind="stable")
    place = np.empty(n, np.int64)
    place[order] = np.arange(n)
    if listed is not None and listed.wave is not None:
        wave = listed.wave
    elif request.wave_size is not None:
        wave = place // request.wave_size + 1
    else:
        wave = np.ones(n, np.int64)
    start = wave_guns(wave, request.wave_delay)
    if request.start_flow is not None:
        start += _place_in_wave(wave, place) / request.start_flow
    return wave, start, place


def _place_in_wave(wave: Ints, place: Ints) -> Ints:
    """Return how many of the same wave cross the line before each competitor."""
    order = np.lexsort((place, wave))
    first = np.searchsorted(wave[order], wave[order], side="left")
    before = np.empty(len(wave), np.int64)
    before[order] = np.arange(len(wave)) - first
    return before
