"""The HTTP API.

`openapi.ROUTES` maps each method and path to a handler, which is a method of `Api`. Errors become problem
details in one place, at the end of the class.
"""

from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from itertools import chain
from typing import Any, TypeVar
from urllib.parse import parse_qs

import jinja2
import orjson
import structlog
from klein import Klein
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from pydantic import BaseModel, ValidationError
from twisted.python.failure import Failure
from twisted.web.server import Request
from werkzeug.exceptions import HTTPException

from simulator import __version__, logs
from simulator.answer_key import grade
from simulator.answer_key.grade import AnswerError, Grade
from simulator.answer_key.kinds import KINDS, Kind, ndjson
from simulator.answer_key.published import Stream
from simulator.answer_key.query import AnswerQuery, GradeQuery
from simulator.engine.engine import Engine, StateError
from simulator.engine.run import Run
from simulator.export import (
    crowding,
    crowding_files,
    forecasts,
    formats,
    geojson,
    result_files,
    results,
    team_files,
    teams,
    track_files,
)
from simulator.export.crowding import CrowdingQuery
from simulator.export.formats import NDJSON, Format
from simulator.export.results import ResultsQuery
from simulator.export.teams import TeamsQuery
from simulator.export.track_query import TrackQuery
from simulator.http import answers, bodies, openapi, responses
from simulator.http.auth import CHALLENGE, Access
from simulator.http.latest_forecasts import LatestForecasts
from simulator.http.metrics import registry_of
from simulator.http.request_metrics import RequestMetrics
from simulator.http.sending import send, whole_or_aborted
from simulator.publishers.publisher import Publisher
from simulator.race.request import CourseQuery, ListRequest, RaceRequest
from simulator.race.start_list.preview import preview
from simulator.reactor import InThread
from simulator.service.courses import CourseService
from simulator.service.plans import PlanService
from simulator.service.races import RaceService
from stream.problems import Problem, from_validation
from stream.race_states import Action

Given = TypeVar("Given")
Query = TypeVar("Query", bound=BaseModel)
LONG = 100_000
"""Length of a request, bytes, from which it is not read on the reactor."""
IN_ONE = 100_000
"""Competitors up to which all positions are sent at once: copying those of more would hold up the reactor."""
LATE = 5.0
"""Seconds by which ticks may be late before `/readyz` reports it."""


class Api:
    """The API's route handlers.

    Args:
        race_service: creates and finds races.
        course_service: accepts course files.
        publisher: reports its health.
        access: decides which requests may change state. Default: those of this origin.

    Attributes:
        request_metrics: the site that serves the API counts its responses here.
    """

    app = Klein()
    # Every URL is exact: double slashes are not merged, and no request is redirected.
    app.url_map.merge_slashes = False

    def __init__(
        self,
        race_service: RaceService,
        course_service: CourseService,
        publisher: Publisher,
        access: Access | None = None,
    ) -> None:
        self._race_service = race_service
        self._course_service = course_service
        self._engine: Engine = race_service.engine
        self._publisher = publisher
        self._access = access or Access(None)
        self._in_thread: InThread = course_service.in_thread
        self._plan_service = PlanService(race_service, self._in_thread)
        self._forecasts = LatestForecasts(self._in_thread)
        self._log = structlog.get_logger()
        self.request_metrics = RequestMetrics(self.app.url_map)
        self._registry = registry_of(race_service.engine, publisher, self.request_metrics)
        self._pages = jinja2.Environment(
            loader=jinja2.PackageLoader("simulator.http", "pages"), autoescape=True
        )

    async def create_race(self, request: Request) -> bytes:
        """Create a race."""
        asked = await self._asked(request, RaceRequest.model_validate_json)
        run, is_new = await self._race_service.create(asked)
        request.setHeader("Location", f"/races/{run.run_id}")
        status = HTTPStatus.CREATED if is_new else HTTPStatus.OK
        return responses.json(request, self._answer(run), status)

    def list_races(self, request: Request) -> bytes:
        """List all races."""
        races = [self._answer(run) for run in self._race_service.races()]
        return responses.json(request, answers.RacesAnswer(races=races))

    def _answer(self, run: Run) -> answers.RaceAnswer:
        return answers.race_answer(run, self._race_service.published_until(run))

    async def show_race(self, request: Request, run_id: str) -> bytes:
        """Return a race."""
        return responses.json(request, self._answer(await self._race_service.found(run_id)))

    async def show_positions(self, request: Request, run_id: str) -> bytes | None:
        """Return all positions at the last published tick."""
        run = await self._race_service.found(run_id)
        now = self._race_service.now()
        pieces = geojson.position_pieces(await self._in_thread(run.positions, now))
        if run.request.competitors <= IN_ONE:
            features = await self._in_thread(b"".join, pieces)
            return responses.body(request, features, geojson.MEDIA_TYPE)
        responses.head(request, geojson.MEDIA_TYPE)
        await self._send_pieces(request, pieces)
        return None

    async def show_results(self, request: Request, run_id: str, suffix: str | None = None) -> None:
        """Return the results at the last published tick."""
        run, form = await self._race_service.found(run_id), _format(request, result_files.FORMATS, suffix)
        rank, until = _query(request, ResultsQuery).rank, self._race_service.published_until(run)
        await self._send(request, f"{run_id}-results", form, lambda: results.of(run.race, until, rank))

    async def show_teams(self, request: Request, run_id: str, suffix: str | None = None) -> None:
        """Return the teams at the last published tick."""
        run, form = await self._race_service.found(run_id), _format(request, team_files.FORMATS, suffix)
        query, until = _query(request, TeamsQuery), self._race_service.published_until(run)
        await self._send(request, f"{run_id}-teams", form, lambda: teams.of(run.race, until, query))

    async def show_forecasts(self, request: Request, run_id: str) -> None:
        """Return forecasts for everyone on the course at the last published tick."""
        run = await self._race_service.found(run_id)
        found = await self._forecasts.of(run.race, lambda: self._race_service.published_until(run))
        await self._send(request, f"{run_id}-forecasts", forecasts.JSON, lambda: found)

    async def show_tracks(self, request: Request, run_id: str, suffix: str | None = None) -> None:
        """Return the tracks up to the last published tick."""
        run, form = await self._race_service.found(run_id), _format(request, track_files.FORMATS, suffix)
        query, until = _query(request, TrackQuery), self._race_service.published_until(run)
        await self._send(request, f"{run_id}-tracks", form, lambda: query.tracks(run.race, until))

    async def show_crowding(self, request: Request, run_id: str, suffix: str | None = None) -> None:
        """Return how crowded the whole race is."""
        run, form = await self._race_service.found(run_id), _format(request, crowding_files.FORMATS, suffix)
        query = _query(request, CrowdingQuery)
        await self._send(request, f"{run_id}-crowding", form, lambda: crowding.of(run.race, query))

    async def show_answer(self, request: Request, run_id: str, kind: str) -> None:
        """Return what a correct consumer would say at the last published tick."""
        run, known = await self._race_service.found(run_id), _kind(kind)
        query, until = _query(request, AnswerQuery), self._race_service.published_until(run)
        form = Format("ndjson", NDJSON, ndjson)
        await self._send(
            request, f"{run_id}-{kind}", form, lambda: known.compute(Stream(run.race, until), query)
        )

    async def grade_answer(self, request: Request, run_id: str) -> bytes:
        """Compare a consumer's answer with the right one at the last published tick."""
        self._access.check(request)
        run, query = await self._race_service.found(run_id), _query(request, GradeQuery)
        kind, until, data = KINDS[query.kind], self._race_service.published_until(run), _read(request)

        def graded() -> Grade:
            return grade.grade(kind, grade.read(kind, data.splitlines()), Stream(run.race, until), query)

        try:
            return responses.json(request, await self._in_thread(graded))
        except AnswerError as error:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from error

    async def change_race(self, request: Request, run_id: str, action: Action) -> bytes:
        """Pause, resume or cancel a race."""
        self._access.check(request)
        run = await self._race_service.change(run_id, action)
        return responses.json(request, self._answer(run))

    async def take_course(self, request: Request) -> bytes:
        """Accept a course file."""
        self._access.check(request)
        name = _query(request, CourseQuery).name
        try:
            course, is_new = await self._course_service.take(name, lambda: _read(request))
        except Problem as problem:
            if problem.status != HTTPStatus.UNPROCESSABLE_ENTITY:
                raise
            raise bodies.explained(request, _read(request), problem) from None
        request.setHeader("Location", f"/courses/{course.short_name}")
        status = HTTPStatus.CREATED if is_new else HTTPStatus.OK
        return responses.json(request, answers.course_answer(course), status)

    async def preview_list(self, request: Request) -> bytes:
        """Return how a start list would be read."""

        def read(data: bytes) -> answers.ListAnswer:
            asked = ListRequest.model_validate_json(data)
            return answers.list_answer(asked, preview(asked.start_list, asked.columns))

        return responses.json(request, await self._asked(request, read))

    async def make_plan(self, request: Request) -> None:
        """Return how crowded a race would be, or why it can't be, after lines with the progress."""
        asked = await self._asked(request, RaceRequest.model_validate_json)
        query = _query(request, CrowdingQuery)
        course, resolved = await self._plan_service.checked(asked)
        responses.head(request, NDJSON)

        def report(share: float) -> None:
            request.write(b'{"progress":%.2f}\n' % share)

        report(0.0)
        with whole_or_aborted(request):
            try:
                plan = await self._plan_service.computed(course, resolved, query, report)
            except Problem as problem:
                # Too late for a status of its own.
                request.write(b'{"problem":%b}\n' % problem.body())
                return
        await self._send_pieces(request, chain([b'{"plan":'], crowding_files.plan_as_json(plan), [b"}\n"]))

    async def list_courses(self, request: Request) -> bytes:
        """List all courses."""
        await self._race_service.learn_courses()
        courses = [answers.course_answer(course) for course in self._race_service.courses.values()]
        return responses.json(request, answers.CoursesAnswer(courses=courses))

    async def show_course(self, request: Request, short_name: str) -> bytes:
        """Return a course."""
        course = await self._race_service.course(short_name)
        features = await self._in_thread(lambda: orjson.dumps(geojson.course_features(course)))
        return responses.body(request, features, geojson.MEDIA_TYPE)

    def healthz(self, request: Request) -> bytes:
        """Report that the process is running."""
        return responses.json(request, answers.HealthAnswer(status="ok"))

    def readyz(self, request: Request) -> bytes:
        """Report whether events are being delivered, and if not, why."""
        unread, lag = self._race_service.unread, self._engine.lag()
        late = f"ticks are {lag:.0f} s late" if lag > LATE else None
        log_trouble = None if unread else self._engine.race_log.trouble()
        found = [self._publisher.health().trouble, self._engine.trouble, unread, log_trouble, late]
        reasons = list(dict.fromkeys(reason for reason in found if reason))
        answer = answers.ReadyAnswer(
            status="not ready" if reasons else "ok",
            reasons=reasons,
            partitions=sorted(self._engine.partitions),
            parts=len(self._engine.ours()),
            lag=round(lag, 3),
        )
        return responses.json(request, answer, HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK)

    def metrics(self, request: Request) -> bytes:
        """Return the Prometheus metrics."""
        return responses.body(request, generate_latest(self._registry), CONTENT_TYPE_LATEST)

    def openapi(self, request: Request) -> bytes:
        """Return the OpenAPI document."""
        return responses.body(request, orjson.dumps(openapi.document()), "application/json")

    def docs(self, request: Request) -> bytes:
        """Return the API documentation page."""
        return self._page(request, "docs.html", api=openapi.document(), kind=openapi.kind)

    def index(self, request: Request) -> bytes:
        """Return the start page."""
        races = [self._answer(run) for run in self._race_service.races()[:20]]
        courses = [answers.course_answer(course) for course in self._race_service.courses.values()]
        here = responses.header(request, b"host") or "127.0.0.1:8080"
        values = {"races": races, "courses": courses, "version": __version__, "here": here}
        return self._page(request, "index.html", **values)

    @app.handle_errors(Exception)
    def _failed(self, request: Request, failure: Failure) -> bytes:
        error: Any = failure.value
        match error:
            case Problem():
                problem = error
            case StateError():
                problem = Problem(HTTPStatus.CONFLICT, str(error))
            case HTTPException():
                problem = _no_route(request, error)
            case _:
                path = request.path.decode("latin-1")
                self._log.error("request failed", path=path, exc_info=logs.exc_info(failure))
                detail = "Internal error; see the simulator's log"
                problem = Problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail)
        if problem.status == HTTPStatus.UNAUTHORIZED:
            request.setHeader("WWW-Authenticate", CHALLENGE)
        return responses.problem(request, problem)

    async def _asked(self, request: Request, read: Callable[[bytes], Given]) -> Given:
        """What `read` makes of a JSON body. A thread reads a long start list, which takes a second."""
        self._access.check(request)
        # Windows programs write a byte order mark before JSON.
        data = _read(request).removeprefix(BOM_UTF8)
        try:
            return await self._in_thread(read, data) if len(data) > LONG else read(data)
        except ValidationError as error:
            raise bodies.explained(request, data, from_validation(error)) from None

    async def _send(
        self, request: Request, name: str, form: Format[Given], make: Callable[[], Given]
    ) -> None:
        """Generate a file in a thread and send it; `name` is without a suffix."""

        def begin() -> Iterator[bytes]:
            pieces = form.write(make())
            # Errors at the beginning get a status of their own, because none has been sent yet.
            return chain([next(pieces)], pieces)

        pieces = await self._in_thread(begin)
        responses.head(request, form.content_type)
        # Browsers display the formats they know and download the others.
        shown = "inline" if form.media_type.endswith("json") else "attachment"
        request.setHeader("Content-Disposition", f'{shown}; filename="{name}.{form.suffix}"')
        await self._send_pieces(request, pieces)

    async def _send_pieces(self, request: Request, pieces: Iterator[bytes]) -> None:
        if request.method != b"HEAD":
            await send(request, pieces, self._in_thread)

    def _page(self, request: Request, name: str, **values: Any) -> bytes:
        page = self._pages.get_template(name).render(**values)
        return responses.body(request, page.encode(), "text/html; charset=utf-8")


def _no_route(request: Request, error: HTTPException) -> Problem:
    """Return the problem for werkzeug's routing errors, 404 and 405, and set the header Allow."""
    for name, value in error.get_headers():
        if name.lower() == "allow":
            request.setHeader(name, value)
    status = HTTPStatus(error.code or 500)
    if status == HTTPStatus.NOT_FOUND:
        known = "see GET /docs for the available ones"
        slash = "try it without the slash at the end, or " if request.path.endswith(b"/") else ""
        return Problem(status, f"No such path; {slash}{known}")
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = ", ".join(sorted(getattr(error, "valid_methods", None) or ()))
        detail = f"{request.method.decode('latin-1')} is not allowed here; allowed: {allowed}"
        # As curl -T sends it.
        if request.method == b"PUT" and (
            bodies.head_of(request).route in bodies.TAKEN or request.path.startswith(bodies.COURSES)
        ):
            detail += f". Use POST: {bodies.head_of(request).command()}"
        return Problem(status, detail)
    return Problem(status, error.description or status.phrase)


def _read(request: Request) -> bytes:
    # Twisted has read the body by now; it has no file for an empty one.
    if request.content is None:
        return b""
    request.content.seek(0)
    data: bytes = request.content.read()
    return data


def _kind(name: str) -> Kind:
    for known, kind in KINDS.items():
        if known == name:
            return kind
    raise Problem(HTTPStatus.NOT_FOUND, f"Unknown kind of answer; available: {', '.join(KINDS)}")


def _format(request: Request, known: Sequence[Format[Given]], suffix: str | None) -> Format[Given]:
    if suffix is not None:
        return formats.of_suffix(known, suffix)
    request.setHeader("Vary", "Accept")
    return formats.accepted(known, responses.header(request, b"accept") or "")


def _query(request: Request, model: type[Query]) -> Query:
    # Not `request.args`: Twisted adds form fields to it, and curl labels every body as a form.
    given = parse_qs(request.uri.decode("latin-1").partition("?")[2], keep_blank_values=True)
    once = {name: values[0] if len(values) == 1 else values for name, values in given.items()}
    try:
        return model.model_validate(once)
    except ValidationError as error:
        raise from_validation(error) from None


for _route in openapi.ROUTES:
    _path = _route.path.replace("{", "<").replace("}", ">")
    _rule = Api.app.route(_path, methods=[_route.method.upper()], defaults=_route.fixed)
    _rule(getattr(Api, _route.handler))
