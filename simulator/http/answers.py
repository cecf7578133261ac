"""Models of the API's responses, and how they are filled."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from simulator.course.course import Course
from simulator.engine.run import Run
from simulator.race.paces import WALL_FROM
from simulator.race.request import RaceRequest
from stream.race_states import ACTIONS, RaceState


class Answer(BaseModel):
    """A response body."""

    model_config = ConfigDict(frozen=True)


class RaceAnswer(Answer):
    """A race."""

    run_id: str
    name: str
    course: str
    status: RaceState
    start_at: datetime
    competitors: int
    fastest: float = Field(description="Seconds per kilometre.")
    slowest: float = Field(description="Seconds per kilometre.")
    how_many_get_stopped: float
    min_pause: float
    max_pause: float
    seed: int
    speed: float
    interval: float
    options: dict[str, bool | int | float | str] = Field(
        description="Options that differ from their defaults."
    )
    race_time: float = Field(description="Race seconds published so far; negative before the gun.")
    warnings: list[str] = Field(description="Corrections made to the course.")
    links: dict[str, str]


SHARED = RaceAnswer.model_fields.keys() & RaceRequest.model_fields.keys() - {"name", "course", "interval"}
"""Fields that a race's response takes from its request."""


class RacesAnswer(Answer):
    """All races, latest start first."""

    races: list[RaceAnswer]


class CourseAnswer(Answer):
    """A course."""

    short_name: str
    long_name: str
    distance: float = Field(description="Metres, laps included.")
    laps: int
    fences: list[str]
    warnings: list[str]
    links: dict[str, str]


class CoursesAnswer(Answer):
    """All courses, by short name."""

    courses: list[CourseAnswer]


class SplitAnswer(Answer):
    """A competitor's passing of a timing point."""

    point: str
    lap: int = Field(description="Number of this passing of the same timing point.")
    distance: float = Field(description="Metres.")
    elapsed: float = Field(description="Seconds since the gun.")
    chip: float = Field(description="Seconds since the competitor's own start.")


class ResultAnswer(Answer):
    """A competitor's result. Equal gun times share a place."""

    place: int | None = Field(description="By gun time, as World Athletics and UK Athletics rank.")
    category_place: int | None
    bib: int
    name: str
    category: str
    club: str
    wave: int
    status: Literal["finished", "running", "paused", "waiting", "dnf", "dns", "dsq"]
    gun_time: float | None = Field(description="Seconds from the gun to the finish.")
    chip_time: float | None = Field(description="Seconds from the competitor's own start to the finish.")
    distance: float = Field(description="Metres covered so far.")
    behind: float | None = Field(description="Seconds after the first finisher.")
    pace: float | None = Field(description="Seconds per kilometre since the competitor's own start.")
    splits: list[SplitAnswer]


class ResultsAnswer(Answer):
    """The results at the last published tick.

    In this order: finishers by place, competitors on the course by distance, disqualified, DNF, DNS.
    """

    run_id: str
    name: str
    race_time: float = Field(description="Race seconds published so far; negative before the gun.")
    results: list[ResultAnswer]


class HealthAnswer(Answer):
    """Liveness or readiness."""

    status: Literal["ok", "not ready"]
    reasons: list[str] = Field(default=[], description="Reasons for not being ready.")


class WrongField(Answer):
    """An invalid field and the reason."""

    field: str
    detail: str


class ProblemAnswer(Answer):
    """Problem details (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[WrongField] = []


def race_answer(run: Run) -> RaceAnswer:
    """Return the response for a race."""
    request = run.request
    here = f"/races/{run.run_id}"
    links: dict[str, str] = {
        "self": here,
        **{part: f"{here}/{part}" for part in ("positions", "results", "tracks")},
        "course": f"/courses/{run.course.short_name}",
        **{action: f"{here}/{action}" for action in ACTIONS},
    }
    return RaceAnswer(
        **request.model_dump(include=SHARED),
        name=request.name or "",
        course=run.course.short_name,
        status=run.status,
        interval=request.tick,
        options=request.options,
        race_time=run.published_until,
        warnings=_warnings(run),
        links=links,
    )


def _warnings(run: Run) -> list[str]:
    warnings = list(run.course.warnings)
    if run.course.short_name != run.request.course:
        warnings.append(
            f"The points differ from the line of the course {run.request.course}: "
            f"their course is named {run.course.short_name}."
        )
    if run.request.how_many_get_stopped > 0 and not run.course.visits:
        warnings.append("The course passes through no geofence: no competitor will pause.")
    if run.request.gradient and run.course.alt is None:
        warnings.append("The course has no altitude: hills do not affect the pace.")
    if run.request.fatigue == "wall" and run.course.distance < WALL_FROM:
        warnings.append(
            f"The course is shorter than {WALL_FROM / 1000:.0f} km: no competitor will hit the wall."
        )
    return warnings


def course_answer(course: Course) -> CourseAnswer:
    """Return the response for a course."""
    return CourseAnswer(
        short_name=course.short_name,
        long_name=course.long_name,
        distance=round(course.distance, 3),
        laps=course.laps,
        fences=[fence.name for fence in course.fences],
        warnings=list(course.warnings),
        links={"self": f"/courses/{course.short_name}"},
    )
