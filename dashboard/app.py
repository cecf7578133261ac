"""The dashboard's composition root: store, shared snapshots, API client, and Streamlit with our routes."""

import asyncio
import gc
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from types import FrameType

import streamlit as st
from starlette.middleware import Middleware

from dashboard import context
from dashboard.addresses import PageAddresses
from dashboard.analytics.activity import Activity
from dashboard.analytics.stream import Stream
from dashboard.api import RaceApi
from dashboard.headers import SecurityHeaders

# Imports the pages' heavy dependencies, so that the first viewer doesn't wait for them. Not the pages
# themselves: streamlit-folium registers its component with the server running at import.
from dashboard.live import board  # noqa: F401
from dashboard.metrics import Metrics, measured
from dashboard.pipeline.freshness import Freshness
from dashboard.pipeline.sampler import Sampler
from dashboard.race import race_map  # noqa: F401
from dashboard.race.downloads import downloads
from dashboard.race.feed import Feed
from dashboard.race.finder import Finder
from dashboard.race.forecasts import Forecaster
from dashboard.race.history import History
from dashboard.race.routes import routes
from dashboard.race.snapshots import Snapshots
from dashboard.raceday.days import RaceDays
from dashboard.read_only import ReadOnly
from dashboard.results import charts  # noqa: F401
from dashboard.settings import Settings
from dashboard.store.pinot_broker import Broker
from dashboard.store.protocol import Store
from dashboard.store.sql_store import PinotStore, SqlStore
from dashboard.store.sqlite_file import SqliteFile
from dashboard.ui import words
from pinot.health.probes import Probes, of_embedded, of_stack
from pinot.health.simulator import SimulatorProbe
from stream.aside import Aside
from stream.settings import origins_of

_SCRIPT = Path(__file__).parent / "pages.py"


def make_store(settings: Settings) -> Store:
    """The configured store of races."""
    if settings.store == "pinot":
        return PinotStore(_broker(settings))
    return SqlStore(SqliteFile(settings.sqlite))


def make_stream(settings: Settings) -> Stream:
    """The event stream in the same store."""
    return Stream(_broker(settings) if settings.store == "pinot" else SqliteFile(settings.sqlite))


def _broker(settings: Settings) -> Broker:
    return Broker(str(settings.pinot_broker), settings.pinot_auth())


def make_probes(settings: Settings) -> Probes:
    """The components of the pipeline that feeds this store."""
    simulator = SimulatorProbe(str(settings.api), settings.token.get_secret_value())
    if settings.store == "sqlite":
        return of_embedded(simulator, settings.sqlite)
    return of_stack(
        simulator,
        settings.client_config(),
        controller=settings.pinot_controller,
        broker=str(settings.pinot_broker).rstrip("/"),
        pinot_auth=settings.pinot_auth(),
    )


def make_app(settings: Settings) -> st.App:
    """The ASGI application; its pages find their dependencies in `context`."""
    metrics = Metrics()
    store = measured(make_store(settings), metrics)
    snapshots = Snapshots(store)
    history = History(store, snapshots)
    finder = Finder(store, snapshots)
    feed = Feed(snapshots)
    forecaster = Forecaster(snapshots, call=Aside().call)
    api = _api(settings)
    probes = make_probes(settings)
    freshness = Freshness(probes.races, metrics.freshness.observe)
    freshness.start()
    context.install(
        settings,
        snapshots,
        forecaster,
        RaceDays(store, snapshots, forecaster),
        api,
        Activity(measured(make_stream(settings), metrics), settings.allowed_lateness),
        Sampler(probes.take),
        freshness,
    )
    return st.App(
        _SCRIPT,
        routes=[*routes(snapshots, history, finder, feed, forecaster, metrics), *downloads(api)],
        lifespan=_ending(feed),
        middleware=_middleware(settings),
        on_script_error=_say_that_it_failed,
    )


def _ending(feed: Feed) -> Callable[[st.App], AbstractAsyncContextManager[None]]:
    """The lifespan that ends all streams with the first signal to stop, for the server waits for them."""

    @asynccontextmanager
    async def lifespan(_app: st.App) -> AsyncIterator[None]:
        # What the libraries have made stays. Looking through it takes a tenth of a second, for which all
        # threads wait, and every few pictures of a large race make Python do so.
        gc.freeze()
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                _hear_first(number, feed.close)
        yield

    return lifespan


def _hear_first(number: signal.Signals, hear: Callable[[], None]) -> None:
    """Have `hear` called in this thread's event loop before the present handler of a signal."""
    loop, before = asyncio.get_running_loop(), signal.getsignal(number)

    def handle(received: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(hear)
        if callable(before):
            before(received, frame)

    signal.signal(number, handle)


def _api(settings: Settings) -> RaceApi:
    """The client of the API; a read-only one needs no token and has none."""
    token = "" if settings.read_only else settings.token.get_secret_value()
    return RaceApi(str(settings.api), token, read_only=settings.read_only)


def _middleware(settings: Settings) -> list[Middleware]:
    always = [Middleware(SecurityHeaders, origins_of(settings.frame_ancestors)), Middleware(PageAddresses)]
    return [*always, Middleware(ReadOnly)] if settings.read_only else always


def _say_that_it_failed(_error: Exception) -> bool:
    """Show our own message instead of Streamlit's; the exception is already in the log."""
    words.notice(
        "Something went wrong on this page. Reload it to try again. The details are in the dashboard's log."
    )
    return True
