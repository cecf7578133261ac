"""The analytics page's expected figures, computed event by event."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import groupby
from typing import cast

import pandas as pd
import pytest

from dashboard.analytics.figures import Figures
from dashboard.analytics.windows import SHOWN
from tests.dashboard.events import Event


def figures(events: Sequence[Event], until: int, span_s: int, course: str | None = None) -> Figures:
    """The figures of a span, event by event."""
    emitted, before = defaultdict[tuple[str, int], list[Event]](list), dict[tuple[str, int], float]()
    for event in events:
        second, who = event["emittedAt"] // 1000, (event["runId"], event["competitorId"])
        if course not in {None, event["course"]}:
            continue
        if until - span_s <= second < until:
            emitted[who].append(event)
        elif until - 2 * span_s <= second < until:
            before[who] = max(before.get(who, 0.0), event["distance"])
    metres = 0.0
    for who, here in emitted.items():
        ways = [event["distance"] for event in here]
        metres += max(0.0, max(ways) - before.get(who, min(ways)))
    return Figures(
        events=sum(map(len, emitted.values())),
        competitors=len(emitted),
        finished=sum(any(event["status"] == "finished" for event in here) for here in emitted.values()),
        metres=cast("float", pytest.approx(metres)),
        courses=len({event["course"] for here in emitted.values() for event in here}),
        races=len({run for run, _ in emitted}),
    )


def late(events: Sequence[Event], allowed_s: int) -> list[Event]:
    """Each event that lies further behind the newest of the seconds before its own than is allowed."""
    found, newest, emitted = [], dict[str, int](), dict[str, int]()
    for _, same_second in groupby(sorted(events, key=_second), key=_second):
        these = list(same_second)
        for event in these:
            run, second = event["runId"], event["timestamp"] // 1000
            if run in newest and second < newest[run] - allowed_s:
                found.append(event)
            emitted[run] = max(emitted.get(run, second), second)
        newest = dict(emitted)
    return found


def _second(event: Event) -> int:
    return int(event["emittedAt"]) // 1000


def windows(events: Sequence[Event], size_s: int, allowed_s: int) -> list[tuple[int, int, int, bool]]:
    """Start, events, late ones and openness of the newest windows, counted from all events at once."""
    ids, behind = defaultdict[int, set[str]](set), defaultdict[int, int](int)
    for event in events:
        ids[event["timestamp"] // 1000 // size_s].add(event["eventId"])
    for event in late(events, allowed_s):
        behind[event["timestamp"] // 1000 // size_s] += 1
    watermark = max(event["timestamp"] // 1000 for event in events) - allowed_s
    return [
        (number * size_s, len(ids[number]), behind[number], (number + 1) * size_s > watermark)
        for number in sorted(ids)
        if number > max(ids) - SHOWN
    ]


def as_rows(found: pd.DataFrame) -> list[tuple[int, int, int, bool]]:
    """What `refresh` answers as rows."""
    return list(found.itertuples(index=False, name=None))
