"""The process: publisher, engine and HTTP server, put together and taken apart again."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import structlog
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.task import react

from simulator.courses import load_folder
from simulator.engine import Engine
from simulator.kafka import KafkaPublisher
from simulator.office import Office
from simulator.publisher import PublishError
from simulator.site import limited_site
from simulator.sqlite import SqlitePublisher
from simulator.web import Api

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from simulator.course import Course
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
    try:
        courses = _courses(settings)
        publisher = _publisher(reactor, settings, courses.values())
    except (OSError, PublishError) as error:
        raise SystemExit(_told("can't start", error)) from error
    engine = Engine(reactor, publisher)
    site = limited_site(Api(Office(reactor, engine, courses, secrets.randbelow), publisher).app.resource())
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


def _courses(settings: ServeSettings) -> Mapping[str, Course]:
    library = load_folder(settings.courses)
    for error in library.errors.values():
        structlog.get_logger().warning("course left out", why=error)
    return library.courses


def _publisher(reactor: Any, settings: ServeSettings, courses: Iterable[Course]) -> Publisher:
    if settings.publisher == "kafka":
        return KafkaPublisher(reactor, settings.kafka)
    return SqlitePublisher(
        reactor,
        settings.sqlite,
        courses,
        history_days=settings.history_days,
        history_mb=settings.history_mb,
    )


def _told(what: str, error: Exception) -> int:
    structlog.get_logger().error(f"the simulator {what}", why=str(error))
    return 1
