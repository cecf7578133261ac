"""What the pages work with. Streamlit runs a page as a script that nothing can be passed to: it asks here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dashboard.analytics.activity import Activity
    from dashboard.api import RaceApi
    from dashboard.pipeline.sampler import Sampler
    from dashboard.race.snapshots import Snapshots
    from dashboard.settings import Settings


@dataclass(frozen=True)
class Context:
    """The parts of the dashboard that all pages and viewers share."""

    settings: Settings
    snapshots: Snapshots
    api: RaceApi
    activity: Activity
    pipeline: Sampler


_installed: list[Context] = []


def install(context: Context) -> None:
    """Make `context` the one that pages get; done once, before the server starts."""
    _installed[:] = [context]


def uninstall() -> None:
    """Forget it, as tests do after themselves."""
    _installed.clear()


def current() -> Context:
    """The installed context."""
    if not _installed:
        raise RuntimeError("Start the dashboard with python -m dashboard: its pages need a context.")
    return _installed[0]
