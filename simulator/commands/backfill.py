"""`python -m simulator backfill`: publishes a season of past races at full speed, so that pages have a past.

Each race becomes known when it is complete: its record, which says that it is finished, is published last.
So no simulator continues it. After an interruption, the same command publishes the season again: the same
events with the same keys, which change nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

import structlog
from twisted.internet.defer import CancelledError, Deferred, ensureDeferred
from twisted.internet.task import react

from simulator import logs
from simulator.commands.process import log_failure, open_courses, open_publisher
from simulator.commands.settings import BackfillSettings, settings_of
from simulator.course.course import Course
from simulator.log.local import claim
from simulator.publishers.publisher import Publisher, PublishError
from simulator.race.events import (
    Batch,
    entries_of,
    passings_until,
    positions_on_time,
    reads_until,
    record_of,
)
from simulator.race.race import Race
from simulator.race.reads import Mats
from simulator.race.request import RaceRequest
from simulator.race.season import MAX_ATHLETES, Season
from simulator.reactor import after
from simulator.service.uploads import UploadFolder

BATCH = 5000
RETRY = 1.0
"""Seconds before a batch that the publisher did not accept is retried."""
GUN = time(9)
"""Gun time of a season that has no other, UTC."""
SATURDAY = 5


def backfill(flags: Sequence[str]) -> None:
    """Publish the season that the flags describe; ends the process.

    Exit status 0 if everything was delivered, else 1 with a log line that gives the reason.
    """
    settings = settings_of(BackfillSettings, flags)
    logs.configure(settings.log_format)
    react(lambda reactor: ensureDeferred(_backfill(reactor, settings)))


async def _backfill(reactor: Any, settings: BackfillSettings) -> None:
    try:
        courses = open_courses(settings, UploadFolder(settings.uploads))
        course = _course(courses, settings.course)
        claimed = claim(settings.sqlite) if settings.publisher == "sqlite" else None
        publisher = open_publisher(reactor, settings, courses)
    except (OSError, PublishError) as error:
        raise SystemExit(log_failure("can't publish the season", error)) from error
    publishing, ended = ensureDeferred(_season(reactor, publisher, settings, course)), Deferred[None]()

    def stop() -> Deferred[None]:
        publishing.cancel()
        return ended

    # The reactor waits for the trigger; errors are reported through the main Deferred.
    reactor.addSystemEventTrigger("before", "shutdown", stop)
    try:
        try:
            await publishing
        finally:
            # A publisher that is left open keeps the process from ending.
            await publisher.close()
    except PublishError as error:
        raise SystemExit(log_failure("could not deliver everything", error)) from error
    except CancelledError as error:
        why = PublishError("it was stopped; the same command publishes the season again")
        raise SystemExit(log_failure("did not publish the whole season", why)) from error
    finally:
        if claimed is not None:
            claimed.close()
        ended.callback(None)


def _course(courses: Mapping[str, Course], name: str) -> Course:
    if name not in courses:
        raise PublishError(f"there is no course {name}; available: {', '.join(courses) or 'none'}")
    return courses[name]


async def _season(reactor: Any, publisher: Publisher, settings: BackfillSettings, course: Course) -> None:
    begun, log = reactor.seconds(), structlog.get_logger()
    season = season_of(settings, datetime.fromtimestamp(begun, UTC))
    for request in season.requests(course):
        await publish(reactor, publisher, Race(course, request))
        log.info("race published", run_id=request.run_id, competitors=request.competitors)
    seconds, events = reactor.seconds() - begun, publisher.deliveries.delivered.total()
    log.info("season published", races=season.races, events=events, per_second=round(events / seconds))


async def publish(reactor: Any, publisher: Publisher, race: Race) -> None:
    """Publish a whole race, and when all of it is delivered, its record."""
    for batch in batches_of(race):
        await _accepted(reactor, publisher, batch)
    await publisher.flushed()
    until, now = race.time_of(race.last_tick), int(reactor.seconds() * 1000)
    record = record_of(race, "finished", now, race.request.text(), delivered_until=until)
    await _accepted(reactor, publisher, record)
    await publisher.flushed()


def season_of(settings: BackfillSettings, now: datetime) -> Season:
    """Return the season that the flags describe; by default, its last race was on the last Saturday."""
    every = timedelta(days=settings.every_days)
    request = RaceRequest.model_validate(settings.model_dump(include=set(RaceRequest.model_fields)))
    first = settings.first
    if first is None:
        yesterday = now - timedelta(days=1)
        last = yesterday - timedelta(days=(yesterday.weekday() - SATURDAY) % 7)
        first = datetime.combine(last.date(), GUN, UTC) - (settings.races - 1) * every
    athletes = 2 * request.competitors if settings.athletes is None else settings.athletes
    return Season(request, min(athletes, MAX_ATHLETES), settings.races, first, every)


def batches_of(race: Race) -> Iterator[Batch]:
    """Yield all events of a race but its record, as if each tick had been published on time."""
    yield from entries_of(race, BATCH)
    mats = Mats(race) if race.request.chip_reads else None
    for tick in range(race.last_tick + 1):
        yield from positions_on_time(race, tick, BATCH)
        yield from passings_until(race, tick, BATCH)
        if mats is not None:
            yield from reads_until(mats, tick, BATCH)


async def _accepted(reactor: Any, publisher: Publisher, batch: Batch) -> None:
    """Publish a batch, retrying until it is accepted; raises PublishError for rejected credentials."""
    while True:
        try:
            await publisher.publish(batch)
        except PublishError as error:
            if publisher.health().credentials_rejected:
                raise
            structlog.get_logger().error("publishing failed, retrying", why=str(error))
            await after(reactor, RETRY)
        else:
            return
