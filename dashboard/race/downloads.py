"""Files that the simulator's API makes, for viewers who cannot reach it: they get them from this server."""

from typing import cast, get_args

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from dashboard.api import ApiError, RaceApi
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
        try:
            pieces = await run_in_threadpool(api.results_csv, run_id, cast("Rank", rank))
        except ApiError as error:
            return PlainTextResponse(str(error), 502)
        name = f"{run_id}-{rank}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return StreamingResponse(pieces, media_type="text/csv", headers=headers)

    return [Route(f"/{PREFIX}/races/{{run_id}}/results.csv", results)]
