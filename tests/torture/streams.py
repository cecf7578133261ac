"""Streams of live positions under faults: no viewer may be left with an old picture.

Each function runs a race with viewers that behave as `live_feed.js` does, injects its fault, and returns how
old their pictures became.
"""

import asyncio
import random
import socket
import time
import zlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson

from tests.processes import Running, dashboard, simulator

COURSE = "hilly-half"
"""Long enough that no competitor finishes during a test."""
SETTLED_S = 3.0
"""Limit in seconds for the age of all pictures some seconds after the last fault."""


@dataclass(frozen=True)
class StreamResult:
    """What became of the viewers' pictures.

    Attributes:
        name: the fault.
        viewers: number of viewers.
        longest: seconds of the longest time that a viewer's picture did not change.
        oldest: age in seconds of the oldest picture at the end.
        connects: number of streams that the viewers opened.
        memory_growth: MiB by which the dashboard grew during the fault.
    """

    name: str
    viewers: int
    longest: float
    oldest: float
    connects: int
    memory_growth: float

    @property
    def passed(self) -> bool:
        """Whether all viewers have a new picture at the end."""
        return self.oldest < SETTLED_S


class Viewer:
    """Follows a race's stream, and opens it again after a random pause when it ends.

    Attributes:
        has_picture: set with the first picture.
        longest: seconds of the longest time without a new picture since then.
        connects: number of streams opened.
    """

    def __init__(self, stream: str) -> None:
        self._stream = stream
        self._seen = ""
        self._newest = time.monotonic()
        self.has_picture = asyncio.Event()
        self.longest = 0.0
        self.connects = 0

    @property
    def age(self) -> float:
        """Seconds since the last new picture."""
        return time.monotonic() - self._newest

    async def follow(self, http: httpx.AsyncClient) -> None:
        """Follow until cancelled."""
        while True:
            with suppress(httpx.HTTPError, zlib.error):
                await self._read(http)
            await asyncio.sleep(random.uniform(0.5, 1.5))

    async def _read(self, http: httpx.AsyncClient) -> None:
        self.connects += 1
        reader, text = zlib.decompressobj(31), b""
        async with http.stream("GET", self._stream, params={"seen": self._seen}) as response:
            async for data in response.aiter_raw():
                text += reader.decompress(data)
                *events, text = text.split(b"\n\n")
                for event in events:
                    if event.startswith(b"event: picture\ndata: "):
                        self._take(orjson.loads(event.partition(b"data: ")[2]))

    def _take(self, picture: dict[str, Any]) -> None:
        if self.has_picture.is_set():
            self.longest = max(self.longest, self.age)
        self.has_picture.set()
        self._newest = time.monotonic()
        self._seen = picture["version"]


class Proxy:
    """Passes connections on to an address, and can cut them."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._target = parts.hostname, parts.port
        self._writers: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """The proxy's address."""
        server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            self.cut()

    def cut(self) -> None:
        """Cut all connections."""
        for writer in self._writers:
            writer.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(*self._target)
        self._writers |= {writer, back}
        await asyncio.gather(_copy(reader, back), _copy(there, writer))
        self._writers -= {writer, back}


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


def cut_by_a_proxy(folder: Path, viewers: int, *, times: int, every_s: float) -> StreamResult:
    """A proxy cuts all streams at once, several times: each time all viewers come back within a second."""

    async def fault(pages: Running, watching: "Watching") -> None:
        proxy = Proxy(pages.address)
        async with proxy.running() as address:
            await watching.begin(address, viewers)
            for _ in range(times):
                await asyncio.sleep(every_s)
                proxy.cut()
            await asyncio.sleep(SETTLED_S)
            watching.end()

    return _watched(folder, f"streams cut every {every_s:g} s", fault)


def store_unavailable(folder: Path, viewers: int, *, outage_s: float) -> StreamResult:
    """The store cannot be read for a while."""

    async def fault(pages: Running, watching: "Watching") -> None:
        await watching.begin(pages.address, viewers)
        with _without(folder / "race.db"):
            await asyncio.sleep(outage_s)
        await asyncio.sleep(2 * SETTLED_S)
        watching.end()

    return _watched(folder, f"store unavailable for {outage_s:g} s", fault)


def readers_of_nothing(folder: Path, viewers: int, idle: int, *, seconds: float) -> StreamResult:
    """Beside the viewers, others open streams and never read them."""

    async def fault(pages: Running, watching: "Watching") -> None:
        await watching.begin(pages.address, viewers)
        with _idle(f"{watching.stream_at(pages.address)}", idle):
            await asyncio.sleep(seconds)
        watching.end()

    return _watched(folder, f"{idle} viewers that read nothing", fault)


class Watching:
    """The viewers of a race.

    Attributes:
        viewers: those who have begun.
        ages: the ages of their pictures at the end, in seconds.
    """

    def __init__(self, run_id: str, tasks: asyncio.TaskGroup, http: httpx.AsyncClient) -> None:
        self._run_id = run_id
        self._tasks = tasks
        self._http = http
        self._following: list[asyncio.Task[None]] = []
        self.viewers: list[Viewer] = []
        self.ages: list[float] = []

    def stream_at(self, address: str) -> str:
        """The stream's address."""
        return f"{address}/racecast/races/{self._run_id}/stream"

    async def begin(self, address: str, number: int) -> None:
        """Have viewers follow until `end`; returns when all have had a picture."""
        self.viewers = [Viewer(self.stream_at(address)) for _ in range(number)]
        self._following = [self._tasks.create_task(one.follow(self._http)) for one in self.viewers]
        for one in self.viewers:
            await one.has_picture.wait()

    def end(self) -> None:
        """Note the ages, and stop."""
        self.ages = [one.age for one in self.viewers]
        for task in self._following:
            task.cancel()


def _watched(
    folder: Path, name: str, fault: Callable[[Running, Watching], Coroutine[Any, Any, None]]
) -> StreamResult:
    store = ("--sqlite", str(folder / "race.db"))
    with simulator(folder, "--publisher", "sqlite", *store) as api:
        body = {"course": COURSE, "competitors": 1000}
        run_id = httpx.post(f"{api.address}/races", json=body, trust_env=False).json()["run_id"]
        with dashboard(folder, api.address, "--store", "sqlite", *store) as pages:
            return asyncio.run(_result(pages, run_id, name, fault))


async def _result(
    pages: Running, run_id: str, name: str, fault: Callable[[Running, Watching], Coroutine[Any, Any, None]]
) -> StreamResult:
    limits = httpx.Limits(max_connections=None)
    async with (
        httpx.AsyncClient(trust_env=False, timeout=15.0, limits=limits) as http,
        asyncio.TaskGroup() as tasks,
    ):
        watching = Watching(run_id, tasks, http)
        before = pages.memory()
        await fault(pages, watching)
        after = pages.memory()
    return StreamResult(
        name=name,
        viewers=len(watching.viewers),
        longest=max(one.longest for one in watching.viewers),
        oldest=max(watching.ages),
        connects=sum(one.connects for one in watching.viewers),
        memory_growth=after - before,
    )


@contextmanager
def _without(file: Path) -> Iterator[None]:
    """Move a file away for a while."""
    away = file.with_suffix(".away")
    file.rename(away)
    try:
        yield
    finally:
        away.rename(file)


@contextmanager
def _idle(stream: str, number: int) -> Iterator[None]:
    """Connections that request a stream and read nothing of it."""
    parts = urlsplit(stream)
    request = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()
    opened = [socket.create_connection((parts.hostname, parts.port)) for _ in range(number)]
    try:
        for one in opened:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.sendall(request)
        yield
    finally:
        for one in opened:
            one.close()
