"""A simulated viewer of a race's live page: the Streamlit session and the map's stream, without rendering.

It opens the page over a WebSocket and follows the stream, as `live_feed.js` does. Static files of Streamlit,
which browsers cache, are not fetched.
"""

import asyncio
import re
import time
import zlib
from ssl import SSLContext
from typing import NamedTuple
from urllib.parse import urlencode

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

PROTOCOL = Subprotocol("streamlit")

TIMEOUT_S = 12.0
"""As in `live_feed.js`."""

GZIP = 31
"""zlib's window bits for the gzip format."""
PICTURE = b"event: picture\n"
TIME = re.compile(rb'"time":([-0-9.e]+)')


class PageError(Exception):
    """The page failed."""


class Picture(NamedTuple):
    """A picture of the race: when it was received (epoch seconds), and its race time in seconds."""

    received_at: float
    race_time: float


class Page:
    """The Streamlit session of a page.

    Attributes:
        loaded: set after the first complete run of the page.
        load_time: seconds from connecting until then.
    """

    def __init__(self, address: str, run_id: str) -> None:
        self._address = address
        self._query = urlencode({"run": run_id})
        self.loaded = asyncio.Event()
        self.load_time = float("inf")

    async def stay(self) -> None:
        """Open the page and keep it open; raise `PageError` if it shows an exception."""
        connected_at = time.monotonic()
        stream = self._address.replace("http", "ws", 1) + "/_stcore/stream"
        async with connect(
            stream, subprotocols=[PROTOCOL], origin=Origin(self._address), max_size=None, proxy=None
        ) as session:
            await self._run(session)
            async for data in session:
                assert isinstance(data, bytes)  # the server sends no text
                message = ForwardMsg.FromString(data)
                if message.delta.new_element.WhichOneof("type") == "exception":
                    raise PageError(message.delta.new_element.exception.message)
                if message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY and _is_end(message):
                    self.load_time = min(self.load_time, time.monotonic() - connected_at)
                    self.loaded.set()
            raise PageError("The dashboard closed the connection.")

    async def _run(self, session: ClientConnection) -> None:
        """Request a run of the page."""
        message = BackMsg()
        state = message.rerun_script
        state.query_string = self._query
        state.context_info.timezone = "UTC"
        state.context_info.url = f"{self._address}/?{self._query}"
        await session.send(message.SerializeToString())


def _is_end(message: ForwardMsg) -> bool:
    return message.WhichOneof("type") == "script_finished"


class Feed:
    """The stream of the map and the leaderboard.

    Attributes:
        pictures: those received.
    """

    def __init__(self, address: str, run_id: str, encryption: SSLContext) -> None:
        self._race = f"{address}/racecast/races/{run_id}"
        self._encryption = encryption
        self.pictures: list[Picture] = []

    async def follow(self) -> None:
        """Fetch the start list, then follow the stream; raise `PageError` if it ends."""
        timeout = httpx.Timeout(TIMEOUT_S, connect=60.0)
        async with httpx.AsyncClient(trust_env=False, verify=self._encryption, timeout=timeout) as http:
            (await http.get(f"{self._race}/competitors")).raise_for_status()
            async with http.stream("GET", f"{self._race}/stream", params={"every": 1}) as response:
                await self._read(response)
        raise PageError("The dashboard ended the stream.")

    async def _read(self, response: httpx.Response) -> None:
        reader, text = zlib.decompressobj(GZIP), b""
        async for data in response.aiter_raw():
            received_at = time.time()
            text += reader.decompress(data)
            *events, text = text.split(b"\n\n")
            for event in events:
                if event.startswith(PICTURE):
                    # All viewers are one process: decoding each picture whole would measure that.
                    (race_time,) = TIME.findall(event)
                    self.pictures.append(Picture(received_at, float(race_time)))


class Viewer:
    """A viewer who opens a race's live page and watches until cancelled.

    All viewers share `encryption`: httpx needs an SSL context even for plain HTTP, and creating one takes
    longer than a refresh.
    """

    def __init__(self, address: str, run_id: str, encryption: SSLContext) -> None:
        self.page = Page(address, run_id)
        self.feed = Feed(address, run_id, encryption)

    async def watch(self) -> None:
        """Open the page; once it is loaded, its map opens the stream."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.page.stay())
            tasks.create_task(self._follow())

    async def _follow(self) -> None:
        await self.page.loaded.wait()
        await self.feed.follow()
