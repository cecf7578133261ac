"""Probe of the races under way in Pinot and the age of their newest positions."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from pinot.health.asking import NO_ANSWER, NOT_PINOT, Asker
from pinot.health.sample import Failure, RaceNews, Races
from pinot.health.verdict import SETUP
from stream.pinot import OPEN, trouble

if TYPE_CHECKING:
    from stream.pinot import PinotAuth

MOST_RACES = 200
"""Maximum number of races judged."""

_RUNNING = f"""
    select runId, speed, JSONEXTRACTSCALAR(request, '$.interval', 'DOUBLE', 0), updatedAt from races
    where status = 'running' order by updatedAt desc limit {MOST_RACES}
"""  # noqa: S608 - the number is ours
_NEWEST = """
    select runId, max(emittedAt) from parkrun where runId in ({}) group by runId limit 200
"""


class RacesProbe:
    """Probes the broker at this URL."""

    def __init__(self, broker: str, pinot_auth: PinotAuth = OPEN) -> None:
        self._broker = Asker("broker", broker, pinot_auth)

    def __call__(self) -> Races | Failure:
        """Return the races with the status `running`."""
        taken = time.time()
        try:
            running = self._ask(_RUNNING)
            names = ", ".join(f"'{row[0]}'" for row in running)
            newest = dict(self._ask(_NEWEST.format(names))) if running else {}
        except _NoTableError as error:
            return Failure(
                f"Pinot cannot query its tables ({error}). {SETUP} if this lasts longer than a minute."
            )
        except (*NO_ANSWER, *NOT_PINOT) as error:
            return self._broker.failure(error)
        found = (news(run, speed, interval, at, newest.get(run)) for run, speed, interval, at in running)
        return Races(tuple(found), taken)

    def _ask(self, sql: str) -> list[list[Any]]:
        answer = self._broker.query(sql)
        if wrong := trouble(answer):
            raise _NoTableError(wrong)
        rows: list[list[Any]] = answer["resultTable"]["rows"]
        return rows


class _NoTableError(Exception):
    """The broker responds, but with an error."""


def news(run_id: str, speed: float, interval: float, updated: float, newest: float | None) -> RaceNews:
    """Convert a row (times in epoch milliseconds, `interval` 0 for the API's default)."""
    return RaceNews(
        run_id=run_id,
        period=(interval or max(1.0, speed)) / speed,
        newest=None if newest is None else newest / 1000,
        noted=updated / 1000,
    )
