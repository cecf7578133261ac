"""After a restart, earlier races are read from the store and continue.

The store or the topic `races` is the only state. A race's record says up to where its events are delivered;
later ones are published again, which changes nothing because every event has a key.
"""

import structlog
from twisted.internet.defer import ensureDeferred

from simulator.publishers.publisher import Publisher, PublishError
from simulator.reactor import Reactor, after
from simulator.service.races import RaceService

RETRY = 1.0
"""Seconds between attempts to read earlier races."""


class Recovery:
    """Restores races from an earlier run.

    Args:
        reactor: gives the time.
        publisher: reads the races.
        race_service: restores them.
    """

    def __init__(self, reactor: Reactor, publisher: Publisher, race_service: RaceService) -> None:
        race_service.unread = "the first attempt is under way"
        self._reactor = reactor
        self._publisher = publisher
        self._race_service = race_service

    async def begin(self) -> None:
        """Try once; on failure, keep retrying in the background."""
        if not await self._try():
            structlog.get_logger().warning(
                "races from an earlier run can't be read yet", why=self._race_service.unread
            )
            _ = ensureDeferred(self._keep_trying())

    async def _keep_trying(self) -> None:
        while not await self._try():
            await after(self._reactor, RETRY)

    async def _try(self) -> bool:
        try:
            records = await self._publisher.recover()
        except PublishError as error:
            self._race_service.unread = str(error)
            return False
        await self._race_service.restore(records)
        self._race_service.unread = None
        return True
