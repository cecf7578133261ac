"""The pages as Streamlit runs them, without a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import context
from dashboard.api import RaceApi
from dashboard.settings import Settings
from dashboard.snapshots import Snapshots
from dashboard.store import StoreError
from tests.dashboard.events import ROOT
from tests.dashboard.fakes import FakeStore, race

if TYPE_CHECKING:
    from collections.abc import Iterator

NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def store() -> Iterator[FakeStore]:
    """The store that the pages read."""
    known = FakeStore()
    seconds = iter(range(1_000_000))
    snapshots = Snapshots(known, lambda: float(next(seconds)))
    context.install(context.Context(Settings(), known, snapshots, RaceApi(NOBODY)))
    yield known
    context.uninstall()


def run(run_id: str | None = None) -> AppTest:
    """The live page after it has run, by a link to a race."""
    page = AppTest.from_file(str(ROOT / "dashboard" / "pages.py"), default_timeout=30)
    if run_id is not None:
        page.query_params["run"] = run_id
    return page.run()


def text(page: AppTest) -> str:
    """All that the page says by `words`."""
    assert not page.exception
    return "\n".join(str(html.proto.body) for html in page.get("html"))


def test_race(store: FakeStore) -> None:
    """A race's page has its figures and its leaderboard."""
    store.known = [race()]
    page = run("run_1")
    assert "Saturday" in text(page)
    assert [(metric.label, metric.value) for metric in page.metric] == [
        ("On the course", "2"),
        ("Finished", "0"),
        ("Leader", "0.10 km"),
    ]
    assert page.dataframe[0].value["bib"].tolist() == [1, 2]


def test_newest_race_without_link(store: FakeStore) -> None:
    """Without a link the newest race is shown, and the address becomes a link to it."""
    store.known = [race("newer", name="Newer"), race("older", name="Older")]
    page = run()
    assert "Newer" in text(page)
    assert page.query_params["run"] == "newer"


def test_another_race_chosen(store: FakeStore) -> None:
    """Choosing another race leads to its page and its link."""
    store.known = [race("newer", name="Newer"), race("older", name="Older")]
    page = run()
    page.selectbox[0].set_value("older").run()
    assert "Older" in text(page)
    assert page.query_params["run"] == "older"


def test_no_race_yet(store: FakeStore) -> None:
    """An empty store is no error."""
    assert store.known == []
    assert "No race yet" in text(run())


def test_store_away_and_back(store: FakeStore) -> None:
    """While the store can't be read the page says why, and it is itself again afterwards."""
    store.known = [race()]
    store.failure = StoreError("The broker sleeps.")
    page = run("run_1")
    assert "The broker sleeps" in text(page)
    assert not page.metric
    store.failure = None
    assert len(page.run().metric) == 3


def test_store_that_fails_halfway(store: FakeStore) -> None:
    """A race whose list can be read but not its course is said to be so, once, not again and again."""
    store.known = [race()]

    def broken(_short_name: str) -> None:
        raise StoreError("The course is torn.")

    store.course = broken  # type: ignore[method-assign, assignment]
    assert "The course is torn" in text(run("run_1"))


def test_names_shown_as_typed(store: FakeStore) -> None:
    """A hostile name is in the page only as letters and references."""
    store.known = [race(name="<script>${alert(1)}</script>")]
    assert "<script>" not in text(run("run_1"))
