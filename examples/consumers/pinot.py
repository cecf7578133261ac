"""A correct consumer on Apache Pinot: asks the queries of `pinot.sql`, and finds the rest as `plain` does.

    python -m examples.consumers.pinot http://127.0.0.1:8099 RUN_ID windows --window 60 > answer.ndjson

Pinot removes repeats and finds the newest positions. Places and the watermark, for which Pinot's newer
versions have window functions, are computed here.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pinotdb

from examples.consumers.plain import Consumer, Event, Row, answer, wave_delay_of
from examples.consumers.queries import queries_beside

QUERIES = queries_beside(__file__)
POSITION = ("competitorId", "rawTime", "lat", "lon", "distance", "status", "elapsed")
EVENT = ("eventId", "competitorId", "rawTime", "status", "distance", "elapsed", "emittedAt")
LIMIT = 10_000_000
"""Most rows of an answer of Pinot, which has a limit of 10 without one."""


class PinotConsumer(Consumer):
    """The same as `plain.Consumer`, of a race in Pinot's tables.

    Args:
        broker: URL of Pinot's broker.
        run_id: of the race.
        at, window, lateness: as of `plain.Consumer`.
    """

    def __init__(
        self,
        broker: str,
        run_id: str,
        at: float | None = None,
        window: int = 60,
        lateness: float | None = None,
    ) -> None:
        self.at = at
        self.window = window
        self.lateness = lateness
        self._broker = urlsplit(broker)
        self.run_id = run_id
        races = self._ask("race")
        if not races:
            raise FileNotFoundError(f"Pinot has no race {run_id}. Its runs are in the table races.")
        race = races[0]
        self.gun = race["startTime"]
        self.wave_delay = wave_delay_of(race)
        self.wave = {entry["competitorId"]: entry["wave"] for entry in self._ask("entries")}
        self.passings_of_topic = self._ask("passings")

    def _ask(self, name: str, columns: Sequence[str] = (), **values: Any) -> list[Row]:
        connection = pinotdb.connect(
            host=self._broker.hostname, port=self._broker.port, path="/query/sql", scheme=self._broker.scheme
        )
        with closing(connection), closing(connection.cursor()) as cursor:
            cursor.execute(QUERIES[name], {"run": self.run_id, "limit": LIMIT, **values})
            names = columns or [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def distinct(self) -> Iterator[Event]:
        """Yield each position once, when it arrives first."""
        yield from self._ask("distinct", EVENT)

    def newest(self, until: float | None = None) -> dict[int, Event]:
        """Return each competitor's newest position, up to an event time."""
        found = self._ask("newest") if until is None else self._ask("newest_until", POSITION, until=until)
        return {event["competitorId"]: event for event in found}

    def duplicates(self) -> list[Row]:
        """Return the events that arrived more than once."""
        return self._ask("duplicates")


if __name__ == "__main__":
    answer(PinotConsumer, __doc__, "broker", "run_id")
