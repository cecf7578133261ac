"""Files that the simulator's API makes, for viewers who cannot reach it: they get them from this server."""

from collections.abc import Callable, Iterator
from typing import cast, get_args

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from dashboard.api import ApiError, RaceApi
from dashboard.race import team_rules
from dashboard.race.routes import PREFIX
from dashboard.store.protocol import is_run_id
from stream.results import Rank


def downloads(api: RaceApi) -> list[BaseRoute]:
    """All routes, for `st.App(routes=…)`."""

    async def results(request: Request) -> Response:
        """The results of all competitors as CSV, by the time that `rank` names."""
        run_id, rank = request.path_params["run_id"], request.query_params.get("rank", "gun")
        if not is_run_id(run_id) or rank not in get_args(Rank):
            return PlainTextResponse("There are no such results.", 404)
        return await _sent(f"{run_id}-{rank}.csv", lambda: api.results_csv(run_id, cast("Rank", rank)))

    async def teams(request: Request) -> Response:
        """The teams as CSV, by these rules and the time that `rank` names."""
        run_id, rank = request.path_params["run_id"], request.query_params.get("rank", "gun")
        try:
            rules = team_rules.strict(request.query_params)
        except team_rules.RulesError as error:
            return PlainTextResponse(str(error), 404)
        if not is_run_id(run_id) or rank not in get_args(Rank):
            return PlainTextResponse("There are no such teams.", 404)
        return await _sent(f"{run_id}-teams.csv", lambda: api.teams_csv(run_id, cast("Rank", rank), rules))

    return [
        Route(f"/{PREFIX}/races/{{run_id}}/results.csv", results),
        Route(f"/{PREFIX}/races/{{run_id}}/teams.csv", teams),
    ]


async def _sent(name: str, begin: Callable[[], Iterator[bytes]]) -> Response:
    """A file of the API under this name, or what is wrong."""
    try:
        pieces = await run_in_threadpool(begin)
    except ApiError as error:
        return PlainTextResponse(str(error), 502)
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingResponse(pieces, media_type="text/csv", headers=headers)
