"""Follows the race log: makes races of its records, and has the engine publish this simulator's parts.

The log is the only state. So starting is the same as continuing after a crash, and the same as taking over
from another simulator.
"""

import structlog
from twisted.internet.defer import ensureDeferred

from simulator.publishers.publisher import PublishError
from simulator.reactor import Reactor, after
from simulator.service.races import RaceService

RETRY = 1.0
"""Seconds between attempts to read the log."""


class Following:
    """Has the engine follow the log.

    Args:
        reactor: gives the time.
        race_service: makes the races.
    """

    def __init__(self, reactor: Reactor, race_service: RaceService) -> None:
        race_service.unread = "the first attempt is under way"
        self._reactor = reactor
        self._race_service = race_service

    async def begin(self) -> None:
        """Try to read the log once; on failure, keep trying in the background."""
        if not await self._try():
            structlog.get_logger().warning("the races can't be read yet", why=self._race_service.unread)
            _ = ensureDeferred(self._keep_trying())

    async def _keep_trying(self) -> None:
        while not self._race_service.engine.stopping and not await self._try():
            await after(self._reactor, RETRY)

    async def _try(self) -> bool:
        try:
            await self._race_service.engine.follow(self._race_service.run_of)
        except PublishError as error:
            self._race_service.unread = str(error)
            return False
        self._race_service.unread = None
        return True
