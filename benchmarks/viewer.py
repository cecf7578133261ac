"""A simulated viewer of a race's live page: the Streamlit session and the map's feed, without rendering.

It opens the page over a WebSocket, reruns the page's fragments as often as a browser does, and requests an
update every second, as `live_feed.js` does. It does not fetch Streamlit's static files, which browsers cache.
"""

import asyncio
import time
from dataclasses import dataclass
from ssl import SSLContext
from urllib.parse import urlencode

import httpx
import orjson
from streamlit.proto.AutoRerun_pb2 import AutoRerun
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

FRAGMENT_FINISHED = ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY
PROTOCOL = Subprotocol("streamlit")

REFRESH_S = 1.0
"""The live page's default refresh interval."""

AFTER_FAILURE_S = 2.0
TIMEOUT_S = 10.0
"""Both as in `live_feed.js`."""


class PageError(Exception):
    """The page failed."""


@dataclass(frozen=True)
class Refresh:
    """A request for an update.

    Attributes:
        requested_at: monotonic time in seconds.
        duration: seconds until the response was decoded.
        is_new: whether the response contained an update (not 204).
        is_failed: whether the request failed.
    """

    requested_at: float
    duration: float
    is_new: bool = False
    is_failed: bool = False


@dataclass(frozen=True)
class FragmentRun:
    """A run of a page fragment: when it was requested (monotonic seconds), and its duration in seconds."""

    requested_at: float
    duration: float


class Page:
    """The Streamlit session of a page.

    Attributes:
        loaded: set after the first complete run of the page.
        load_time: seconds from connecting until then.
        fragment_runs: the runs of the page's fragments.
    """

    def __init__(self, address: str, run_id: str) -> None:
        self._address = address
        self._query = urlencode({"run": run_id})
        self._connected_at = float("nan")
        self._requested: dict[str, float] = {}
        self._timers: dict[str, asyncio.Task[None]] = {}
        self.loaded = asyncio.Event()
        self.load_time = float("nan")
        self.fragment_runs: list[FragmentRun] = []

    async def stay(self) -> None:
        """Open the page and keep it open; raise `PageError` if it shows an exception."""
        self._connected_at = time.monotonic()
        stream = self._address.replace("http", "ws", 1) + "/_stcore/stream"
        async with (
            connect(
                stream, subprotocols=[PROTOCOL], origin=Origin(self._address), max_size=None, proxy=None
            ) as session,
            asyncio.TaskGroup() as tasks,
        ):
            await self._rerun(session)
            async for data in session:
                message = ForwardMsg.FromString(data)
                self._handle(message)
                if message.HasField("auto_rerun"):
                    self._schedule_reruns(message.auto_rerun, session, tasks)
            raise PageError("The dashboard closed the connection.")

    def _handle(self, message: ForwardMsg) -> None:
        match message.WhichOneof("type"):
            case "delta" if message.delta.new_element.WhichOneof("type") == "exception":
                raise PageError(message.delta.new_element.exception.message)
            case "script_finished" if message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                self._record_load()
            case "script_finished" if message.script_finished == FRAGMENT_FINISHED:
                self._record_fragment_run()

    def _record_load(self) -> None:
        """Record the first complete run only: the page also reruns when the race's state changes."""
        if not self.loaded.is_set():
            self.load_time = time.monotonic() - self._connected_at
            self.loaded.set()

    def _record_fragment_run(self) -> None:
        """Record the end of the oldest requested run; a session handles requests in order."""
        if self._requested:
            requested_at = self._requested.pop(next(iter(self._requested)))
            self.fragment_runs.append(FragmentRun(requested_at, time.monotonic() - requested_at))

    def _schedule_reruns(
        self, request: AutoRerun, session: ClientConnection, tasks: asyncio.TaskGroup
    ) -> None:
        if (timer := self._timers.pop(request.fragment_id, None)) is not None:
            timer.cancel()

        async def run() -> None:
            while True:
                await asyncio.sleep(request.interval)
                self._requested.setdefault(request.fragment_id, time.monotonic())
                await self._rerun(session, request.fragment_id)

        self._timers[request.fragment_id] = tasks.create_task(run())

    async def _rerun(self, session: ClientConnection, fragment: str = "") -> None:
        """Request a run of the whole page, or of one fragment."""
        message = BackMsg()
        state = message.rerun_script
        state.query_string = self._query
        state.fragment_id = fragment
        state.is_auto_rerun = bool(fragment)
        state.context_info.timezone = "UTC"
        state.context_info.url = f"{self._address}/?{self._query}"
        await session.send(message.SerializeToString())


class Feed:
    """The feed of the map and the leaderboard."""

    def __init__(self, address: str, run_id: str, encryption: SSLContext) -> None:
        self._race = f"{address}/racecast/races/{run_id}"
        self._encryption = encryption
        self._seen = ""
        self.refreshes: list[Refresh] = []

    async def follow(self) -> None:
        """Fetch the start list, then poll for updates."""
        async with httpx.AsyncClient(trust_env=False, verify=self._encryption, timeout=TIMEOUT_S) as http:
            (await http.get(f"{self._race}/competitors")).raise_for_status()
            while True:
                requested_at = time.monotonic()
                refresh = await self._refresh(http, requested_at)
                self.refreshes.append(refresh)
                pause = max(REFRESH_S, AFTER_FAILURE_S) if refresh.is_failed else REFRESH_S
                await asyncio.sleep(max(0.0, requested_at + pause - time.monotonic()))

    async def _refresh(self, http: httpx.AsyncClient, requested_at: float) -> Refresh:
        try:
            response = await http.get(f"{self._race}/positions", params={"seen": self._seen})
            response.raise_for_status()
        except httpx.HTTPError:
            return Refresh(requested_at, time.monotonic() - requested_at, is_failed=True)
        is_new = response.status_code != 204
        if is_new:
            self._seen = orjson.loads(response.content)["version"]
        return Refresh(requested_at, time.monotonic() - requested_at, is_new=is_new)


class Viewer:
    """A viewer who opens a race's live page and watches until cancelled.

    All viewers share `encryption`: httpx needs an SSL context even for plain HTTP, and creating one takes
    longer than a refresh.
    """

    def __init__(self, address: str, run_id: str, encryption: SSLContext) -> None:
        self.page = Page(address, run_id)
        self.feed = Feed(address, run_id, encryption)

    async def watch(self) -> None:
        """Open the page; once it is loaded, its map starts polling."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.page.stay())
            tasks.create_task(self._follow())

    async def _follow(self) -> None:
        await self.page.loaded.wait()
        await self.feed.follow()
