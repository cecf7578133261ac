"""Models of the API's responses, and how they are filled."""

from datetime import datetime
from math import isfinite
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from simulator.course.course import Course
from simulator.engine.run import Run
from simulator.race.options import MatOptions
from simulator.race.request import ListRequest, RaceRequest
from simulator.race.start_list.preview import Preview
from stream.cut_offs import Since
from stream.race_states import ACTIONS, RaceState
from stream.results import Rank
from stream.running import WALL_FROM
from stream.teams import By, Who


class Answer(BaseModel):
    """A response body."""

    model_config = ConfigDict(frozen=True)


class CutOffAnswer(Answer):
    """A time limit."""

    name: str = Field(description="Name of the split in the results, or finish.")
    point: str
    lap: int = Field(description="Number of this passing of the same timing point.")
    distance: float = Field(description="Metres.")
    limit: float = Field(description="Seconds from what cut_offs_from names.")


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
    options: dict[str, bool | int | float | str | dict[str, float]] = Field(
        description="Options that differ from their defaults."
    )
    time_limits: list[CutOffAnswer] = Field(description="The cut-offs with their places, by distance.")
    cut_offs_from: Since = Field(
        description="The time limits count from the first gun, or from that of the own wave."
    )
    race_time: float = Field(description="Race seconds published so far; negative before the gun.")
    warnings: list[str] = Field(
        description="Corrections and assumptions made when the course and the start list were read."
    )
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
    climb: float | None = Field(description="Metres climbed, laps included; null without altitudes.")
    narrowest: float | None = Field(
        description="Metres of width at the narrowest place; null if its file has no widths."
    )
    fences: list[str]
    timing_points: list[str] = Field(description="Names of the course file's timing points.")
    warnings: list[str]
    links: dict[str, str]


class CoursesAnswer(Answer):
    """All courses, by short name."""

    courses: list[CourseAnswer]


class ColumnAnswer(Answer):
    """A column of a start list."""

    name: str = Field(description="As written.")
    field: str = Field(description="What it is read as; empty if it is not used.")


class ListAnswer(Answer):
    """A start list as it would be read."""

    competitors: int = Field(description="0 if the list can't be read.")
    waves: int
    categories: int
    clubs: int
    columns: list[ColumnAnswer] = Field(description="In the order of the list.")
    rows: list[list[str]] = Field(description="The first rows below the column names, as written.")
    warnings: list[str] = Field(description="What is corrected, assumed or left out.")
    errors: list[str] = Field(description='Why the list can\'t be read; each continues "the start list".')
    start_list: str | None = Field(
        description="The list with its columns renamed as chosen; null if none was chosen."
    )


class SplitAnswer(Answer):
    """A competitor's passing of a timing point."""

    point: str
    lap: int = Field(description="Number of this passing of the same timing point.")
    distance: float = Field(description="Metres.")
    elapsed: float = Field(description="Seconds since the gun of the competitor's own wave.")
    chip: float = Field(description="Seconds since the competitor's own start.")


class ResultAnswer(Answer):
    """A competitor's result. Equal exact times share a place."""

    place: int | None = Field(description="By exact gun time, as World Athletics ranks, or by chip time.")
    category_place: int | None
    bib: int
    name: str
    category: str
    sex: str = Field(description="F, M or X; empty if it is not known.")
    club: str
    wave: int
    status: Literal["finished", "running", "paused", "waiting", "dnf", "dns", "dsq"]
    official_time: int | None = Field(
        description="The time that places go by, rounded up to the whole second, as road races record it."
    )
    gun_time: float | None = Field(description="Seconds from the gun of the own wave to the finish.")
    chip_time: float | None = Field(description="Seconds from the competitor's own start to the finish.")
    distance: float = Field(description="Metres covered so far.")
    behind: float | None = Field(
        description="Seconds behind the first finisher, by the time that places go by."
    )
    pace: float | None = Field(description="Seconds per kilometre since the competitor's own start.")
    cut_off: str = Field(
        default="",
        description="Name of the cut-off that has stopped the competitor; finish if the course has closed. "
        "Empty for all others; left out in races without cut-offs.",
    )
    splits: list[SplitAnswer]


class ResultsAnswer(Answer):
    """The results at the last published tick.

    In this order: finishers by place, competitors on the course by distance, disqualified, DNF, DNS.
    """

    run_id: str
    name: str
    race_time: float = Field(description="Race seconds published so far; negative before the gun.")
    rank: Rank = Field(description="The time that places go by.")
    results: list[ResultAnswer]


class ScorerAnswer(Answer):
    """A finisher who scores for a team."""

    place: int = Field(description="Among all women, all men or all competitors, as `who` says.")
    bib: int
    name: str
    sex: str = Field(description="F, M or X; empty if it is not known.")
    time: int = Field(description="Official time, seconds.")


class TeamAnswer(Answer):
    """A club with at least one scorer."""

    place: int | None = Field(description="Null as long as scorers are missing. Equal teams share a place.")
    club: str
    score: int = Field(description="Sum of the scorers' places, or of their official times in seconds.")
    finished: int = Field(description="Members who have finished, of those who may score.")
    to_come: int = Field(description="Members who may still finish, of those who may score.")
    scorers: list[ScorerAnswer] = Field(description="The first one first.")


class TeamsAnswer(Answer):
    """The teams at the last published tick: by place, then those that lack scorers."""

    run_id: str
    name: str
    race_time: float = Field(description="Race seconds published so far; negative before the gun.")
    rank: Rank = Field(description="The time that places go by.")
    scorers: int = Field(description="Number of scorers of a team.")
    by: By
    who: Who
    teams: list[TeamAnswer]


class CrowdingWarning(Answer):
    """A part of the course that is too crowded at some time."""

    quantity: Literal["density", "flow"]
    level: float = Field(description="The level that is exceeded.")
    source: str = Field(description="Where the level comes from.")
    first: float = Field(description="Metres from the start.")
    last: float = Field(description="Metres from the start.")
    since: int = Field(description="Minutes from the first gun.")
    until: int = Field(description="Minutes from the first gun; the last one excluded.")
    peak: float = Field(description="The highest value.")
    at: float = Field(description="Metres from the start to the section with the highest value.")
    minute: int = Field(description="The minute with the highest value.")


class CrowdingLevel(Answer):
    """A level above which there are warnings."""

    quantity: Literal["density", "flow"]
    above: float = Field(description="Per square metre, or per minute and metre of width.")
    source: str = Field(description="Where the level comes from.")


class LossAnswer(Answer):
    """Seconds that competitors lose, at the start line and on the course together."""

    median: float
    mean: float
    max: float


class SectionAnswer(Answer):
    """A section of the course."""

    first: float = Field(description="Metres from the start.")
    last: float = Field(description="Metres from the start.")
    width: float | None = Field(description="Metres; null if it is unlimited.")


class MinutesAnswer(Answer):
    """Columns: one value for each section and minute with competitors."""

    section: list[int] = Field(description="Index of the section.")
    minute: list[int] = Field(description="Minutes from the first gun.")
    runners: list[float] = Field(description="Competitors in the section, on average.")
    density: list[float] = Field(description="Competitors per square metre; 0 if the width is unlimited.")
    flow: list[float] = Field(
        description="Competitors per minute and metre of width; 0 if the width is unlimited."
    )
    speed_ratio: list[float] = Field(description="Speed as a share of that without crowding.")
    lost: list[float] = Field(description="Seconds lost by all competitors together.")


class StartAnswer(Answer):
    """The start line, minute by minute from the first gun."""

    waiting: list[float] = Field(description="Competitors who could start and wait, on average.")
    waves: list[list[int]] = Field(description="For each wave, the competitors who cross the line.")


class LostAnswer(Answer):
    """Columns: one value for each competitor."""

    bib: list[int]
    lost_at_start: list[float] = Field(description="Seconds.")
    lost_on_course: list[float] = Field(description="Seconds.")


class CrowdingAnswer(Answer):
    """How crowded a whole race is."""

    run_id: str
    name: str
    crowding: Literal["none", "flow"]
    levels: list[CrowdingLevel]
    warnings: list[CrowdingWarning]
    lost: LossAnswer
    sections: list[SectionAnswer]
    minutes: MinutesAnswer
    start: StartAnswer
    competitors: LostAnswer


class OutcomeAnswer(Answer):
    """Columns: one value for each competitor, in the order of `competitors`."""

    wave: list[int] = Field(description="From 1.")
    start: list[float | None] = Field(
        description="Seconds from the first gun to crossing the start line; null for those who don't start."
    )
    gun_time: list[float | None] = Field(
        description="Seconds from the gun of the own wave to the finish; null for those who don't finish."
    )
    chip_time: list[float | None] = Field(description="Seconds from crossing the start line to the finish.")


class PlanAnswer(CrowdingAnswer):
    """How crowded a race would be."""

    seed: int
    outcome: OutcomeAnswer


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


class PlanLine(Answer):
    """A line of a plan's response: the progress, or in the last line the plan, or why there is none."""

    progress: float | None = Field(default=None, description="Share of the work that is done, 0 to 1.")
    plan: PlanAnswer | None = None
    problem: ProblemAnswer | None = Field(
        default=None, description="Why the race can't be run, where it shows only when it is drawn."
    )


class IntervalAnswer(Answer):
    """A forecast with its 80 % interval, seconds: in 10 % of the cases it is less than `low`."""

    low: float
    expected: float
    high: float


class NextPointAnswer(Answer):
    """The forecast of a competitor's next timing point."""

    kind: str = Field(description="split, enter, exit or finish.")
    point: str
    lap: int = Field(description="Counts the passings of this point, from 1.")
    distance: float
    elapsed: IntervalAnswer = Field(description="Race seconds since the first gun.")


class ForecastAnswer(Answer):
    """The forecasts of one competitor on the course."""

    bib: int
    name: str
    next: NextPointAnswer
    gun_time: IntervalAnswer = Field(description="Finish, since the gun of the own wave.")
    chip_time: IntervalAnswer = Field(description="Finish, since the own start.")


class ForecastsAnswer(Answer):
    """Forecasts at the last published tick, for everyone on the course, in the order of the start list."""

    run_id: str
    name: str
    race_time: float = Field(description="Race seconds published so far; negative before the gun.")
    forecasts: list[ForecastAnswer]


class HealthAnswer(Answer):
    """Liveness or readiness."""

    status: Literal["ok", "not ready"]
    reasons: list[str] = Field(default=[], description="Reasons for not being ready.")


class ReadyAnswer(HealthAnswer):
    """Readiness, and what of the races is this simulator's work."""

    partitions: list[int] = Field(
        description="Partitions of the topic `progress` that are this simulator's; on the embedded store 0."
    )
    parts: int = Field(description="Parts of races in these partitions that have not ended.")
    lag: float = Field(description="Seconds by which the most overdue tick of these parts is late.")


def race_answer(run: Run, published_until: float) -> RaceAnswer:
    """Return the response for a race that is published up to these race seconds."""
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
        time_limits=[CutOffAnswer(**one._asdict()) for one in run.cut_offs.published()]
        if run.cut_offs
        else [],
        race_time=published_until,
        warnings=_warnings(run),
        links=links,
    )


def _warnings(run: Run) -> list[str]:
    warnings = [*run.course.warnings, *(f"Start list: {warning}" for warning in run.list_warnings)]
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
    of_mats = MatOptions.model_fields.keys() & run.request.options.keys()
    if of_mats and not run.request.chip_reads:
        warnings.append(
            "Raw reads are not published without `chip_reads`: the other options of the timing mats only "
            "change the answers `reads` and `missed`."
        )
    return warnings


def course_answer(course: Course) -> CourseAnswer:
    """Return the response for a course."""
    return CourseAnswer(
        short_name=course.short_name,
        long_name=course.long_name,
        distance=round(course.distance, 3),
        laps=course.laps,
        climb=course.climb,
        narrowest=min((width.metres for width in course.widths if isfinite(width.metres)), default=None),
        fences=[fence.name for fence in course.fences],
        timing_points=[mat.name for mat in course.mats],
        warnings=list(course.warnings),
        links={"self": f"/courses/{course.short_name}"},
    )


def list_answer(request: ListRequest, shown: Preview) -> ListAnswer:
    """Return the response for a start list."""
    people = shown.people
    return ListAnswer(
        competitors=len(people) if people else 0,
        waves=len(set(people.wave.tolist())) if people and people.wave is not None else 1,
        categories=len(set(people.category)) if people else 0,
        clubs=len(set(people.club) - {""}) if people else 0,
        columns=[
            ColumnAnswer(name=name, field=field)
            for name, field in zip(shown.heads, shown.fields, strict=True)
        ],
        rows=[list(row) for row in shown.rows],
        warnings=list(people.warnings) if people else [],
        errors=list(shown.errors),
        start_list=shown.text if request.columns else None,
    )
