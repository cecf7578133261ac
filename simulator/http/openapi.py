"""The API described as OpenAPI 3.1, made from the models that validate and answer."""

from __future__ import annotations

import re
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema

from simulator import __version__
from simulator.export import result_files, track_files
from simulator.export.geojson import MEDIA_TYPE
from simulator.export.track_query import TrackQuery
from simulator.http import answers
from simulator.http.auth import CHALLENGE
from simulator.http.site import REQUEST_ID
from simulator.race.request import CourseQuery, RaceRequest, RunId, ShortName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel

    Body = type[BaseModel] | str
    Answers = dict[int, Body | tuple[Body, ...]]

REFERENCE = "#/components/schemas/{model}"
RESPONSE = "#/components/responses/{status}"
HEADER = "#/components/headers/{name}"
HEADERS: dict[str, tuple[str, dict[str, Any]]] = {
    "X-Request-Id": (
        "What the simulator's log calls this request.",
        {"type": "string", "pattern": f"^{REQUEST_ID.pattern}$"},
    ),
    "Location": ("Where what was made is.", {"type": "string"}),
    "WWW-Authenticate": ("What to show.", {"type": "string", "const": CHALLENGE}),
    "Retry-After": ("Seconds to wait.", {"type": "integer", "minimum": 1}),
}
"""The headers of answers that say something of their own: what, and of which form."""
WORDS = {
    200: "Done",
    201: "Made",
    400: "Not to be read",
    401: "Without the token",
    403: "From elsewhere",
    404: "Not there",
    406: "Not acceptable",
    408: "Sent too slowly",
    409: "In conflict",
    413: "Too large",
    422: "Invalid",
    429: "Too many requests",
    503: "Not now",
}
"""What a status means here."""
ANYWHERE = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.TOO_MANY_REQUESTS,
)
"""What any request may be answered with, before a route sees it."""
BEFORE_ALL = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
"""What is answered before the request is in, and so without its id."""


class Route(NamedTuple):
    """One route.

    Attributes:
        path: with its parameters as {name}.
        handler: the method of `routes.Api` that answers.
        answers: for each status what is answered: a model, a media type, or some of them to choose from;
            beside what any request may be answered with.
        body: the model of the body, as JSON.
        files: the media types of the body, if it is a file.
        query: the model of what may stand in the query.
        suffixes: what the path's `suffix` may be.
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


PROBLEM = answers.ProblemAnswer
REFUSED: Answers = dict.fromkeys((401, 403, 409, 422, 503), PROBLEM)
CREATED: Answers = {201: answers.RaceAnswer, 200: answers.RaceAnswer, **REFUSED}
TAKEN: Answers = {201: answers.CourseAnswer, 200: answers.CourseAnswer, **REFUSED}
CHANGED: Answers = {200: answers.RaceAnswer, 401: PROBLEM, 403: PROBLEM, 404: PROBLEM, 409: PROBLEM}
RESULTS: Body | tuple[Body, ...] = (answers.ResultsAnswer, "text/csv")
RESULT_SUFFIXES = tuple(form.suffix for form in result_files.FORMATS)
TRACKS = tuple(form.media_type for form in track_files.FORMATS)
TRACK_SUFFIXES = tuple(form.suffix for form in track_files.FORMATS)
COURSE_FILES = (
    "application/vnd.google-earth.kml+xml",
    "application/vnd.google-earth.kmz",
    "application/gpx+xml",
    MEDIA_TYPE,
)
"""What a course file's media type ought to be; its content decides."""
COURSE_EXAMPLE = {
    "type": "Feature",
    "properties": {"name": "My park"},
    "geometry": {
        "type": "LineString",
        "coordinates": [[-0.0659, 51.4194], [-0.0702, 51.4229], [-0.0745, 51.4201]],
    },
}
IN_PATHS: dict[str, tuple[Any, str]] = {
    "run_id": (RunId, "The race's id."),
    "short_name": (ShortName, "The course's short name."),
}
"""What stands in paths: of which type, and what it is."""

ROUTES = (
    Route("post", "/races", "create_race", "Run a race, now or later.", CREATED, RaceRequest),
    Route(
        "get", "/races", "list_races", "All races, those that start last first.", {200: answers.RacesAnswer}
    ),
    Route("get", "/races/{run_id}", "show_race", "One race.", {200: answers.RaceAnswer, 404: PROBLEM}),
    Route(
        "get",
        "/races/{run_id}/positions",
        "show_positions",
        "Where everybody was at the last tick that was told, as GeoJSON.",
        {200: MEDIA_TYPE, 404: PROBLEM},
    ),
    Route(
        "get",
        "/races/{run_id}/results",
        "show_results",
        "The results at the last tick that was told: as JSON, or as what the Accept header asks for.",
        {200: RESULTS, 404: PROBLEM, 406: PROBLEM},
    ),
    Route(
        "get",
        "/races/{run_id}/results.{suffix}",
        "show_results",
        "The results at the last tick that was told. Places go by gun time. In CSV a split's column has "
        "the seconds since the gun.",
        {200: RESULTS, 404: PROBLEM},
        suffixes=RESULT_SUFFIXES,
    ),
    Route(
        "get",
        "/races/{run_id}/tracks",
        "show_tracks",
        "Where the competitors were over time, until the last tick that was told: as GeoJSON, or as what "
        "the Accept header asks for.",
        {200: TRACKS, 404: PROBLEM, 406: PROBLEM, 422: PROBLEM},
        query=TrackQuery,
    ),
    Route(
        "get",
        "/races/{run_id}/tracks.{suffix}",
        "show_tracks",
        "Where the competitors were over time, until the last tick that was told.",
        {200: TRACKS, 404: PROBLEM, 422: PROBLEM},
        query=TrackQuery,
        suffixes=TRACK_SUFFIXES,
    ),
    Route("post", "/races/{run_id}/pause", "pause_race", "Stop a race's time.", CHANGED),
    Route("post", "/races/{run_id}/resume", "resume_race", "Let a race's time go on.", CHANGED),
    Route("post", "/races/{run_id}/cancel", "cancel_race", "End a race before its time.", CHANGED),
    Route("get", "/courses", "list_courses", "All courses.", {200: answers.CoursesAnswer}),
    Route(
        "post",
        "/courses",
        "take_course",
        "Take a course: a KML, KMZ, GPX or GeoJSON file as the body. The same file under the same name "
        "is taken once.",
        TAKEN,
        files=COURSE_FILES,
        query=CourseQuery,
    ),
    Route(
        "get",
        "/courses/{short_name}",
        "show_course",
        "One course, as GeoJSON.",
        {200: MEDIA_TYPE, 404: PROBLEM},
    ),
    Route("get", "/healthz", "healthz", "Whether the process lives.", {200: answers.HealthAnswer}),
    Route(
        "get",
        "/readyz",
        "readyz",
        "Whether events get through, and if not, why.",
        {200: answers.HealthAnswer, 503: answers.HealthAnswer},
    ),
    Route("get", "/metrics", "metrics", "What there is to measure, for Prometheus.", {200: "text/plain"}),
    Route("get", "/openapi.json", "openapi", "This description.", {200: "application/json"}),
    Route("get", "/docs", "docs", "This description as a page.", {200: "text/html"}),
    Route("get", "/", "index", "What this is.", {200: "text/html"}),
    Route("post", "/", "create_race", "The same as POST /races, for older clients.", CREATED, RaceRequest),
)


@cache
def document() -> dict[str, Any]:
    """Return the OpenAPI document."""
    models: list[type[BaseModel]] = [RaceRequest, answers.HealthAnswer, PROBLEM]
    models += [answers.RacesAnswer, answers.CoursesAnswer, answers.ResultsAnswer]
    schemas = models_json_schema([(model, "validation") for model in models], ref_template=REFERENCE)[1][
        "$defs"
    ]
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Racecast",
            "version": __version__,
            "description": "Makes running races happen as a live stream. Distances are metres, times "
            "seconds, epoch times milliseconds UTC, coordinates WGS84 degrees, longitude first.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {str(status.value): _response(status, PROBLEM) for status in ANYWHERE},
            "headers": {
                name: {"description": description, "required": True, "schema": schema}
                for name, (description, schema) in HEADERS.items()
            },
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def follow(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema that a reference in the document points to, or the schema itself."""
    reference: str | None = schema.get("$ref")
    if reference is None:
        return schema
    target: dict[str, Any] = document()["components"]["schemas"][reference.rsplit("/", 1)[1]]
    return target


def kind(schema: dict[str, Any]) -> str:
    """Return in words what a schema allows, for people: `integer, 1 to 100,000`."""
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[1])
    if "anyOf" in schema:
        return " or ".join(kind(one) for one in schema["anyOf"] if one.get("type") != "null")
    if "enum" in schema:
        return ", ".join(schema["enum"])
    if schema.get("type") == "array":
        return _list_kind(schema)
    words = str(schema.get("format") or schema.get("type", "anything"))
    if "pattern" in schema:
        words += f" matching {schema['pattern']}"
    if "minimum" in schema:
        words += f", {schema['minimum']:,} to {schema['maximum']:,}"
    if "maxLength" in schema:
        words += f", {schema.get('minLength', 0)} to {schema['maxLength']:,} characters"
    return words


def _list_kind(schema: dict[str, Any]) -> str:
    if "prefixItems" in schema:
        return " and ".join(kind(one) for one in schema["prefixItems"])
    words = f"list of {kind(schema['items'])}"
    if "maxItems" in schema:
        words += f"; {schema['minItems']:,} to {schema['maxItems']:,} of them"
    return words


def _operation(route: Route) -> dict[str, Any]:
    responses = {str(status): _response(status, answer, route) for status, answer in route.answers.items()}
    responses |= {str(status.value): {"$ref": RESPONSE.format(status=status.value)} for status in ANYWHERE}
    operation: dict[str, Any] = {
        "summary": route.summary,
        "operationId": f"{route.method}{route.path.replace('/', '_').replace('{', '').replace('}', '')}",
        "responses": responses,
    }
    if parameters := [*_path_parameters(route), *_query_parameters(route.query)]:
        operation["parameters"] = parameters
    if route.method == "post":
        # Either: a token is asked for if the simulator has one.
        operation["security"] = [{}, {"token": []}]
    if route.body is not None:
        operation["requestBody"] = {"required": True, "content": _content("application/json", route.body)}
    if route.files:
        content = {file: {"example": COURSE_EXAMPLE} if file == MEDIA_TYPE else {} for file in route.files}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _path_parameters(route: Route) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"{(\w+)}", route.path):
        if name == "suffix":
            schema, description = {"type": "string", "enum": list(route.suffixes)}, "The format."
        else:
            kind, description = IN_PATHS[name]
            schema = TypeAdapter(kind).json_schema()
        yield {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


def _query_parameters(query: type[BaseModel] | None) -> Iterator[dict[str, Any]]:
    for name, schema in (query.model_json_schema()["properties"] if query else {}).items():
        description = schema.pop("description")
        yield {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def _response(status: int, answer: Body | tuple[Body, ...], route: Route | None = None) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for body in answer if isinstance(answer, tuple) else (answer,):
        if isinstance(body, str):
            content[body] = {}
        else:
            content |= _content("application/problem+json" if body is PROBLEM else "application/json", body)
    response = {"description": WORDS[status], "content": content}
    if headers := list(_headers(status, route)):
        response["headers"] = {name: {"$ref": HEADER.format(name=name)} for name in headers}
    return response


def _headers(status: int, route: Route | None) -> Iterator[str]:
    if status not in BEFORE_ALL:
        yield "X-Request-Id"
    if route is not None and HTTPStatus.CREATED in route.answers and status < HTTPStatus.BAD_REQUEST:
        yield "Location"
    if status == HTTPStatus.UNAUTHORIZED:
        yield "WWW-Authenticate"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        yield "Retry-After"


def _content(media_type: str, model: type[BaseModel]) -> dict[str, Any]:
    return {media_type: {"schema": {"$ref": REFERENCE.format(model=model.__name__)}}}
