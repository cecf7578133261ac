"""The forecasts of the races that are asked for, made once per published tick for all requests."""

from collections import OrderedDict
from collections.abc import Callable

from twisted.internet.defer import DeferredLock

from simulator.export import forecasts
from simulator.export.forecasts import RaceForecasts
from simulator.race.race import Race
from simulator.reactor import InThread

MOST_KEPT = 4
"""Maximum number of races whose forecasts are kept: those of a million competitors have 150 MB."""


class _Latest:
    """The newest forecasts of a race; only one request makes others."""

    def __init__(self) -> None:
        self.making = DeferredLock()
        self.found: RaceForecasts | None = None


class LatestForecasts:
    """Makes forecasts in a thread, unless there are some of the same tick.

    Args:
        in_thread: calls a function in a thread.
    """

    def __init__(self, in_thread: InThread) -> None:
        self._in_thread = in_thread
        self._races: OrderedDict[str, _Latest] = OrderedDict()

    async def of(self, race: Race, published_until: Callable[[], float]) -> RaceForecasts:
        """Return the forecasts of a race at the last published tick, in race seconds."""
        latest = self._races.setdefault(race.run_id, _Latest())
        self._races.move_to_end(race.run_id)
        if len(self._races) > MOST_KEPT:
            self._races.popitem(last=False)
        await latest.making.acquire()
        try:
            until, found = published_until(), latest.found
            if found is None or found.race is not race or found.until != until:
                found = latest.found = await self._in_thread(forecasts.of, race, until)
            return found
        finally:
            latest.making.release()
