"""The process: publisher, engine and HTTP server, put together and taken apart again."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import structlog
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.task import react
from twisted.internet.threads import deferToThread

from simulator.catalogue import Catalogue
from simulator.course_desk import CourseDesk
from simulator.course_loader import CourseLoader
from simulator.courses import load_folder
from simulator.engine import Engine
from simulator.kafka import KafkaPublisher
from simulator.office import Office
from simulator.publisher import PublishError
from simulator.site import limited_site
from simulator.sqlite import SqlitePublisher
from simulator.uploads import UploadFolder
from simulator.web import Api

if TYPE_CHECKING:
    from simulator.publisher import Publisher
    from simulator.settings import ServeSettings

PATIENCE = 4.0
"""Seconds that the engine has at the end to tell what it has accepted; the publisher has its own."""


def serve(settings: ServeSettings) -> None:
    """Run until SIGTERM or Ctrl-C; ends the process.

    Exit status 0 if everything that was accepted was delivered, else 1 with a line that says why.
    """
    react(lambda reactor: ensureDeferred(_serve(reactor, settings)))


async def _serve(reactor: Any, settings: ServeSettings) -> None:
    folder = UploadFolder(settings.uploads)
    try:
        courses = _courses(settings, folder)
        publisher = _publisher(reactor, settings, courses)
    except (OSError, PublishError) as error:
        raise SystemExit(_told("can't start", error)) from error
    engine = Engine(reactor, publisher)
    office = Office(reactor, engine, courses, secrets.randbelow)
    desk = CourseDesk(office, folder, publisher, deferToThread)
    site = limited_site(Api(office, desk, publisher).app.resource())
    endpoint = TCP4ServerEndpoint(reactor, settings.port, interface=settings.host)
    try:
        port = await endpoint.listen(site)
    except Exception as error:
        await publisher.close()
        raise SystemExit(_told("can't listen", error)) from error
    address = f"http://{settings.host}:{port.getHost().port}"
    structlog.get_logger().info("listening", address=address, publisher=settings.publisher)
    ended: Deferred[None] = Deferred()

    def shut_down() -> Deferred[None]:
        closing = ensureDeferred(_close(port, engine, publisher))
        # The reactor waits for the trigger; what went wrong is the main Deferred's to tell.
        return closing.addBoth(ended.callback)

    reactor.addSystemEventTrigger("before", "shutdown", shut_down)
    await ended


async def _close(port: Any, engine: Engine, publisher: Publisher) -> None:
    """Take nothing new, finish the tick in hand, deliver what was taken."""
    await port.stopListening()
    drained = await engine.stop(PATIENCE)
    try:
        await publisher.close()
    except PublishError as error:
        raise SystemExit(_told("could not deliver everything", error)) from error
    if not drained:
        why = TimeoutError(engine.trouble or f"the publisher took no more for {PATIENCE:g} s")
        raise SystemExit(_told("could not deliver everything", why))


def _courses(settings: ServeSettings, folder: UploadFolder) -> Catalogue:
    """Read all courses; one that can't be used is told of and hides no other."""
    shipped = load_folder(settings.courses)
    uploads, unusable = folder.load()
    hidden = [
        f"{name} is an upload, and a course that comes with Racecast has its name now"
        for name in uploads
        if name in shipped.courses
    ]
    for why in (*shipped.errors.values(), *unusable.values(), *hidden):
        structlog.get_logger().warning("course left out", why=why)
    return Catalogue(shipped.courses, uploads, unusable)


def _publisher(reactor: Any, settings: ServeSettings, courses: Catalogue) -> Publisher:
    if settings.publisher == "kafka":
        return KafkaPublisher(reactor, settings.kafka, _loader(reactor, settings.pinot_controller, courses))
    return SqlitePublisher(
        reactor,
        settings.sqlite,
        courses.values(),
        history_days=settings.history_days,
        history_mb=settings.history_mb,
    )


def _loader(reactor: Any, controller: str, courses: Catalogue) -> CourseLoader | None:
    if not controller:
        return None
    loader = CourseLoader.into(reactor, controller)
    # The courses that come with Racecast are the set-up's to load.
    for upload in courses.uploads.values():
        loader.load(upload.course)
    return loader


def _told(what: str, error: Exception) -> int:
    structlog.get_logger().error(f"the simulator {what}", why=str(error))
    return 1
