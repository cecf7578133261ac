"""What the API answers about races and courses: the models, and how they are filled."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from simulator.course import Course
    from simulator.run import Run


class Answer(BaseModel):
    """An answer's body."""

    model_config = ConfigDict(frozen=True)


class RaceAnswer(Answer):
    """A race."""

    run_id: str
    name: str
    course: str
    status: Literal["scheduled", "running", "paused", "finished", "cancelled"]
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
    race_time: float = Field(description="Race seconds told so far; negative before the gun.")
    warnings: list[str] = Field(description="What was put right in the course, in plain words.")
    links: dict[str, str]


class RacesAnswer(Answer):
    """All races, those that start last first."""

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


class HealthAnswer(Answer):
    """Whether the process lives, or can serve."""

    status: Literal["ok", "not ready"]
    reasons: list[str] = Field(default=[], description="Why it is not ready, in plain words.")


class WrongField(Answer):
    """A wrong field and what is wrong with it."""

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
    """Return what is told of a race."""
    request = run.request
    here = f"/races/{run.run_id}"
    return RaceAnswer(
        run_id=run.run_id,
        name=request.name or "",
        course=run.course.short_name,
        status=run.status,
        start_at=run.start_at,
        competitors=request.competitors,
        fastest=request.fastest,
        slowest=request.slowest,
        how_many_get_stopped=request.how_many_get_stopped,
        min_pause=request.min_pause,
        max_pause=request.max_pause,
        seed=request.seed or 0,
        speed=request.speed,
        interval=request.tick,
        race_time=run.told_until,
        warnings=_warnings(run),
        links={
            "self": here,
            "positions": f"{here}/positions",
            "course": f"/courses/{run.course.short_name}",
            "pause": f"{here}/pause",
            "resume": f"{here}/resume",
            "cancel": f"{here}/cancel",
        },
    )


def _warnings(run: Run) -> list[str]:
    warnings = list(run.course.warnings)
    if run.course.short_name != run.request.course:
        warnings.append(
            f"The points are not the line of the course {run.request.course}: "
            f"theirs is called {run.course.short_name}."
        )
    if run.request.how_many_get_stopped > 0 and not run.course.visits:
        warnings.append("The course passes through no geofence: nobody will be stopped.")
    return warnings


def course_answer(course: Course) -> CourseAnswer:
    """Return what is told of a course."""
    return CourseAnswer(
        short_name=course.short_name,
        long_name=course.long_name,
        distance=round(course.distance, 3),
        laps=course.laps,
        fences=[fence.name for fence in course.fences],
        warnings=list(course.warnings),
        links={"self": f"/courses/{course.short_name}"},
    )
