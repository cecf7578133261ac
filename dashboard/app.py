"""The dashboard's composition root: store, shared snapshots, API client, and Streamlit with our routes."""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from dashboard import context
from dashboard.analytics.activity import Activity
from dashboard.analytics.stream import Stream
from dashboard.api import RaceApi
from dashboard.headers import SecurityHeaders

# Imports the pages' heavy dependencies, so that the first viewer doesn't wait for them. Not the pages
# themselves: streamlit-folium registers its component with the server running at import.
from dashboard.live import board  # noqa: F401
from dashboard.metrics import Metrics, measured
from dashboard.pipeline.sampler import Sampler
from dashboard.race import race_map  # noqa: F401
from dashboard.race.history import History
from dashboard.race.routes import routes
from dashboard.race.snapshots import Snapshots
from dashboard.results import charts  # noqa: F401
from dashboard.settings import Settings
from dashboard.store.pinot_broker import Broker
from dashboard.store.protocol import Store
from dashboard.store.sql_store import PinotStore, SqlStore
from dashboard.store.sqlite_file import SqliteFile
from dashboard.ui import words
from pinot.health.probes import Probes, of_embedded, of_stack
from pinot.health.simulator import SimulatorProbe

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
    context.install(
        settings,
        snapshots,
        RaceApi(str(settings.api), settings.token.get_secret_value()),
        Activity(measured(make_stream(settings), metrics), settings.allowed_lateness),
        Sampler(make_probes(settings).take),
    )
    return st.App(
        _SCRIPT,
        routes=routes(snapshots, history, metrics),
        middleware=[Middleware(SecurityHeaders)],
        on_script_error=_say_that_it_failed,
    )


def _say_that_it_failed(_error: Exception) -> bool:
    """Show our own message instead of Streamlit's; the exception is already in the log."""
    words.notice(
        "Something went wrong on this page. Reload it to try again. The details are in the dashboard's log."
    )
    return True
