"""The dashboard's own addresses beside Streamlit's: the live map's feed, and the files the map is made of."""

from __future__ import annotations

from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from dashboard.snapshots import UnknownRaceError
from dashboard.store import StoreError, is_run_id

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from dashboard.snapshots import Snapshot, Snapshots

PREFIX = "racecast"
FROM_MAP = f"../../{PREFIX}/"
"""The way from streamlit-folium's frame (component/<name>/) to here: relative, so that it holds behind a
proxy that puts the dashboard under a path of its own."""

_OWN_FILES: Final = Path(__file__).parent / "static"
_LEAFLET_FILES: Final = Path(str(files("js_lib_leaflet"))) / "static" / "js_lib_leaflet"
_FOLDERS: Final = {"static": _OWN_FILES, "leaflet": _LEAFLET_FILES}


def feed_address(run_id: str) -> str:
    """Where the map's layer asks for positions, seen from the map."""
    return f"{FROM_MAP}races/{run_id}/positions"


def file_address(folder: str, name: str) -> str:
    """The address of a file in one of the two folders, seen from the map; it changes with the content."""
    content = (_FOLDERS[folder] / name).read_bytes()
    return f"{FROM_MAP}{folder}/{name}?v={sha256(content).hexdigest()[:12]}"


def routes(snapshots: Snapshots) -> list[BaseRoute]:
    """All of them, for `st.App(routes=…)`."""
    return [
        Route(f"/{PREFIX}/races/{{run_id}}/positions", _Feed(snapshots).answer),
        *(Mount(f"/{PREFIX}/{name}", StaticFiles(directory=at)) for name, at in _FOLDERS.items()),
    ]


class _Feed:
    """Answers the map's layer: the positions, or 204 if it has `seen` them already."""

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots

    async def answer(self, request: Request) -> Response:
        run_id = request.path_params["run_id"]
        if not is_run_id(run_id):
            return _problem(404, "No race can have this name.")
        try:
            # Only the one who has to ask the store leaves the event loop.
            snapshot = self._snapshots.fresh(run_id)
            if snapshot is None:
                snapshot = await run_in_threadpool(self._take, run_id)
        except UnknownRaceError:
            return _problem(404, "There is no such race.")
        except StoreError as error:
            return _problem(503, str(error))
        if request.query_params.get("seen") == snapshot.feed.version:
            return Response(status_code=204, headers={"Cache-Control": "no-store"})
        # Streamlit would pack it for every viewer anew; what says that it is packed is left alone.
        headers = {"Cache-Control": "no-store", "Content-Encoding": "gzip"}
        return Response(snapshot.feed.packed, media_type="application/json", headers=headers)

    def _take(self, run_id: str) -> Snapshot:
        snapshot = self._snapshots.get(run_id)
        _ = snapshot.feed  # packed here, in the thread, for all who come after
        return snapshot


def _problem(status: int, detail: str) -> JSONResponse:
    body = {"type": "about:blank", "status": status, "detail": detail}
    return JSONResponse(body, status, media_type="application/problem+json")
