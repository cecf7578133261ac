"""A store and an API in memory, which record their calls."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from dashboard.api import ApiError, ListPreview, OfferedCourse, RaceApi, RaceField, Read, race_fields
from dashboard.store import rows
from dashboard.store.protocol import (
    ANYWHERE,
    ON_COURSE,
    Arrived,
    Competitor,
    Course,
    Every,
    Fence,
    Finishes,
    Mark,
    Passings,
    Positions,
    Race,
    Selection,
    StoreError,
    Tally,
)
from dashboard.ui.viewer import Viewer
from simulator.http import openapi
from simulator.http.answers import list_answer
from simulator.race.request import ListRequest
from simulator.race.start_list.preview import preview
from stream.arrays import Floats, Ints
from tests.dashboard.plan import planned

Row = tuple[int, float, str, float]
Passing = tuple[int, str, str, int, float, float]

EMITTED = 1_000_000
"""Epoch milliseconds at which all fake positions were emitted."""

VIEWER = Viewer.of("en-IE", "UTC")
"""Reads kilometres and a 24-hour clock."""

COURSE = Course(
    short_name="hills",
    long_name="Over the hills",
    distance=5000.0,
    line=np.array([[0.0, 51.0], [0.02, 51.01], [0.04, 51.0]]),
    start=(0.0, 51.0),
    finish=(0.04, 51.0),
    fences=(Fence("The climb", (np.array([[0.01, 51.0], [0.02, 51.0], [0.02, 51.02], [0.01, 51.0]]),)),),
)


def race(run_id: str = "run_1", **other: object) -> Race:
    """A running race of two."""
    known: dict[str, object] = {
        "run_id": run_id,
        "name": "Saturday",
        "course": "hills",
        "course_name": "Over the hills",
        "start_time": 1000,
        "status": "running",
        "competitors": 2,
        "speed": 1.0,
        "seed": 1,
        "interval": 1.0,
        "updated_at": 1000,
    }
    return Race(**{**known, **other})  # type: ignore[arg-type]


def positions(distance: float = 100.0, *, at: tuple[float, float] = (0.001, 51.0)) -> Positions:
    """Of bibs 1 and 2, near `at` (lon, lat)."""
    lon, lat = at
    return rows.positions([(bib, lon * bib, lat, distance, "running", 60.0, EMITTED) for bib in (1, 2)])


def at(*competitors: Row) -> Positions:
    """Positions of (bib, distance, status, elapsed), all of them at one place."""
    return rows.positions(
        [
            (bib, 0.0, 51.0, distance, status, elapsed, EMITTED)
            for bib, distance, status, elapsed in competitors
        ]
    )


def passings(passed_points: Sequence[Passing]) -> list[Passings]:
    """Passings of (bib, kind, point, lap, distance, elapsed) in a race that began at 0."""
    return rows.passings([(*passing, round(passing[-1] * 1000)) for passing in passed_points])


@dataclass
class FakeApi(RaceApi):
    """Offers courses, records requests and uploads; can be set to refuse them or to be unavailable."""

    offered: list[OfferedCourse] = field(default_factory=list)
    refusal: ApiError | None = None
    away: ApiError | None = None
    undrawable: ApiError | None = None
    previews: list[Mapping[str, int]] = field(default_factory=list)
    requests: list[Mapping[str, Any]] = field(default_factory=list)
    uploads: list[tuple[bytes, str | None]] = field(default_factory=list)
    drawn: list[str] = field(default_factory=list)

    def courses(self) -> list[OfferedCourse]:
        """All of them."""
        if self.away is not None:
            raise self.away
        return self.offered

    def course(self, short_name: str) -> Course:
        """A course of that name."""
        self.drawn.append(short_name)
        if self.undrawable is not None:
            raise self.undrawable
        return replace(COURSE, short_name=short_name)

    def upload_course(self, data: bytes, short_name: str | None) -> OfferedCourse:
        """Keep the file, and offer a course."""
        self.uploads.append((data, short_name))
        if self.refusal is not None:
            raise self.refusal
        self.offered.append(OfferedCourse(short_name or "made", "Handed in", 1000.0, warnings=("Closed.",)))
        return self.offered[-1]

    def race_fields(self) -> dict[str, RaceField]:
        """Those of the simulator's document."""
        return race_fields(openapi.document())

    def preview_list(self, start_list: str, columns: Mapping[str, int]) -> ListPreview:
        """What the simulator says of it."""
        self.previews.append(columns)
        if self.away is not None:
            raise self.away
        asked = ListRequest(start_list=start_list, columns=dict(columns))
        answer = list_answer(asked, preview(start_list, columns))
        return TypeAdapter(ListPreview).validate_python(answer.model_dump())

    def plan(
        self, request: Mapping[str, Any], report: Callable[[float], None], read: Callable[[Any], Read]
    ) -> Read:
        """Keep the request, and compute it."""
        self.requests.append(request)
        if self.refusal is not None:
            raise self.refusal
        return read(planned.answer(request, report))

    def create_race(self, request: Mapping[str, Any]) -> str:
        """Keep the request."""
        self.requests.append(request)
        if self.refusal is not None:
            raise self.refusal
        return "made"


@dataclass
class FakeStore:
    """Returns preset data, or fails."""

    known: list[Race] = field(default_factory=list)
    now: Positions = field(default_factory=positions)
    courses: list[Course] = field(default_factory=lambda: [COURSE])
    names: dict[int, Competitor] = field(default_factory=dict)
    past: dict[int, Positions] = field(default_factory=dict)
    passed: list[Passing] = field(default_factory=list)
    failure: StoreError | None = None
    asked: list[str] = field(default_factory=list)

    def races(self) -> Sequence[Race]:
        """All of them."""
        self._ask("races")
        return list(self.known)

    def race(self, run_id: str) -> Race | None:
        """One of them."""
        self._ask("race")
        return next((race for race in self.known if race.run_id == run_id), None)

    def course(self, short_name: str) -> Course | None:
        """One of them."""
        self._ask("course")
        return next((course for course in self.courses if course.short_name == short_name), None)

    def competitors(self, _run_id: str, some: Selection | None = None) -> Mapping[int, Competitor]:
        """The known competitors."""
        self._ask("competitors" + _words(some))
        return {bib: who for bib, who in self.names.items() if some is None or bib in some}

    def positions(self, _run_id: str, some: Selection | None = None) -> Positions:
        """The newest positions."""
        self._ask("positions" + _words(some))
        return _of(self.now, some)

    def mark(self, _run_id: str, some: Every | None = None) -> Mark:
        """The mark of the newest positions."""
        self._ask("mark" + _words(some))
        now = _of(self.now, some)
        # What moved was emitted later.
        emitted = now.newest_emitted + round(float(now.distance.sum()))
        return Mark(emitted, int(now.elapsed.sum()), len(now))

    def positions_at(
        self, _run_id: str, raw_time: int, look_back: int = 0, some: Every | None = None
    ) -> Positions:
        """The positions then, or at the newest moment before within the look-back."""
        self._ask((f"positions_at {look_back}" if look_back else "positions_at") + _words(some))
        found = rows.positions([])
        for time in sorted(self.past, reverse=True):
            if raw_time - look_back <= time <= raw_time:
                found = found.with_others(self.past[time])
        return _of(found, some)

    def passings(
        self, _run_id: str, after_ms: int | None = None, some: Selection | None = None
    ) -> list[Passings]:
        """Those after a moment."""
        self._ask(("passings" if after_ms is None else f"passings after {after_ms}") + _words(some))
        return passings(
            [
                one
                for one in self.passed
                if (some is None or one[0] in some) and (after_ms is None or one[-1] * 1000 > after_ms)
            ]
        )

    def count_passings(self, _run_id: str) -> int:
        """Their number."""
        self._ask("count_passings")
        return len(self.passed)

    def count_arrivals(self, _run_id: str, offset: float, step: float) -> list[Arrived]:
        """Their number, by spans of time."""
        self._ask("count_arrivals")
        found = Counter(
            (kind, point, lap, int((elapsed + offset) // step))
            for _, kind, point, lap, _, elapsed in self.passed
            if kind in {"split", "enter", "finish"}
        )
        return [Arrived(*span, many) for span, many in found.items()]

    def dropped(self, _run_id: str) -> tuple[Ints, Floats, Floats]:
        """Those who gave up."""
        self._ask("dropped")
        out = self.now.take(self.now.status == "dnf")
        return out.competitor, out.distance, out.elapsed

    def tally(self, _run_id: str) -> Tally:
        """The newest positions in numbers."""
        self._ask("tally")
        names, counts = np.unique(self.now.status, return_counts=True)
        finished = self.now.distance[self.now.status == "finished"]
        return Tally(
            counts=dict(zip(names.tolist(), counts.tolist(), strict=True)),
            race_time=float(self.now.elapsed.max(initial=0.0)),
            newest_emitted=self.now.newest_emitted,
            last_bib=int(self.now.competitor.max(initial=0)),
            finish=float(finished.max(initial=0.0)),
        )

    def front(self, _run_id: str, most: int) -> Positions:
        """The first ones on the course."""
        self._ask("front")
        order = np.lexsort((self.now.competitor, -self.now.distance))
        on_course = order[np.isin(self.now.status[order], ON_COURSE)][:most]
        return self.now.take(np.sort(on_course))

    def between(self, _run_id: str, first: float, last: float = ANYWHERE) -> int:
        """Number of those on the course between these metres."""
        self._ask("between")
        is_there = (self.now.distance >= first) & (self.now.distance < last)
        return int((np.isin(self.now.status, ON_COURSE) & is_there).sum())

    def finishes(self, _run_id: str, bibs: range, after_ms: int = 0) -> Finishes:
        """The finishers; all fake positions were emitted at once."""
        self._ask("finishes")
        came_in = np.isin(self.now.status, ("finished", "dsq")) & np.isin(self.now.competitor, bibs)
        found = self.now.take(came_in & (self.now.newest_emitted > after_ms))
        newest = found.newest_emitted if len(found) else 0
        return Finishes(found.competitor, found.elapsed, found.status == "finished", newest)

    def waves(self, _run_id: str, bibs: range) -> tuple[Ints, Ints]:
        """Later waves."""
        self._ask("waves")
        found = sorted((bib, who.wave) for bib, who in self.names.items() if bib in bibs and who.wave > 1)
        return np.array([bib for bib, _ in found], np.int64), np.array([wave for _, wave in found], np.int64)

    def starts(self, _run_id: str, bibs: range) -> tuple[Ints, Floats]:
        """Own starts."""
        self._ask("starts")
        found = sorted((one[0], one[-1]) for one in self.passed if one[1] == "start" and one[0] in bibs)
        return np.array([bib for bib, _ in found], np.int64), np.array([time for _, time in found])

    def count_competitors(self, _run_id: str) -> int:
        """Length of the start list."""
        self._ask("count_competitors")
        return len(self.names)

    def find(self, _run_id: str, text: str, most: int) -> Mapping[int, Competitor]:
        """Competitors with a text in their name or club."""
        self._ask("find")
        found = [bib for bib, who in self.names.items() if text.lower() in f"{who.name} {who.club}".lower()]
        return {bib: self.names[bib] for bib in sorted(found)[:most]}

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.failure is not None:
            raise self.failure


def _of(positions: Positions, some: Selection | None) -> Positions:
    if some is None:
        return positions
    return positions.take(np.array([bib in some for bib in positions.competitor.tolist()], np.bool_))


def _words(some: Selection | None) -> str:
    """How a question about some competitors is recorded."""
    return "" if some is None else f" of every {some.step}" if isinstance(some, Every) else " of some"
