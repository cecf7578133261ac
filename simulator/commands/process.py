"""What every process that tells races is made of: courses, a publisher, and how both end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from simulator.course.library import load_folder
from simulator.publishers.course_loader import CourseLoader
from simulator.publishers.kafka import KafkaPublisher
from simulator.publishers.publisher import PublishError
from simulator.publishers.sqlite import SqlitePublisher
from simulator.service.catalogue import Catalogue

if TYPE_CHECKING:
    from simulator.commands.settings import PublisherSettings
    from simulator.engine.engine import Engine
    from simulator.publishers.publisher import Publisher
    from simulator.service.uploads import UploadFolder

PATIENCE = 4.0
"""Seconds that the engine has at the end to tell what it has accepted; the publisher has its own."""


def open_courses(settings: PublisherSettings, folder: UploadFolder) -> Catalogue:
    """Read all courses; one that can't be used is told of and hides no other. Raises OSError."""
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


def open_publisher(reactor: Any, settings: PublisherSettings, courses: Catalogue) -> Publisher:
    """Return the publisher that the settings ask for; raises PublishError if it can't be opened."""
    if settings.publisher == "kafka":
        return KafkaPublisher(reactor, settings.client_config(), _loader(reactor, settings, courses))
    return SqlitePublisher(
        reactor,
        settings.sqlite,
        courses.values(),
        history_days=settings.history_days,
        history_mb=settings.history_mb,
    )


def _loader(reactor: Any, settings: PublisherSettings, courses: Catalogue) -> CourseLoader | None:
    if not settings.pinot_controller:
        return None
    loader = CourseLoader.into(reactor, settings.pinot_controller, settings.pinot_auth())
    # The courses that come with Racecast are the set-up's to load.
    for upload in courses.uploads.values():
        loader.load(upload.course)
    return loader


async def close(engine: Engine, publisher: Publisher) -> None:
    """Finish the tick in hand and deliver what was taken; ends the process with status 1 if it can't be."""
    drained = await engine.stop(PATIENCE)
    try:
        await publisher.close()
    except PublishError as error:
        raise SystemExit(told("could not deliver everything", error)) from error
    if not drained:
        why = TimeoutError(engine.trouble or f"the publisher took no more for {PATIENCE:g} s")
        raise SystemExit(told("could not deliver everything", why))


def told(what: str, error: Exception) -> int:
    """Tell in the log what the simulator couldn't do; returns the exit status for it."""
    structlog.get_logger().error(f"the simulator {what}", why=str(error))
    return 1
