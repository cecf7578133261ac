"""A stream by plain counting: the reference for all others."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from dashboard.analytics.stream import ARRIVALS, NEWEST, PACES, PANES, SEEN, Stream, table
from dashboard.store.protocol import StoreError
from tests.dashboard.events import Event


@dataclass
class PlainStream(Stream):
    """Counts `events`, those of the topic `parkrun`; can be set to fail."""

    events: list[Event] = field(default_factory=list)
    failure: StoreError | None = None
    asked: list[tuple[Any, ...]] = field(default_factory=list)

    def arrivals(self, since: int, until: int | None) -> pd.DataFrame:
        """Count arrivals."""
        counted = Counter(
            (event["runId"], event["course"], event["emittedAt"] // 1000, event["timestamp"] // 1000)
            for event in self._came("arrivals", since, until)
        )
        return table([(*key, count) for key, count in counted.items()], ARRIVALS)

    def paces(self, since: int, until: int | None) -> pd.DataFrame:
        """Count paces in steps of ten seconds."""
        found = defaultdict[tuple[Any, ...], list[float]](list)
        for event in self._came("paces", since, until):
            if event["status"] == "running" and event["distance"] >= 100:
                pace = 1000 * event["elapsed"] / event["distance"]
                step = event["emittedAt"] // 10_000 * 10
                found[event["runId"], event["course"], step, int(pace)].append(pace)
        return table([(*key, len(paces), sum(paces)) for key, paces in found.items()], PACES)

    def seen(self, since: int, until: int) -> pd.DataFrame:
        """Competitors with events."""
        by_key = defaultdict[tuple[Any, ...], list[Event]](list)
        for event in self._came("seen", since, until):
            by_key[event["runId"], event["course"], event["competitorId"]].append(event)
        rows = []
        for key, events in by_key.items():
            metres = [event["distance"] for event in events]
            finished = any(event["status"] == "finished" for event in events)
            rows.append((*key, len(events), min(metres), max(metres), finished))
        return table(rows, SEEN)

    def panes(self, run_id: str, since: int, until: int, emitted_since: int) -> pd.DataFrame:
        """A race's events by event second, each once."""
        ids = {
            (event["timestamp"] // 1000, event["eventId"])
            for event in self._came("panes", emitted_since, None)
            if event["runId"] == run_id and since <= event["timestamp"] // 1000 < until
        }
        return table(list(Counter(second for second, _ in ids).items()), PANES)

    def newest(
        self, count: int, since: int, *, run_id: str | None, bib: int | None, course: str | None
    ) -> pd.DataFrame:
        """The newest events."""
        these = [
            event
            for event in self._came("newest", since, None)
            if run_id in {None, event["runId"]}
            and bib in {None, event["competitorId"]}
            and course in {None, event["course"]}
        ]
        these.sort(
            key=lambda event: (-event["emittedAt"], event["runId"], event["competitorId"], -event["rawTime"])
        )
        columns = (
            "runId",
            "competitorId",
            "course",
            "status",
            "elapsed",
            "distance",
            "timestamp",
            "emittedAt",
        )
        return table([[event[name] for name in columns] for event in these[:count]], NEWEST)

    def _came(self, question: str, since: int, until: int | None) -> Iterator[Event]:
        self.asked.append((question, since, until))
        if self.failure is not None:
            raise self.failure
        for event in self.events:
            if since <= event["emittedAt"] // 1000 and (until is None or event["emittedAt"] // 1000 < until):
                yield event
