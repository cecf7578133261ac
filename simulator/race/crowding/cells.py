"""Cuts a course into cells, each with a width, for the crowding model."""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from simulator.course.course import Course
from simulator.race.crowd_figures import wave_speed
from simulator.race.paces import Effort
from simulator.race.request import RaceRequest
from stream.arrays import Floats

CELL = 50.0
"""Maximum length of a cell whose width is limited, metres."""
MAX_CELLS = 1000
MAX_CROSSINGS = 100_000_000
"""About the maximum number of cells whose width is limited, and of these times the competitors: on longer
courses, and with more competitors, cells are longer, to limit time and memory (8 bytes a crossing)."""
SNAP = 1.0
"""Metres to which the places of widths are rounded, and within which a cut takes the place of another."""


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of a course, c of them; between two cuts.

    Attributes:
        places: metres from the start of each cut, shape (c + 1,), from 0 to the course's distance.
        flat: the same in metres of flat ground.
        width: metres, shape (c,); inf where it is unlimited.
        capacity: runners per second who pass each cut at most, shape (c + 1,); inf where it is unlimited.
        jam: runners in each cell when it is full, shape (c,).
        lag: seconds in which a gap moves back through each cell, shape (c,).
    """

    places: Floats
    flat: Floats
    width: Floats
    capacity: Floats
    jam: Floats
    lag: Floats

    def __len__(self) -> int:
        return len(self.width)

    @property
    def length(self) -> Floats:
        """Metres of each cell, shape (c,)."""
        return np.diff(self.places)

    @property
    def headway(self) -> Floats:
        """Seconds between two runners at each cut at least, shape (c + 1,); 0 where it is unlimited."""
        return 1.0 / self.capacity


def of(course: Course, request: RaceRequest, marks: Floats, ground: Effort | None) -> Cells:
    """Return the cells of a race's course.

    They are cut where the width changes, and at the marks of the field; where the width is limited, they are
    equal pieces of `CELL` metres at most.

    Args:
        course: the course.
        request: its widths, specific flow and jam density.
        marks: the field's marks, metres of flat ground, shape (m,).
        ground: the course's hills, if they affect the pace.
    """
    at_marks = marks if ground is None else ground.to_course(marks)
    since, metres = course.width_steps()
    if request.width is not None:
        metres = np.minimum(metres, request.width)
    cuts = dict(zip(at_marks.tolist(), marks.tolist(), strict=True))
    steps = _snapped(since, metres, at_marks, course.distance)
    for place in steps:
        cuts.setdefault(place, 0.0)
    known = np.array(sorted(cuts))
    begins, wide = np.array(list(steps)), np.array(list(steps.values()))
    width = wide[np.searchsorted(begins, known[:-1], side="right") - 1]
    most = min(MAX_CELLS, MAX_CROSSINGS // request.competitors)
    longest = max(CELL, float(np.diff(known)[np.isfinite(width)].sum()) / most)
    pieces = [
        math.ceil((last - first) / longest - 1e-9) if math.isfinite(one) else 1
        for (first, last), one in zip(pairwise(known.tolist()), width.tolist(), strict=True)
    ]
    parts = [
        np.linspace(first, last, pieces[nth], endpoint=False)
        for nth, (first, last) in enumerate(pairwise(known.tolist()))
    ]
    places = np.append(np.concatenate(parts), known[-1])
    flat = places.copy() if ground is None else ground.to_flat(places)
    # The marks themselves, to the last bit.
    flat[np.searchsorted(places, at_marks)] = marks
    return _with_capacities(places, flat, np.repeat(width, pieces), request)


def _snapped(since: Floats, metres: Floats, marks: Floats, distance: float) -> dict[float, float]:
    """Return the width from each place on, by place: rounded, or at a mark nearby; the first is at 0."""
    steps = {0.0: float(metres[0])}
    for place, wide in zip(since.tolist()[1:], metres.tolist()[1:], strict=True):
        at = round(place / SNAP) * SNAP
        nearest = float(marks[np.abs(marks - at).argmin()])
        at = nearest if abs(nearest - at) <= SNAP else at
        if at < distance:
            steps[at] = wide
    return dict(sorted(steps.items()))


def _with_capacities(places: Floats, flat: Floats, width: Floats, request: RaceRequest) -> Cells:
    flow = request.specific_flow / 60.0
    line = np.inf if request.start_width is None else request.start_width
    # A cut is as narrow as the narrower cell beside it.
    narrowest = np.minimum(np.append(line, width), np.append(width, np.inf))
    length = np.diff(places)
    return Cells(
        places=places,
        flat=flat,
        width=width,
        capacity=flow * narrowest,
        # One more than its area holds: a small cell must let through what passes at capacity.
        jam=np.ceil(request.jam_density * width * length) + 1.0,
        lag=length / wave_speed(flow, request.jam_density),
    )
