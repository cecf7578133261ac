"""After a crash or an end: the races of before are read from where they were told to, and go on.

There is no other state than what the store or the topic `races` holds. A race's record says how far its
events are delivered; what was told beyond that is told again, which changes nothing, for every event has its
key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from twisted.internet.defer import ensureDeferred

from simulator.publishers.publisher import PublishError
from simulator.reactor import after

if TYPE_CHECKING:
    from simulator.publishers.publisher import Publisher
    from simulator.reactor import Reactor
    from simulator.service.races import RaceService

RETRY = 1.0
"""Seconds before the races of before are asked for again."""


class Recovery:
    """Takes up the races of before.

    Args:
        reactor: gives the turns.
        publisher: knows the races.
        race_service: takes them.

    Attributes:
        trouble: why they are not there yet, or None.
    """

    def __init__(self, reactor: Reactor, publisher: Publisher, race_service: RaceService) -> None:
        self.trouble: str | None = "the races of before are not read yet"
        self._reactor = reactor
        self._publisher = publisher
        self._race_service = race_service
        self._log = structlog.get_logger()

    async def begin(self) -> None:
        """Try once; if the races can't be read now, go on trying in the background."""
        if not await self._try():
            self._log.warning("the races of before are not there yet", why=self.trouble)
            _ = ensureDeferred(self._go_on())

    async def _go_on(self) -> None:
        while not await self._try():
            await after(self._reactor, RETRY)

    async def _try(self) -> bool:
        try:
            records = await self._publisher.recover()
        except PublishError as error:
            self.trouble = str(error)
            return False
        self.trouble = None
        self._race_service.go_on_with(records)
        return True
