"""`python -m simulator serve`: sets up publisher, engine and HTTP server, and shuts them down."""

import gc
import secrets
from collections.abc import Sequence
from typing import Any

import structlog
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.task import react
from twisted.internet.threads import deferToThread

from simulator import logs
from simulator.commands.process import close, log_failure, open_courses, open_log
from simulator.commands.settings import ServeSettings, settings_of
from simulator.engine.engine import Engine
from simulator.http.auth import Access, AccessError, token_of
from simulator.http.cors import Cors
from simulator.http.rate import Rate
from simulator.http.routes import Api
from simulator.http.site import LimitedSite
from simulator.publishers.publisher import PublishError
from simulator.reactor import use_steady_clock
from simulator.service.courses import CourseService
from simulator.service.following import Following
from simulator.service.races import RaceService
from simulator.service.uploads import UploadFolder
from stream.settings import origins_of

BACKLOG = 1024
"""Connections waiting to be accepted; the kernel drops further ones, and their clients retry after 1 s."""


def serve(flags: Sequence[str]) -> None:
    """Run until SIGTERM or Ctrl-C; ends the process.

    Exit status 0 if everything accepted was delivered, else 1 with a log line that gives the reason.
    """
    settings = settings_of(ServeSettings, flags)
    logs.configure(settings.log_format)
    react(lambda reactor: ensureDeferred(_serve(reactor, settings)))


async def _serve(reactor: Any, settings: ServeSettings) -> None:
    use_steady_clock(reactor)
    folder = UploadFolder(settings.uploads)
    try:
        token = token_of(settings.token.get_secret_value(), settings.token_file, settings.host)
        courses = open_courses(settings, folder)
        publisher, race_log = open_log(reactor, settings, courses)
    except (OSError, PublishError, AccessError) as error:
        raise SystemExit(log_failure("can't start", error)) from error
    origins = origins_of(settings.cors_origins)
    engine = Engine(reactor, publisher, race_log, deferToThread)
    race_service = RaceService(reactor, engine, courses, folder, secrets.randbelow)
    following = Following(reactor, race_service)
    course_service = CourseService(race_service, folder, publisher, deferToThread)
    api = Api(race_service, course_service, publisher, Access(token, origins))
    rate = Rate(reactor.seconds, settings.requests_per_second)
    site = LimitedSite(api.app.resource(), reactor.seconds, rate, Cors(origins), api.request_metrics)
    endpoint = TCP4ServerEndpoint(reactor, settings.port, BACKLOG, settings.host)
    try:
        port = await endpoint.listen(site)
    except Exception as error:
        await publisher.close()
        raise SystemExit(log_failure("can't listen", error)) from error
    address = f"http://{settings.host}:{port.getHost().port}"
    who = "clients with the token" if token else "clients on this machine"
    log = structlog.get_logger()
    log.info("listening", address=address, publisher=settings.publisher, may_change=who)
    ended: Deferred[None] = Deferred()

    async def shut_down() -> None:
        """Stop accepting requests, finish the batch in hand, deliver all events."""
        await port.stopListening()
        await close(engine, publisher)

    # The reactor waits for the trigger; errors are reported through the main Deferred.
    reactor.addSystemEventTrigger(
        "before", "shutdown", lambda: ensureDeferred(shut_down()).addBoth(ended.callback)
    )
    # What the libraries have made stays. Looking through it takes a twentieth of a second, for which the
    # reactor waits, and the events of every few ticks make Python do so.
    gc.freeze()
    # After the trigger is set, so that earlier races are delivered at shutdown like new ones.
    await following.begin()
    await ended
