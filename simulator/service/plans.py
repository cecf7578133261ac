"""Computes plans: how crowded a race would be, without creating it.

A plan takes seconds and up to a gigabyte, so one is computed at a time, in threads, and the next ones wait.
Cancelled, it ends between two of its steps.
"""

from collections.abc import Callable
from http import HTTPStatus

from twisted.internet.defer import DeferredLock

from simulator.course.course import Course
from simulator.export import crowding
from simulator.export.crowding import Crowding, CrowdingQuery
from simulator.race.cut_offs import CutOffError
from simulator.race.request import RaceRequest
from simulator.reactor import InThread
from simulator.service.races import RaceService, impossible
from simulator.steps import Steps
from stream.problems import Problem, Wrong, invalid

MAX_COMPETITORS = 100_000
"""Maximum number of competitors of a plan."""
MAX_WAITING = 8
"""Maximum number of plans that wait for the one that is computed."""
PER_CENT = 0.01
"""Progress between two reports."""


class PlanService:
    """Computes plans.

    Args:
        race_service: knows the courses, and resolves requests.
        in_thread: `in_thread(f, *arguments)` calls f in a thread (`deferToThread`).
    """

    def __init__(self, race_service: RaceService, in_thread: InThread) -> None:
        self._race_service = race_service
        self._in_thread = in_thread
        self._turn = DeferredLock()
        self._waiting = 0

    async def checked(self, asked: RaceRequest) -> tuple[Course, RaceRequest]:
        """Return the course and the resolved request of a plan.

        Raises Problem: 422 if the race can't be run or is too large, 503 if too many plans wait.
        """
        if asked.competitors > MAX_COMPETITORS:
            raise invalid([Wrong("competitors", f"must be at most {MAX_COMPETITORS:,} in a plan")])
        found = await self._race_service.resolved(asked)
        if self._waiting >= MAX_WAITING:
            detail = f"{MAX_WAITING} plans are waiting already; repeat the request later"
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail)
        return found

    async def computed(
        self, course: Course, request: RaceRequest, query: CrowdingQuery, report: Callable[[float], None]
    ) -> Crowding:
        """Compute a plan that has just been checked.

        `report` is called with the share that is done, after each per cent. Raises Problem 422 if the race
        can't be run after all.
        """
        self._waiting += 1
        try:
            await self._turn.acquire()
        finally:
            self._waiting -= 1
        try:
            steps = crowding.planned(course, request, query)
            share = 0.0
            while not isinstance(found := await self._in_thread(_next, steps, share + PER_CENT), Crowding):
                share = found
                report(share)
        except CutOffError as error:
            raise impossible(error) from error
        finally:
            self._turn.release()
        return found


def _next(steps: Steps[Crowding], until: float) -> float | Crowding:
    """Take steps until a share of the work is done; return the share that is, or the plan at the end."""
    while True:
        try:
            share = next(steps)
        except StopIteration as end:
            plan: Crowding = end.value
            return plan
        if share >= until:
            return share
