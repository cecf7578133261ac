"""Client of the simulator's HTTP API, as far as the pages need it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import orjson
from pydantic import TypeAdapter, ValidationError
from shapely.errors import ShapelyError
from shapely.geometry import shape

from dashboard.store import course_shape
from dashboard.store.protocol import Course
from stream.pinot import without_password
from stream.race_states import Action
from stream.results import Rank
from stream.teams import Rules

Read = TypeVar("Read")

TIMEOUT_S = 10.0

PLAN_TIMEOUT_S = 600.0
"""Seconds without news of a plan: others may be computed first."""

UPLOAD_TIMEOUT_S = 60.0
"""Seconds; a large file takes seconds to process and may have to wait in the queue."""


class ApiError(Exception):
    """The request failed; the message gives the cause and the remedy."""


class ConflictError(ApiError):
    """The name is already taken."""


class RefusedError(ApiError):
    """The API rejected the request's fields.

    Attributes:
        mistakes: the API's messages by field ("" for the request as a whole).
    """

    def __init__(self, sentence: str, mistakes: Mapping[str, str]) -> None:
        super().__init__(sentence)
        self.mistakes = mistakes


@dataclass(frozen=True)
class OfferedCourse:
    """A course to choose.

    Attributes:
        short_name, long_name: its names.
        distance: metres, all laps.
        laps: how many times the line is run.
        climb: metres climbed, all laps; None if the altitude is unknown.
        fences: the names of its geofences.
        timing_points: the names of its file's timing points.
        warnings: what was corrected in its file, as sentences.
        narrowest: metres of width at the narrowest place; None if its file has no widths.
    """

    short_name: str
    long_name: str
    distance: float
    laps: int = 1
    fences: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    climb: float | None = None
    timing_points: tuple[str, ...] = ()
    narrowest: float | None = None


@dataclass(frozen=True)
class ListColumn:
    """A column of a start list: its name, and the field that it is read as, "" for none."""

    name: str
    field: str


@dataclass(frozen=True)
class ListPreview:
    """How the API reads a start list.

    Attributes:
        competitors, waves, categories, clubs: how many there are; 0 competitors if it can't be read.
        columns: in the order of the list.
        rows: the first rows as written.
        warnings: what is corrected, assumed or left out, as sentences.
        errors: why it can't be read; each continues "the start list".
        start_list: the list with its columns renamed as chosen; None if none was chosen.
    """

    competitors: int
    waves: int
    categories: int
    clubs: int
    columns: tuple[ListColumn, ...]
    rows: tuple[tuple[str, ...], ...]
    warnings: tuple[str, ...]
    errors: tuple[str, ...]
    start_list: str | None

    def numbers(self) -> dict[str, int]:
        """The number of each field's column, from 1."""
        return {column.field: number for number, column in enumerate(self.columns, 1) if column.field}


@dataclass(frozen=True)
class RaceField:
    """A field of `POST /races`, as in the API's OpenAPI document.

    Attributes:
        default: None if the field can be omitted, and if its default depends on other fields.
        enum: the allowed values, if they are few.
    """

    type: str
    description: str = ""
    default: Any = None
    enum: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None


_COURSE = TypeAdapter(OfferedCourse)
_COURSES = TypeAdapter(list[OfferedCourse])
_FIELD = TypeAdapter(RaceField)
_LIST = TypeAdapter(ListPreview)


class RaceApi:
    """Calls the API.

    Args:
        address: such as http://127.0.0.1:8080.
        token: the API's token, if it requires one.
        read_only: whether to refuse everything but reading.
    """

    def __init__(self, address: str, token: str = "", *, read_only: bool = False) -> None:
        self._read_only = read_only
        self._address = address.rstrip("/")
        self._shown = without_password(self._address)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        # Ignores the machine's proxy settings: the simulator is on this host or network.
        self._client = httpx.Client(trust_env=False, headers=headers)

    def courses(self) -> list[OfferedCourse]:
        """The courses the simulator has. Raises `ApiError`."""
        return self._ask("GET", "/courses", lambda found: _COURSES.validate_python(found["courses"]))

    def course(self, short_name: str) -> Course:
        """A course to draw. Raises `ApiError`."""
        path = f"/courses/{quote(short_name, safe='')}"
        return self._ask("GET", path, lambda found: _drawn(short_name, found["features"]))

    def upload_course(self, data: bytes, short_name: str | None) -> OfferedCourse:
        """Upload a course file; the API derives a missing short name. Raises `RefusedError`, `ApiError`."""
        name = {"name": short_name} if short_name else None
        return self._ask(
            "POST", "/courses", _COURSE.validate_python, content=data, params=name, timeout=UPLOAD_TIMEOUT_S
        )

    def race_fields(self) -> dict[str, RaceField]:
        """The fields of a race request, by name. Raises `ApiError`."""
        return self._ask("GET", "/openapi.json", race_fields)

    def preview_list(self, start_list: str, columns: Mapping[str, int]) -> ListPreview:
        """How a start list is read, with these columns for fields: numbers from 1, 0 for none.

        Raises `RefusedError` or another `ApiError`.
        """
        asked = {"start_list": start_list, "columns": columns}
        return self._ask("POST", "/start-lists", _LIST.validate_python, json=asked, timeout=UPLOAD_TIMEOUT_S)

    def create_race(self, request: Mapping[str, Any]) -> str:
        """Create a race and return its run id. Raises `RefusedError` or another `ApiError`."""
        return self._ask(
            "POST", "/races", lambda race: str(race["run_id"]), json=request, timeout=UPLOAD_TIMEOUT_S
        )

    def plan(
        self, request: Mapping[str, Any], report: Callable[[float], None], read: Callable[[Any], Read]
    ) -> Read:
        """What `read` makes of the plan of a race, which is not created; also for a read-only client.

        `report` is called with the share that is done, 0 to 1. If it raises, the simulator stops computing.
        Raises `RefusedError` or another `ApiError`.
        """
        timeout = httpx.Timeout(TIMEOUT_S, read=PLAN_TIMEOUT_S)
        try:
            with self._client.stream(
                "POST", f"{self._address}/plans", json=request, timeout=timeout
            ) as answer:
                if not answer.is_success:
                    answer.read()
                    raise self._refused_plan(answer)
                for line in answer.iter_lines():
                    found = orjson.loads(line)
                    if "plan" in found:
                        return read(found["plan"])
                    if "problem" in found:
                        raise _refusal(found["problem"]["status"], found["problem"])
                    report(float(found["progress"]))
        except httpx.RemoteProtocolError as error:
            raise ApiError("The simulator stopped computing the plan. Its log says why.") from error
        except httpx.HTTPError as error:
            raise self._unavailable() from error
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise self._another_server() from error
        raise self._another_server()

    def _refused_plan(self, answer: httpx.Response) -> ApiError:
        if self._read_only and answer.status_code == httpx.codes.UNAUTHORIZED:
            return ApiError(
                "The simulator requires a token for plans, and a read-only dashboard has none. "
                "Plan with a dashboard that is not read-only."
            )
        return _refusal(answer.status_code, answer.json())

    def change(self, run_id: str, change: Action) -> str:
        """Pause, resume or cancel a race, and return its new status. Raises `ApiError`."""
        return self._ask("POST", f"/races/{run_id}/{change}", lambda race: str(race["status"]))

    def results_csv(self, run_id: str, rank: Rank) -> Iterator[bytes]:
        """The results of a race as CSV, in pieces. Raises `ApiError` before the first."""
        return self._csv(run_id, "results", {"rank": rank})

    def teams_csv(self, run_id: str, rank: Rank, rules: Rules) -> Iterator[bytes]:
        """The teams of a race as CSV, in pieces. Raises `ApiError` before the first."""
        return self._csv(run_id, "teams", {"rank": rank, **rules._asdict()})

    def _csv(self, run_id: str, what: str, choices: Mapping[str, str | int]) -> Iterator[bytes]:
        asked = self._client.build_request(
            "GET",
            f"{self._address}/races/{quote(run_id, safe='')}/{what}.csv",
            params=choices,
            timeout=UPLOAD_TIMEOUT_S,
        )
        try:
            answer = self._client.send(asked, stream=True)
            if answer.is_success:
                return _pieces(answer)
            answer.read()
            refusal = _refusal(answer.status_code, answer.json())
        except httpx.HTTPError as error:
            raise self._unavailable() from error
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise self._another_server() from error
        raise refusal

    def _unavailable(self) -> ApiError:
        return ApiError(
            f"The simulator's API at {self._shown} does not respond. "
            "Start it with python -m simulator serve, or set RACECAST_API to its address."
        )

    def _another_server(self) -> ApiError:
        return ApiError(
            f"The server at {self._shown} is not the simulator's API. Set RACECAST_API to its address."
        )

    def _ask(
        self,
        method: str,
        path: str,
        read: Callable[[Any], Read],
        *,
        timeout: float = TIMEOUT_S,
        **sent: Any,
    ) -> Read:
        """What `read` makes of a response; `sent` (json, content, params) is passed to httpx."""
        if self._read_only and method != "GET":
            raise ApiError("This dashboard is read-only.")
        try:
            answer = self._client.request(method, self._address + path, timeout=timeout, **sent)
            if answer.is_success:
                return read(answer.json())
            refusal = _refusal(answer.status_code, answer.json())
        except httpx.HTTPError as error:
            raise self._unavailable() from error
        except (ValueError, LookupError, TypeError, AttributeError, ShapelyError) as error:
            raise self._another_server() from error
        raise refusal


def _pieces(answer: httpx.Response) -> Iterator[bytes]:
    """The body of a response, which is closed after it."""
    with closing(answer):
        yield from answer.iter_bytes()


def race_fields(document: Any) -> dict[str, RaceField]:
    """The fields of a race request, from an OpenAPI document.

    The schema of an optional field has two alternatives, of which the second is null. A field of another API
    version that is described in a way unknown here is left out.
    """
    fields: dict[str, RaceField] = {}
    for name, schema in document["components"]["schemas"]["RaceRequest"]["properties"].items():
        with suppress(ValidationError):
            fields[name] = _FIELD.validate_python({**schema.get("anyOf", [{}])[0], **schema})
    return fields


def _drawn(short_name: str, features: list[dict[str, Any]]) -> Course:
    """A course from GeoJSON features."""
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for feature in features:
        by_kind.setdefault(feature["properties"]["kind"], []).append(feature)
    (line,), (start,), (finish,) = by_kind["course"], by_kind["start"], by_kind["finish"]
    return course_shape.course(
        (short_name, _name(line)),
        float(line["properties"]["distance"]),
        _shape(line),
        (_shape(start), _shape(finish)),
        fences=[
            (_name(fence), _shape(fence), fence["properties"].get("visits", ()))
            for fence in by_kind.get("geofence", ())
        ],
        altitudes=[height for _lon, _lat, *heights in line["geometry"]["coordinates"] for height in heights],
        timing_points=[
            (_name(point), point["properties"].get("distances", ())) for point in by_kind.get("timing", ())
        ],
    )


def _name(feature: Mapping[str, Any]) -> str:
    return str(feature["properties"]["name"])


def _shape(feature: Mapping[str, Any]) -> Any:
    return shape(feature["geometry"])


def _refusal(status: int, problem: Any) -> ApiError:
    """The error for a problem details response (RFC 9457)."""
    sentence = str(
        problem.get("detail") or problem.get("title") or f"The API responded with status {status}."
    )
    mistakes: dict[str, str] = {}
    for entry in problem.get("errors", ()):
        field, detail = str(entry.get("field", "")), str(entry.get("detail", ""))
        mistakes[field] = f"{mistakes[field]}; {detail}" if field in mistakes else detail
    if mistakes:
        return RefusedError(sentence, mistakes)
    if status == httpx.codes.UNAUTHORIZED:
        return ApiError(
            "The simulator requires a token: start the dashboard with the same one in RACECAST_TOKEN."
        )
    return ConflictError(sentence) if status == httpx.codes.CONFLICT else ApiError(sentence)
