"""The pushed pictures of a race, on a store that is made to change."""

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from dashboard.race import feed as feed_module
from dashboard.race.feed import SLACK_S, Feed
from dashboard.race.snapshots import QUIET_S, Snapshots
from dashboard.store.protocol import Positions, StoreError
from tests.dashboard.fakes import FakeStore, at, positions, race

PATIENCE_S = 5.0


class Viewer:
    """Reads a stream event by event.

    Attributes:
        outlines: those read so far.
    """

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self.pieces = pieces
        self.outlines: list[str] = []
        self._reader = zlib.decompressobj(31)

    async def next(self) -> tuple[str, Any]:
        """The next event apart from outlines: its name and data."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                piece = self._reader.decompress(await anext(self.pieces)).decode()
                if not piece.startswith("event"):
                    continue
                name, data = piece.strip().removeprefix("event: ").split("\ndata: ")
                if name != "outline":
                    return name, json.loads(data)
                self.outlines.append(json.loads(data)["outline"])

    async def next_distance(self) -> float:
        """The distance of the first competitor in the next picture."""
        name, data = await self.next()
        assert name == "picture"
        distance: float = data["columns"]["distance"][0]
        return distance

    async def leave(self) -> None:
        """Close the stream."""
        await self.pieces.aclose()  # type: ignore[attr-defined]


@pytest.fixture
def store() -> FakeStore:
    """A store with one race."""
    return FakeStore(known=[race()])


def run(store: FakeStore, story: Callable[[Feed], Awaitable[None]]) -> None:
    """Run a story with a feed of the store."""

    async def main() -> None:
        await story(Feed(Snapshots(store)))

    asyncio.run(main())


async def _moment_of(viewer: Viewer, metres: float) -> float:
    """When the picture with this distance has come, in seconds on the event loop's clock."""
    assert await viewer.next_distance() == metres
    return asyncio.get_running_loop().time()


def test_each_tick_is_pushed_to_all_viewers(store: FakeStore) -> None:
    """All viewers get the newest picture at once and each new one, read from the store once for all."""

    async def story(feed: Feed) -> None:
        viewers = [Viewer(feed.stream("run_1")) for _ in range(20)]
        assert {await one.next_distance() for one in viewers} == {100.0}
        asked = store.asked.count("positions")
        store.now = positions(200.0)
        assert {await one.next_distance() for one in viewers} == {200.0}
        assert store.asked.count("positions") == asked + 1
        late = Viewer(feed.stream("run_1"))
        assert await late.next_distance() == 200.0

    run(store, story)


def test_a_tick_that_comes_in_parts_is_one_picture(store: FakeStore) -> None:
    """A picture waits until its tick is whole, but not for long: what comes later is another picture."""

    def tick(*times: float) -> Positions:
        return at(*((bib, 10 * time, "running", time) for bib, time in enumerate(times, 1)))

    async def next_times(viewer: Viewer) -> list[float]:
        _, picture = await viewer.next()
        times: list[float] = picture["columns"]["elapsed"]
        return times

    async def story(feed: Feed) -> None:
        store.now = tick(60.0, 60.0)
        viewer = Viewer(feed.stream("run_1"))
        assert await next_times(viewer) == [60.0, 60.0]
        store.now = tick(61.0, 60.0)
        asyncio.get_running_loop().call_later(3 * QUIET_S, setattr, store, "now", tick(61.0, 61.0))
        assert await next_times(viewer) == [61.0, 61.0]
        store.now = tick(62.0, 61.0)
        assert await next_times(viewer) == [62.0, 61.0]
        store.now = tick(62.0, 62.0)
        assert await next_times(viewer) == [62.0, 62.0]

    run(store, story)


def test_a_slow_viewer_skips_to_the_newest(store: FakeStore) -> None:
    """A viewer who has not read for a while gets the newest picture, not each one missed."""

    async def story(feed: Feed) -> None:
        slow, quick = Viewer(feed.stream("run_1")), Viewer(feed.stream("run_1"))
        assert await slow.next_distance() == await quick.next_distance() == 100.0
        for metres in (200.0, 300.0, 400.0):
            store.now = positions(metres)
            assert await quick.next_distance() == metres
        assert await slow.next_distance() == 400.0

    run(store, story)


def test_pictures_are_as_rare_as_wanted(store: FakeStore) -> None:
    """A viewer can choose the shortest time between two pictures."""

    async def story(feed: Feed) -> None:
        viewer = Viewer(feed.stream("run_1", every=1.5))
        begun = asyncio.get_running_loop().time()
        assert await viewer.next_distance() == 100.0
        store.now = positions(200.0)
        assert await viewer.next_distance() == 200.0
        assert asyncio.get_running_loop().time() - begun >= 1.5 - SLACK_S

    run(store, story)


def test_who_comes_between_two_ticks_gets_the_next_at_once(store: FakeStore) -> None:
    """The shortest time between pictures counts from the last tick, not from a viewer's arrival."""

    async def story(feed: Feed) -> None:
        first = Viewer(feed.stream("run_1"))
        await first.next()
        await asyncio.sleep(0.9)
        late = Viewer(feed.stream("run_1", every=1.0))
        assert await late.next_distance() == 100.0
        store.now = positions(200.0)
        moments = await asyncio.gather(*(_moment_of(one, 200.0) for one in (first, late)))
        assert moments[1] - moments[0] < 0.4

    run(store, story)


def test_a_viewer_who_comes_back_gets_only_news(store: FakeStore) -> None:
    """A viewer with the newest picture gets an immediate confirmation instead of the picture."""

    async def story(feed: Feed) -> None:
        _, picture = await Viewer(feed.stream("run_1")).next()
        back = Viewer(feed.stream("run_1", seen=picture["version"]))
        assert await back.next() == ("same", {})
        store.now = positions(200.0)
        assert await back.next_distance() == 200.0

    run(store, story)


def test_news_instead_of_pictures(store: FakeStore) -> None:
    """A viewer who wants no pictures gets news of each, and of a state in which nothing else changes."""

    async def story(feed: Feed) -> None:
        viewer = Viewer(feed.stream("run_1", has_pictures=False))
        assert await viewer.next() == ("news", {})
        store.now = positions(200.0)
        assert await viewer.next() == ("news", {})
        store.known = [race(status="finished")]
        assert await viewer.next() == ("news", {})
        store.failure = StoreError("Unavailable.")
        assert await viewer.next() == ("trouble", {"detail": "Unavailable."})

    run(store, story)


def test_the_outline_changes_with_the_state_and_not_with_positions(store: FakeStore) -> None:
    """A change of state, or another race, changes the outline; positions don't."""

    async def story(feed: Feed) -> None:
        viewer = Viewer(feed.stream("run_1"))
        await viewer.next()
        store.now = positions(200.0)
        await viewer.next()
        assert len(viewer.outlines) == 1
        store.known = [race(status="paused")]
        await viewer.next()
        assert len(set(viewer.outlines)) == 2

    run(store, story)


def test_silence_is_broken_by_heartbeats(store: FakeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without news the last picture, or the trouble, is confirmed again and again."""
    monkeypatch.setattr(feed_module, "HEARTBEAT_S", 0.05)

    async def story(feed: Feed) -> None:
        viewer = Viewer(feed.stream("run_1"))
        await viewer.next()
        assert [await viewer.next() for _ in range(3)] == [("same", {})] * 3
        store.failure = StoreError("Unavailable.")
        while (event := await viewer.next()) == ("same", {}):
            pass
        assert event == await viewer.next() == ("trouble", {"detail": "Unavailable."})

    run(store, story)


def test_trouble_passes(store: FakeStore) -> None:
    """After an outage of the store the picture comes again, even if it is the one from before."""

    async def story(feed: Feed) -> None:
        viewer = Viewer(feed.stream("run_1"))
        picture = await viewer.next()
        store.failure = StoreError("Unavailable.")
        assert await viewer.next() == ("trouble", {"detail": "Unavailable."})
        store.failure = None
        name, data = await viewer.next()
        assert (name, data["version"]) == ("picture", picture[1]["version"])

    run(store, story)


def test_unknown_race_until_the_store_has_it(store: FakeStore) -> None:
    """A race that has just been created is pushed as soon as the store has it."""
    made, store.known = store.known, []

    async def story(feed: Feed) -> None:
        viewer = Viewer(feed.stream("run_1"))
        assert await viewer.next() == ("trouble", {"detail": "Race not found."})
        store.known = made
        assert await viewer.next_distance() == 100.0

    run(store, story)


def test_an_unexpected_error_is_reported_and_retried(
    store: FakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault in our own code is reported to the viewers, and tried again."""

    async def story(feed: Feed) -> None:
        viewer = Viewer(feed.stream("run_1"))
        await viewer.next()
        monkeypatch.setattr(store, "mark", lambda _: 1 / 0)
        name, data = await viewer.next()
        assert name == "trouble"
        assert "log" in data["detail"]
        monkeypatch.undo()
        assert await viewer.next_distance() == 100.0

    run(store, story)


def test_an_unwatched_race_costs_nothing(store: FakeStore) -> None:
    """When the last viewer has left, the store is asked no more."""

    async def story(feed: Feed) -> None:
        viewers = [Viewer(feed.stream("run_1")) for _ in range(2)]
        for one in viewers:
            await one.next()
            await one.leave()
        await asyncio.sleep(0.1)  # a question under way may end
        asked = len(store.asked)
        await asyncio.sleep(0.3)
        assert len(store.asked) == asked

    run(store, story)


def test_closing_ends_all_streams(store: FakeStore) -> None:
    """A server that stops doesn't wait for its viewers."""

    async def story(feed: Feed) -> None:
        viewer = Viewer(feed.stream("run_1"))
        await viewer.next()
        feed.close()
        with pytest.raises(StopAsyncIteration):
            await viewer.next()

    run(store, story)
