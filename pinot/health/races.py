"""Asks Pinot what races are under way, and how new their newest positions are."""

from __future__ import annotations

import time
from typing import Any

from pinot.health.asking import NO_ANSWER, NOT_PINOT, query, trouble
from pinot.health.sample import Failure, RaceNews, Races
from pinot.health.words import reason, shown

MOST_RACES = 200
"""More are not judged; so many hardly ever run."""

_RUNNING = f"""
    select runId, speed, JSONEXTRACTSCALAR(request, '$.interval', 'DOUBLE', 0), updatedAt from races
    where status = 'running' order by updatedAt desc limit {MOST_RACES}
"""  # noqa: S608 - the number is ours
_NEWEST = """
    select runId, max(emittedAt) from parkrun where runId in ({}) group by runId limit 200
"""


class RacesProbe:
    """Asks the broker at this URL."""

    def __init__(self, broker: str) -> None:
        self._broker = broker

    def __call__(self) -> Races | Failure:
        """The races that the table has as running."""
        taken = time.time()
        try:
            running = self._ask(_RUNNING)
            names = ", ".join(f"'{row[0]}'" for row in running)
            newest = dict(self._ask(_NEWEST.format(names))) if running else {}
        except (*NO_ANSWER, *NOT_PINOT) as error:
            return Failure(
                f"Pinot's broker at {shown(self._broker)} can't be asked for positions ({reason(error)}). "
                "Start it (make stack), or set it up with python -m pinot setup."
            )
        told = (news(run, speed, interval, at, newest.get(run)) for run, speed, interval, at in running)
        return Races(tuple(told), taken)

    def _ask(self, sql: str) -> list[list[Any]]:
        answer = query(self._broker, sql)
        if wrong := trouble(answer):
            raise ValueError(wrong)
        rows: list[list[Any]] = answer["resultTable"]["rows"]
        return rows


def news(run_id: str, speed: float, interval: float, updated: float, newest: float | None) -> RaceNews:
    """A race by its row (times in epoch milliseconds, `interval` 0 for the API's default)."""
    return RaceNews(
        run_id=run_id,
        period=(interval or max(1.0, speed)) / speed,
        newest=None if newest is None else newest / 1000,
        noted=updated / 1000,
    )
