"""The OpenAPI 3.1 document, generated from the request and response models."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from http import HTTPStatus
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, Field, TypeAdapter
from pydantic.json_schema import models_json_schema

from simulator import __version__
from simulator.answer_key.grade import Grade
from simulator.answer_key.query import AnswerQuery, GradeQuery, Name
from simulator.export import crowding_files, result_files, team_files, track_files
from simulator.export.crowding import CrowdingQuery
from simulator.export.formats import NDJSON, Format
from simulator.export.geojson import MEDIA_TYPE
from simulator.export.results import ResultsQuery
from simulator.export.teams import TeamsQuery
from simulator.export.track_query import TrackQuery
from simulator.http import answers
from simulator.http.auth import CHALLENGE
from simulator.http.bodies import MAX_BODY, MAX_SIZES, MIB
from simulator.http.site import REQUEST_ID
from simulator.race.request import CourseQuery, ListRequest, RaceRequest, RunId, ShortName
from simulator.service.plans import MAX_COMPETITORS, MAX_WAITING
from stream.race_states import ACTIONS

Body = type[BaseModel] | str
Answers = dict[int, Body | tuple[Body, ...]]

LIMITS = (
    ("minimum", "maximum", ""),
    ("minLength", "maxLength", " characters"),
    ("minItems", "maxItems", " items"),
)
"""Limits of a schema that are shown, and their units."""
REFERENCE = "#/components/schemas/{model}"
RESPONSE = "#/components/responses/{status}"
HEADER = "#/components/headers/{name}"
HEADERS: dict[str, tuple[str, dict[str, Any]]] = {
    "X-Request-Id": (
        "Id of this request in the simulator's log.",
        {"type": "string", "pattern": f"^{REQUEST_ID.pattern}$"},
    ),
    "Location": ("URL of the created resource.", {"type": "string"}),
    "WWW-Authenticate": ("Required authentication scheme.", {"type": "string", "const": CHALLENGE}),
    "Retry-After": ("Seconds to wait before the next request.", {"type": "integer", "minimum": 1}),
}
"""Response headers: description and schema."""
WORDS = {
    HTTPStatus.BAD_REQUEST: "Malformed request",
    HTTPStatus.UNAUTHORIZED: "Missing or wrong token",
    HTTPStatus.FORBIDDEN: "Forbidden origin",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Request body too large",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "A form or a compressed body",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Validation failed",
}
"""Descriptions of statuses that say more than their standard phrases."""
ANYWHERE = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.TOO_MANY_REQUESTS,
)
"""Statuses that any request may get before a route handles it."""
BEFORE_ALL = (
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
)
"""Statuses sent before the request has been read, and therefore without a request id."""


class Route(NamedTuple):
    """One route.

    Attributes:
        path: with its parameters as {name}.
        handler: name of the `routes.Api` method that handles it.
        answers: for each status the response body: a model, a media type, or a choice of several. The
            statuses in `ANYWHERE` are added to them.
        body: the model of the JSON body.
        files: the media types of the body, if it is a file.
        query: the model of the query parameters.
        suffixes: the allowed values of the path's `suffix`.
        fixed: further arguments of the handler.
    """

    method: str
    path: str
    handler: str
    summary: str
    answers: Answers
    body: type[BaseModel] | None = None
    files: tuple[str, ...] = ()
    query: type[BaseModel] | None = None
    suffixes: tuple[str, ...] = ()
    fixed: Mapping[str, str] = {}


PROBLEM = answers.ProblemAnswer
MEDIA_TYPES = {PROBLEM: "application/problem+json", answers.PlanLine: NDJSON}
"""Media types of models that are not plain JSON. For NDJSON, the schema is that of a line."""
REFUSED: Answers = dict.fromkeys((401, 403, 409, 415, 422, 503), PROBLEM)
CREATED: Answers = {201: answers.RaceAnswer, 200: answers.RaceAnswer, **REFUSED}
TAKEN: Answers = {201: answers.CourseAnswer, 200: answers.CourseAnswer, **REFUSED}
CHANGED: Answers = {200: answers.RaceAnswer, **dict.fromkeys((401, 403, 404, 409, 503), PROBLEM)}
REFUSED_PLANS: Answers = dict.fromkeys((401, 403, 415, 422, 503), PROBLEM)
NOT_FOUND: Answers = {404: PROBLEM, 503: PROBLEM}
REFUSED_FILE: Answers = {**NOT_FOUND, 422: PROBLEM}
RESULTS: Body | tuple[Body, ...] = (answers.ResultsAnswer, "text/csv")
TEAMS: Body | tuple[Body, ...] = (answers.TeamsAnswer, "text/csv")
CROWDING: Body | tuple[Body, ...] = (answers.CrowdingAnswer, "text/csv")
TRACKS = tuple(form.media_type for form in track_files.FORMATS)
COURSE_FILES = (
    "application/vnd.google-earth.kml+xml",
    "application/vnd.google-earth.kmz",
    "application/gpx+xml",
    "application/vnd.garmin.tcx+xml",
    MEDIA_TYPE,
    "application/geo+json-seq",
    "application/gzip",
    "application/zip",
)
"""Media types of course files. Only documentation: the format is detected from the content."""
COURSE_EXAMPLE = {
    "type": "Feature",
    "properties": {"name": "My park"},
    "geometry": {
        "type": "LineString",
        "coordinates": [[-0.0659, 51.4194], [-0.0702, 51.4229], [-0.0745, 51.4201]],
    },
}
IN_PATHS: dict[str, Any] = {
    "run_id": Annotated[RunId, Field(description="Id of the race.")],
    "kind": Annotated[Name, Field(description="The question.")],
    "short_name": Annotated[ShortName, Field(description="Short name of the course.")],
}
"""Types of the path parameters."""


def _file(route: Route, formats: Sequence[Format[Any]], summary_by_suffix: str) -> tuple[Route, Route]:
    """Return the routes of a file: one whose format the Accept header chooses, and one for suffixes."""
    suffixes = tuple(form.suffix for form in formats)
    return (
        route._replace(answers={**route.answers, 406: PROBLEM}),
        route._replace(path=f"{route.path}.{{suffix}}", summary=summary_by_suffix, suffixes=suffixes),
    )


ROUTES = (
    Route("post", "/races", "create_race", "Create a race that starts now or later.", CREATED, RaceRequest),
    Route(
        "get",
        "/races",
        "list_races",
        "List all races, latest start first.",
        {200: answers.RacesAnswer, 503: PROBLEM},
    ),
    Route("get", "/races/{run_id}", "show_race", "Return a race.", {200: answers.RaceAnswer, **NOT_FOUND}),
    Route(
        "get",
        "/races/{run_id}/positions",
        "show_positions",
        "Return all positions at the last published tick, as GeoJSON.",
        {200: MEDIA_TYPE, **NOT_FOUND},
    ),
    *_file(
        Route(
            "get",
            "/races/{run_id}/results",
            "show_results",
            "Return the results at the last published tick, as JSON or in the format of the Accept header.",
            {200: RESULTS, **REFUSED_FILE},
            query=ResultsQuery,
        ),
        result_files.FORMATS,
        "Return the results at the last published tick. In CSV, split columns contain seconds since the gun "
        "of the competitor's own wave.",
    ),
    *_file(
        Route(
            "get",
            "/races/{run_id}/teams",
            "show_teams",
            "Return the teams at the last published tick, as JSON or in the format of the Accept header: "
            "clubs with their best finishers' places or times added up.",
            {200: TEAMS, **REFUSED_FILE},
            query=TeamsQuery,
        ),
        team_files.FORMATS,
        "Return the teams at the last published tick. In CSV, each team is a row.",
    ),
    Route(
        "get",
        "/races/{run_id}/forecasts",
        "show_forecasts",
        "Return forecasts of the next timing point and the finish for everyone on the course, each with an "
        "80 % interval, from what the stream has published up to the last tick.",
        {200: answers.ForecastsAnswer, **NOT_FOUND},
    ),
    *_file(
        Route(
            "get",
            "/races/{run_id}/tracks",
            "show_tracks",
            "Return the tracks up to the last published tick, as GeoJSON or in the format of the Accept "
            "header.",
            {200: TRACKS, **REFUSED_FILE},
            query=TrackQuery,
        ),
        track_files.FORMATS,
        "Return the tracks up to the last published tick.",
    ),
    *_file(
        Route(
            "get",
            "/races/{run_id}/crowding",
            "show_crowding",
            "Return how crowded the whole race is, as JSON or in the format of the Accept header: density, "
            "flow, speed and delay for each section and minute, and the time that each competitor loses. It "
            "does not depend on what is published yet.",
            {200: CROWDING, **REFUSED_FILE},
            query=CrowdingQuery,
        ),
        crowding_files.FORMATS,
        "Return how crowded the whole race is. In CSV, each section and minute with competitors is a row.",
    ),
    Route(
        "get",
        "/races/{run_id}/answers/{kind}",
        "show_answer",
        "Return what a correct consumer of the events published so far would say, one JSON object per line. "
        "See docs/check-your-pipeline.md.",
        {200: NDJSON, **NOT_FOUND, 422: PROBLEM},
        query=AnswerQuery,
    ),
    Route(
        "post",
        "/races/{run_id}/grade",
        "grade_answer",
        "Compare a consumer's answer, in the form of GET /races/{run_id}/answers/{kind}, with the right one.",
        {200: Grade, **NOT_FOUND, 401: PROBLEM, 403: PROBLEM, 415: PROBLEM, 422: PROBLEM},
        files=(NDJSON,),
        query=GradeQuery,
    ),
    *(
        Route(
            "post",
            f"/races/{{run_id}}/{action}",
            "change_race",
            f"{action.capitalize()} a race.",
            CHANGED,
            fixed={"action": action},
        )
        for action in ACTIONS
    ),
    Route("get", "/courses", "list_courses", "List all courses.", {200: answers.CoursesAnswer}),
    Route(
        "post",
        "/courses",
        "take_course",
        "Upload a course as a KML, KMZ, GPX, TCX or GeoJSON file, also packed with gzip or zip. Uploading "
        "the same file under the same name again returns the existing course.",
        TAKEN,
        files=COURSE_FILES,
        query=CourseQuery,
    ),
    Route(
        "get",
        "/courses/{short_name}",
        "show_course",
        "Return a course, as GeoJSON.",
        {200: MEDIA_TYPE, **NOT_FOUND},
    ),
    Route(
        "post",
        "/start-lists",
        "preview_list",
        "Return how a start list would be read: its columns, first rows, warnings and errors.",
        {200: answers.ListAnswer, 401: PROBLEM, 403: PROBLEM, 415: PROBLEM, 422: PROBLEM},
        ListRequest,
    ),
    Route(
        "post",
        "/plans",
        "make_plan",
        "Return how crowded a race would be, without creating it. Each line of the response is a JSON "
        "object: the progress, and in the last line the plan. The body is a race request with at most "
        f"{MAX_COMPETITORS:,} competitors. One plan is computed at a time, and {MAX_WAITING} wait; a client "
        "that disconnects stops its plan.",
        {200: answers.PlanLine, **REFUSED_PLANS},
        RaceRequest,
        query=CrowdingQuery,
    ),
    Route(
        "get", "/healthz", "healthz", "Liveness: whether the process is running.", {200: answers.HealthAnswer}
    ),
    Route(
        "get",
        "/readyz",
        "readyz",
        "Readiness: whether events are being delivered, and if not, why.",
        {200: answers.ReadyAnswer, 503: answers.ReadyAnswer},
    ),
    Route("get", "/metrics", "metrics", "Prometheus metrics.", {200: "text/plain"}),
    Route("get", "/openapi.json", "openapi", "OpenAPI document.", {200: "application/json"}),
    Route("get", "/docs", "docs", "API documentation.", {200: "text/html"}),
    Route("get", "/", "index", "Start page.", {200: "text/html", 503: PROBLEM}),
    Route("post", "/", "create_race", "Same as POST /races, for older clients.", CREATED, RaceRequest),
)


@cache
def document() -> dict[str, Any]:
    """Return the OpenAPI document."""
    models: list[type[BaseModel]] = [
        RaceRequest,
        ListRequest,
        answers.HealthAnswer,
        answers.ReadyAnswer,
        PROBLEM,
    ]
    models += [answers.RacesAnswer, answers.CoursesAnswer, answers.ResultsAnswer, answers.ForecastsAnswer]
    models += [answers.CrowdingAnswer, answers.ListAnswer, answers.TeamsAnswer, answers.PlanLine, Grade]
    schemas = models_json_schema([(model, "validation") for model in models], ref_template=REFERENCE)[1]
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Racecast",
            "version": __version__,
            "description": "Simulates running races as a live stream of events. Distances are in metres, "
            "durations in seconds, epoch times in milliseconds (UTC), coordinates in WGS84 degrees, "
            "longitude first.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "responses": {str(status.value): _response(status, PROBLEM) for status in ANYWHERE},
            "headers": {
                name: {"description": description, "required": True, "schema": schema}
                for name, (description, schema) in HEADERS.items()
            },
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def kind(schema: dict[str, Any]) -> str:
    """Describe a schema for people: `integer, 1 to 100,000`."""
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[1])
    if "anyOf" in schema:
        return " or ".join(kind(one) for one in schema["anyOf"] if one.get("type") != "null")
    if "enum" in schema:
        return ", ".join(schema["enum"])
    if "prefixItems" in schema:
        return " and ".join(kind(one) for one in schema["prefixItems"])
    if "items" in schema:
        words = f"list of {kind(schema['items'])}"
    else:
        words = str(schema.get("format") or schema.get("type", "anything"))
    if "pattern" in schema:
        words += f" matching {schema['pattern']}"
    for least, most, unit in LIMITS:
        if most in schema:
            words += f", {schema.get(least, 0):,} to {schema[most]:,}{unit}"
    return words


def _operation(route: Route) -> dict[str, Any]:
    responses = {str(status): _response(status, answer, route) for status, answer in route.answers.items()}
    responses |= {str(status.value): {"$ref": RESPONSE.format(status=status.value)} for status in ANYWHERE}
    operation: dict[str, Any] = {
        "summary": route.summary,
        "operationId": f"{route.method}{route.path.replace('/', '_').replace('{', '').replace('}', '')}",
        "responses": responses,
    }
    if parameters := list(_parameters(route)):
        operation["parameters"] = parameters
    if route.method == "post":
        # Two alternatives: the token is required only if the simulator has one.
        operation["security"] = [{}, {"token": []}]
    content = {file: {"example": COURSE_EXAMPLE} if file == MEDIA_TYPE else {} for file in route.files}
    if route.body is not None:
        content = _content("application/json", route.body)
    if content:
        most = MAX_SIZES.get(route.path.encode(), MAX_BODY)
        description = f"At most {most // MIB} MiB ({most:,} bytes)."
        operation["requestBody"] = {"description": description, "required": True, "content": content}
    return operation


def _parameters(route: Route) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"{(\w+)}", route.path):
        if name == "suffix":
            schema = {"description": "File format.", "type": "string", "enum": list(route.suffixes)}
        else:
            schema = TypeAdapter(IN_PATHS[name]).json_schema()
        yield _parameter(name, "path", schema, required=True)
    query = route.query.model_json_schema() if route.query else {"properties": {}}
    for name, schema in query["properties"].items():
        yield _parameter(name, "query", schema, required=name in query.get("required", ()))


def _parameter(name: str, where: str, schema: dict[str, Any], *, required: bool) -> dict[str, Any]:
    rest = {"description": schema.pop("description"), "schema": schema}
    return {"name": name, "in": where, "required": required, **rest}


def _response(status: int, answer: Body | tuple[Body, ...], route: Route | None = None) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for body in answer if isinstance(answer, tuple) else (answer,):
        if isinstance(body, str):
            content[body] = {}
        else:
            content |= _content(MEDIA_TYPES.get(body, "application/json"), body)
    creates = route is not None and HTTPStatus.CREATED in route.answers
    is_sent = {
        "X-Request-Id": status not in BEFORE_ALL,
        "Location": creates and status < HTTPStatus.BAD_REQUEST,
        "WWW-Authenticate": status == HTTPStatus.UNAUTHORIZED,
        "Retry-After": status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE},
    }
    headers = {name: {"$ref": HEADER.format(name=name)} for name in HEADERS if is_sent[name]}
    description = WORDS.get(HTTPStatus(status)) or HTTPStatus(status).phrase
    return {"description": description, "content": content} | ({"headers": headers} if headers else {})


def _content(media_type: str, model: type[BaseModel]) -> dict[str, Any]:
    return {media_type: {"schema": {"$ref": REFERENCE.format(model=model.__name__)}}}
