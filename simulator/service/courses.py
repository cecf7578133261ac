"""Accepts uploaded course files.

A file is read and surveyed in a thread, never on the reactor, one file at a time; further uploads wait. So of
two files with the same name, the first to be accepted gets it.
"""

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any, TypeVar

import structlog
from twisted.internet.defer import Deferred, DeferredLock, ensureDeferred

from simulator.course.course import Course
from simulator.course.drawing import CourseError
from simulator.course.library import read_drawing
from simulator.course.survey import survey
from simulator.publishers.publisher import Publisher, PublishError
from simulator.race.events import CourseRecord
from simulator.reactor import InThread
from simulator.service.catalogue import UNUSABLE, short_name_of
from simulator.service.races import RaceService
from simulator.service.uploads import Upload, UploadFolder, digest_of
from stream.problems import Problem, Wrong

Given = TypeVar("Given")

MAX_UPLOADS = 500


class CourseService:
    """Accepts course files.

    Args:
        race_service: holds the courses and knows which names are taken.
        folder: keeps the files.
        publisher: receives each new course.
        in_thread: `in_thread(f, *arguments)` calls f in a thread (`deferToThread`).
    """

    def __init__(
        self, race_service: RaceService, folder: UploadFolder, publisher: Publisher, in_thread: InThread
    ) -> None:
        self._race_service = race_service
        self._folder = folder
        self._publisher = publisher
        self.in_thread = in_thread
        self._turn = DeferredLock()
        self._log = structlog.get_logger()

    def take(self, name: str | None, read: Callable[[], bytes]) -> Deferred[tuple[Course, bool]]:
        """Accept a file and return its course, and whether it is new; without a name one is derived.

        The same file under the same name is accepted once. `read` returns the file's bytes and is called when
        the upload's turn comes, so that waiting files are not kept in memory. Cancelling before that gives up
        the turn; later, the file is accepted nevertheless.

        Fails with Problem: 409 if the name is taken, 422 if the file can't be used, 503 if there are too many
        uploads or the file can't be stored.
        """
        turn = self._turn.acquire()
        return turn.addCallback(lambda _: _to_its_end(self._take_in_turn(name, read)))

    async def _take_in_turn(self, name: str | None, read: Callable[[], bytes]) -> tuple[Course, bool]:
        try:
            return await self._take(name, read())
        finally:
            self._turn.release()

    async def _take(self, name: str | None, data: bytes) -> tuple[Course, bool]:
        digest = digest_of(data)
        drawing, suffix = await self._of_file(read_drawing, data, "the file")
        name = name or short_name_of(drawing.name, lambda name: self._may_have(name, digest))
        uploads = self._race_service.courses.uploads
        if (known := uploads.get(name)) and known.digest == digest:
            return known.course, False
        if len(uploads) >= MAX_UPLOADS:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"The limit of {MAX_UPLOADS} uploaded courses is reached: delete files from the uploads "
                "folder and restart the simulator",
            )
        upload = Upload(await self._of_file(survey, drawing, name), digest)
        # Only now: meanwhile a race may have taken the name.
        if (owner := self._race_service.owner(name)) is not None:
            raise _conflict(name, owner)
        await self._keep(upload, suffix, data)
        await self._publish(upload.course)
        self._log.info("course accepted", course=name, file=f"{name}{suffix}")
        return upload.course, True

    async def _of_file(self, make: Callable[..., Any], *arguments: Any) -> Any:
        """Process the file in a thread; its errors become a Problem."""
        try:
            return await self.in_thread(make, *arguments)
        except CourseError as error:
            status, detail = HTTPStatus.UNPROCESSABLE_ENTITY, f"The file can't be used: {error}"
            raise Problem(status, detail, [Wrong("file", str(error))]) from None

    def _may_have(self, name: str, digest: bytes) -> bool:
        known = self._race_service.courses.uploads.get(name)
        return known.digest == digest if known else self._race_service.owner(name) is None

    async def _keep(self, upload: Upload, suffix: str, data: bytes) -> None:
        """Store the file; meanwhile its name is reserved, also against courses that come with races."""
        name = upload.course.short_name
        self._race_service.courses.add(upload)
        try:
            await self.in_thread(self._folder.write, name, suffix, data)
        except OSError as error:
            self._race_service.courses.remove(name)
            if isinstance(error, FileExistsError):
                raise _conflict(name, UNUSABLE) from None
            self._log.error("course not stored", course=name, why=str(error))
            why = f"The course can't be stored: {error.strerror}"
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, why) from None

    async def _publish(self, course: Course) -> None:
        try:
            await self._publisher.publish(CourseRecord(course))
        except PublishError as error:
            # It is published again with each race on it.
            self._log.warning("course not published yet", course=course.short_name, why=str(error))


def _conflict(name: str, owner: str) -> Problem:
    return Problem(HTTPStatus.CONFLICT, f"The name {name} is taken by {owner}: choose another name")


def _to_its_end(work: Coroutine[Any, Any, Given]) -> Deferred[Given]:
    """Return the result of a coroutine that runs to its end even if the Deferred is cancelled.

    A thread can't be cancelled: the next one would run beside it.
    """
    waiting: Deferred[Given] = Deferred()
    _ = ensureDeferred(work).chainDeferred(waiting)
    return waiting
