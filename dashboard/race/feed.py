"""Pushes each new picture of a race to all who watch it.

One task per watched race looks for news in the store; without viewers there is none. A viewer on a slow
connection gets the newest picture next, not those that it has missed.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import Final, NamedTuple

import orjson
from starlette.concurrency import run_in_threadpool

from dashboard.race.event_stream import BEGIN, comment, compress, event
from dashboard.race.pace import Pace
from dashboard.race.payload import Packed
from dashboard.race.snapshot import Snapshot
from dashboard.race.snapshots import Snapshots, UnknownRaceError
from dashboard.store.protocol import Race, StoreError

HEARTBEAT_S = 5.0
"""Seconds between events while nothing changes; browsers give up a stream after 12 silent ones."""
SHORTEST_PERIOD_S = 1.0
"""Seconds; of a race with more ticks than that, not every tick is shown."""
SLACK_S = 0.5
"""Seconds by which a picture may be sent earlier than wanted: ticks are not exactly one period apart."""

NOT_FOUND: Final = "Race not found."

_log = logging.getLogger(__name__)


class Message(NamedTuple):
    """What viewers get: pieces of their streams. Messages of one version say the same.

    Attributes:
        version: the picture's, or the trouble's.
        event: the piece.
        news: the piece that only says that there is another one.
        heartbeat: the piece that confirms it while nothing changes.
        outline: see `Snapshots.outline`.
        since: seconds on the event loop's clock; when it became the newest message.
    """

    version: str
    event: bytes
    news: bytes
    heartbeat: bytes
    outline: str
    since: float


def _picture(packed: Packed) -> tuple[bytes, bytes, bytes]:
    return event("picture", packed.body), _NEWS, _SAME


def _trouble(sentence: str) -> tuple[bytes, bytes, bytes]:
    piece = _event("trouble", {"detail": sentence})
    return piece, piece, piece


def _event(name: str, data: Mapping[str, str]) -> bytes:
    return event(name, compress(orjson.dumps(data)))


_NEWS: Final = _event("news", {})
_SAME: Final = _event("same", {})
_NOTHING: Final = comment()
_BROKEN: Final = "This race cannot be shown. The details are in the dashboard's log."


class Feed:
    """The pictures of all watched races.

    Args:
        snapshots: where they are taken.
    """

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots
        self._channels: dict[str, _Channel] = {}
        self._is_closed = False

    async def stream(
        self, run_id: str, seen: str = "", every: float = 0.0, *, has_pictures: bool = True
    ) -> AsyncIterator[bytes]:
        """Yield the pieces of an event stream.

        Args:
            run_id: the race.
            seen: version of the picture that the viewer has.
            every: shortest time in seconds between two pictures, less `SLACK_S`. It counts from the moment
                when a picture became the newest: viewers who come between two ticks get the next at once.
            has_pictures: otherwise there is only news, of pictures and outlines.
        """
        clock = asyncio.get_running_loop().time
        known: Message | None = None
        yield BEGIN
        with self._joined(run_id) as channel:
            while not self._is_closed:
                newest = await channel.newer_than(known, HEARTBEAT_S)
                if newest is None or newest is known:
                    yield known.heartbeat if known else _NOTHING
                    continue
                if known is None or known.outline != newest.outline:
                    yield _event("outline", {"outline": newest.outline})
                known = newest
                if not has_pictures:
                    yield known.news
                else:
                    yield known.heartbeat if known.version == seen else known.event
                seen = known.version
                await asyncio.sleep(max(0.0, known.since + every - SLACK_S - clock()))

    def close(self) -> None:
        """End all streams, so that the server can stop."""
        self._is_closed = True
        for channel in self._channels.values():
            channel.wake()

    @contextmanager
    def _joined(self, run_id: str) -> Iterator["_Channel"]:
        """Watch a race as long as this lasts."""
        if run_id not in self._channels:
            self._channels[run_id] = _Channel(self._snapshots, run_id)
        channel = self._channels[run_id]
        channel.viewers += 1
        try:
            yield channel
        finally:
            channel.viewers -= 1
            if not channel.viewers:
                channel.stop()
                del self._channels[run_id]


class _Channel:
    """The newest message about one race, and the task that looks for it.

    Attributes:
        viewers: number of streams.
    """

    def __init__(self, snapshots: Snapshots, run_id: str) -> None:
        self._snapshots = snapshots
        self._run_id = run_id
        self._newest: Message | None = None
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._watch())
        self.viewers = 0

    async def newer_than(self, known: Message | None, within_s: float) -> Message | None:
        """The newest message, as soon as it is another one; `known` if that takes longer than `within_s`."""
        if self._newest is known:
            with suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await self._changed.wait()
        return self._newest

    def wake(self) -> None:
        """End all waiting of viewers."""
        self._changed.set()
        self._changed = asyncio.Event()

    def stop(self) -> None:
        """Stop looking."""
        self._task.cancel()

    async def _watch(self) -> None:
        pace, clock = Pace(), asyncio.get_running_loop().time
        newest, outline = -1.0, ""
        while True:
            begun = clock()
            try:
                snapshot, outline = await run_in_threadpool(self._look)
            except (UnknownRaceError, StoreError) as error:
                self._publish(_sentence(error), outline, partial(_trouble, _sentence(error)))
                pause = pace.after_failure()
            except Exception:  # noqa: BLE001 - otherwise viewers would keep an old picture
                _log.exception("The race %s cannot be shown.", self._run_id)
                self._publish(_BROKEN, outline, partial(_trouble, _BROKEN))
                pause = pace.after_failure()
            else:
                packed = snapshot.packed
                self._publish(packed.version, outline, partial(_picture, packed))
                if snapshot.standing.race_time != newest:
                    newest = snapshot.standing.race_time
                    pace.found(begun, _period(snapshot.race))
                pause = pace.pause(clock(), is_whole=snapshot.is_whole)
            await asyncio.sleep(pause)

    def _look(self) -> tuple[Snapshot, str]:
        return self._snapshots.look(self._run_id), self._snapshots.outline(self._run_id)

    def _publish(self, version: str, outline: str, make: Callable[[], tuple[bytes, bytes, bytes]]) -> None:
        """Publish event, news and heartbeat, which `make` returns, unless viewers have them."""
        newest = self._newest
        if newest is None or (newest.version, newest.outline) != (version, outline):
            self._newest = Message(version, *make(), outline, asyncio.get_running_loop().time())
            self.wake()


def _period(race: Race) -> float:
    """Seconds between two pictures of a race."""
    return max(SHORTEST_PERIOD_S, race.interval / race.speed)


def _sentence(error: UnknownRaceError | StoreError) -> str:
    return NOT_FOUND if isinstance(error, UnknownRaceError) else str(error)
