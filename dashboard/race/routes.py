"""The dashboard's own routes besides Streamlit's: the map's data, static files, Prometheus metrics."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import cast, get_args

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from dashboard.metrics import Metrics
from dashboard.race import team_rules
from dashboard.race.announcer import Announcer
from dashboard.race.event_stream import HEADERS
from dashboard.race.feed import NOT_FOUND, Feed
from dashboard.race.finder import MOST_DIGITS, MOST_LETTERS, Finder
from dashboard.race.forecasts import Forecaster
from dashboard.race.history import History
from dashboard.race.payload import Packed
from dashboard.race.snapshots import Snapshots, UnknownRaceError
from dashboard.store.protocol import StoreError, is_run_id
from stream.results import Rank

PREFIX = "racecast"
FROM_MAP = f"../../{PREFIX}/"
"""Relative path from streamlit-folium's frame, component/<name>/; also right behind a proxy with a prefix."""

LIVE = "live"
"""Alias of the live page: Streamlit serves the default page at / only."""

_FOLDERS = {
    "static": Path(__file__).parents[1] / "static",
    "leaflet": Path(str(files("js_lib_leaflet"))) / "static" / "js_lib_leaflet",
}

WRONG_RANK = "The parameter `rank` must be gun or chip."

_BIBS = re.compile(rf"([0-9]{{1,{MOST_DIGITS}}}(,[0-9]{{1,{MOST_DIGITS}}})*)?")
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")


def race_address(run_id: str) -> str:
    """Prefix of the map's requests about a race, relative to the map."""
    return f"{FROM_MAP}races/{run_id}"


def race_address_in_page(run_id: str) -> str:
    """Prefix of a page component's requests about a race, relative to the page."""
    return f"{PREFIX}/races/{run_id}"


def file_address(folder: str, name: str) -> str:
    """The URL of a static file, relative to the map; it changes with the content."""
    content = (_FOLDERS[folder] / name).read_bytes()
    return f"{FROM_MAP}{folder}/{name}?v={sha256(content).hexdigest()[:12]}"


def routes(  # noqa: PLR0913, PLR0917 - each serves a route
    snapshots: Snapshots,
    history: History,
    finder: Finder,
    feed: Feed,
    forecaster: Forecaster,
    metrics: Metrics,
) -> list[BaseRoute]:
    """All routes, for `st.App(routes=…)`."""
    races = _Races(snapshots, history, finder, feed, forecaster, metrics)

    def measured(_: Request) -> Response:
        """Prometheus metrics."""
        return Response(metrics.exposition(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return [
        Route(f"/{LIVE}", _to_live_page),
        Route(f"/{PREFIX}/metrics", measured),
        Route(f"/{PREFIX}/races/{{run_id}}/positions", races.positions),
        Route(f"/{PREFIX}/races/{{run_id}}/stream", races.stream),
        Route(f"/{PREFIX}/races/{{run_id}}/competitors", races.competitors),
        Route(f"/{PREFIX}/races/{{run_id}}/found", races.found),
        Route(f"/{PREFIX}/races/{{run_id}}/results", races.results),
        Route(f"/{PREFIX}/races/{{run_id}}/teams", races.teams),
        Route(f"/{PREFIX}/races/{{run_id}}/forecasts", races.forecasts),
        Route(f"/{PREFIX}/races/{{run_id}}/honours", races.honours),
        Route(f"/{PREFIX}/races/{{run_id}}/coming", races.coming),
        *(Mount(f"/{PREFIX}/{name}", StaticFiles(directory=at)) for name, at in _FOLDERS.items()),
    ]


def _to_live_page(request: Request) -> Response:
    """Redirect to the live page, keeping the query; relative, so that it works behind a proxy."""
    query = request.url.query
    return RedirectResponse(f"./?{query}" if query else "./")


class _Races:
    """Serves the data of map and leaderboard."""

    def __init__(  # noqa: PLR0913, PLR0917 - as `routes`
        self,
        snapshots: Snapshots,
        history: History,
        finder: Finder,
        feed: Feed,
        forecaster: Forecaster,
        metrics: Metrics,
    ) -> None:
        self._snapshots = snapshots
        self._history = history
        self._finder = finder
        # One search at a time, and the others wait without a thread: live viewers need those.
        self._searching = asyncio.Lock()
        self._feed = feed
        self._forecaster = forecaster
        self._forecasting = asyncio.Lock()  # as for searches
        self._announcer = Announcer(snapshots, forecaster)
        self._metrics = metrics

    async def positions(self, request: Request) -> Response:
        """The newest payload, or 204 if its version is `seen`; with `at`, one from the past."""
        at = request.query_params.get("at")
        if at is None:
            return await self._with_outline(
                request,
                await self._answer(
                    "live", request, lambda run_id: self._snapshots.get(run_id).packed, self._fresh
                ),
            )
        if not _SECONDS.fullmatch(at):
            return _problem(400, "The parameter `at` must be race time in seconds.")
        return await self._answer("past", request, lambda run_id: self._history.payload(run_id, float(at)))

    async def stream(self, request: Request) -> Response:
        """The payloads as they come, at most one in `every` seconds, as server-sent events.

        `picture` has a payload; `same` says that the last one, or the one `seen`, is the newest; `trouble`
        has the reason in `detail` why there is none: one of them comes every `HEARTBEAT_S` seconds at least.
        `outline` changes with all else that the page draws. With `pictures=none` there is `news` instead of
        payloads.
        """
        run_id = request.path_params["run_id"]
        every = request.query_params.get("every", "0")
        has_pictures = request.query_params.get("pictures") != "none"
        if not is_run_id(run_id):
            return _problem(404, "Invalid race id.")
        if not _SECONDS.fullmatch(every):
            return _problem(400, "The parameter `every` must be seconds.")
        seen = request.query_params.get("seen", "")
        pieces = self._feed.stream(run_id, seen, float(every), has_pictures=has_pictures)
        return StreamingResponse(self._counted(pieces), headers=HEADERS)

    async def _counted(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        with self._metrics.streams.track_inprogress():
            async for piece in pieces:
                yield piece

    async def competitors(self, request: Request) -> Response:
        """The start list."""
        return await self._answer(
            "start_list", request, lambda run_id: self._snapshots.get(run_id).packed_names
        )

    async def found(self, request: Request) -> Response:
        """Competitors of a race that is shown by a sample: with a `text`, and with these `bibs`."""
        text, bibs = (request.query_params.get(name, "") for name in ("text", "bibs"))
        if len(text) > MOST_LETTERS or not _BIBS.fullmatch(bibs):
            return _problem(400, "The parameter `text` must be short, and `bibs` numbers with commas.")
        numbers = [int(bib) for bib in bibs.split(",") if bib]
        async with self._searching:
            return await self._answer(
                "found", request, lambda run_id: self._finder.payload(run_id, text.strip(), numbers)
            )

    async def results(self, request: Request) -> Response:
        """The results by the time that `rank` names, or 204 if their version is `seen`."""
        if (rank := _rank(request)) is None:
            return _problem(400, WRONG_RANK)
        return await self._answer(
            "results", request, lambda run_id: self._snapshots.results(run_id, rank).packed
        )

    async def teams(self, request: Request) -> Response:
        """The teams by these rules and the time that `rank` names, or 204 if their version is `seen`."""
        if (rank := _rank(request)) is None:
            return _problem(400, WRONG_RANK)
        try:
            rules = team_rules.strict(request.query_params)
        except team_rules.RulesError as error:
            return _problem(400, str(error))
        return await self._answer(
            "teams",
            request,
            lambda run_id: self._snapshots.results(run_id, rank).teams(rules),
            nothing="This race is too large for a table of teams; the CSV file has them.",
        )

    async def honours(self, request: Request) -> Response:
        """The newest finishers and the decided podiums by `rank`, or 204 if their version is `seen`."""
        if (rank := _rank(request)) is None:
            return _problem(400, WRONG_RANK)
        return await self._with_outline(
            request,
            await self._answer("honours", request, lambda run_id: self._announcer.finish(run_id, rank)),
        )

    async def coming(self, request: Request) -> Response:
        """Who comes next to the timing point `point`, by default to the finish, with places by `rank`."""
        point = request.query_params.get("point", "")
        if (rank := _rank(request)) is None:
            return _problem(400, WRONG_RANK)
        if len(point) > MOST_LETTERS:
            return _problem(400, "The parameter `point` must be the label of a timing point.")
        async with self._forecasting:
            return await self._answer(
                "coming", request, lambda run_id: self._announcer.coming(run_id, rank, point)
            )

    async def forecasts(self, request: Request) -> Response:
        """The newest forecasts, or 204 if their version is `seen`.

        `time` is their moment in race seconds; `points` are the timing points that can be ahead, the finish
        last. Columns, a row for each competitor on the course: competitor, point (index of the next one),
        there (race seconds of the arrival at it), gun and chip (the finish), and of each the ends of the 80 %
        interval, as `there_low` and `there_high`. Empty while the race isn't running or paused.
        """
        if self._forecasts(request.path_params["run_id"]) is not None:
            return await self._forecast(request)
        async with self._forecasting:
            return await self._forecast(request)

    async def _forecast(self, request: Request) -> Response:
        return await self._answer(
            "forecasts", request, lambda run_id: self._forecaster.get(run_id).packed, self._forecasts
        )

    async def _with_outline(self, request: Request, answer: Response) -> Response:
        """The answer with the outline, for pages without a stream."""
        outline = await run_in_threadpool(self._snapshots.outline, request.path_params["run_id"])
        answer.headers["Racecast-Outline"] = outline
        return answer

    async def _answer(
        self,
        feed: str,
        request: Request,
        ask: Callable[[str], Packed | None],
        known: Callable[[str], Packed | None] = lambda _: None,
        nothing: str = "This race has no sample: its payload has all competitors.",
    ) -> Response:
        answer = await _answer(request, ask, known, nothing)
        self._metrics.payloads.labels(feed, str(answer.status_code)).inc()
        return answer

    def _forecasts(self, run_id: str) -> Packed | None:
        known = self._forecaster.known(run_id)
        return known.packed if known else None

    def _fresh(self, run_id: str) -> Packed | None:
        snapshot = self._snapshots.fresh(run_id)
        return snapshot.packed if snapshot else None


def _rank(request: Request) -> Rank | None:
    """The time that places go by; None if the request names an unknown one."""
    rank = request.query_params.get("rank", "gun")
    return cast("Rank", rank) if rank in get_args(Rank) else None


async def _answer(
    request: Request,
    ask: Callable[[str], Packed | None],
    known: Callable[[str], Packed | None],
    nothing: str,
) -> Response:
    """Answer from `known`, else by `ask` in a thread, as that may query the store.

    Without data the answer is 404, with the sentence `nothing`.
    """
    run_id = request.path_params["run_id"]
    if not is_run_id(run_id):
        return _problem(404, "Invalid race id.")
    try:
        packed = known(run_id)
        if packed is None:
            packed = await run_in_threadpool(ask, run_id)
    except UnknownRaceError:
        return _problem(404, NOT_FOUND)
    except StoreError as error:
        return _problem(503, str(error))
    if packed is None:
        return _problem(404, nothing)
    if request.query_params.get("seen") == packed.version:
        return Response(status_code=204, headers={"Cache-Control": "no-store"})
    # Streamlit would compress it again for every viewer; it skips responses with a Content-Encoding.
    headers = {"Cache-Control": "no-store", "Content-Encoding": "gzip"}
    return Response(packed.body, media_type="application/json", headers=headers)


def _problem(status: int, detail: str) -> JSONResponse:
    body = {"type": "about:blank", "status": status, "detail": detail}
    return JSONResponse(body, status, media_type="application/problem+json")
