"""Setup and shutdown shared by the processes that publish races: courses, publisher, engine."""

import os
import socket
from typing import Any

import structlog

from simulator.commands.settings import PublisherSettings
from simulator.course.library import load_folder
from simulator.engine.engine import Engine
from simulator.log.kafka import KafkaLog
from simulator.log.local import LocalLog, claim
from simulator.log.log import RaceLog
from simulator.publishers.binary import encoding_of
from simulator.publishers.course_loader import CourseLoader
from simulator.publishers.kafka import KafkaPublisher
from simulator.publishers.publisher import Publisher, PublishError
from simulator.publishers.sqlite import SqlitePublisher
from simulator.service.catalogue import Catalogue
from simulator.service.uploads import UploadFolder

PATIENCE = 4.0
"""Seconds that the engine has at shutdown to publish what it has accepted; the publisher has its own."""


def open_courses(settings: PublisherSettings, folder: UploadFolder) -> Catalogue:
    """Read all courses and log their warnings.

    An invalid one is logged too and doesn't affect the others. Raises OSError.
    """
    log = structlog.get_logger()
    shipped = load_folder(settings.courses)
    uploads, unusable = folder.load()
    hidden = [
        f"{name} is an upload, and a shipped course now has the same name"
        for name in uploads
        if name in shipped.courses
    ]
    for why in (*shipped.errors.values(), *unusable.values(), *hidden):
        log.warning("course left out", why=why)
    for name, course in shipped.courses.items():
        for warning in course.warnings:
            log.warning("course corrected", file=shipped.files[name].name, why=warning)
    return Catalogue(shipped.courses, uploads, unusable)


def open_publisher(reactor: Any, settings: PublisherSettings, courses: Catalogue) -> Publisher:
    """Return the configured publisher; raises PublishError if it can't be opened."""
    if settings.publisher == "sqlite":
        return _sqlite(reactor, settings, courses)
    loader = None
    if settings.pinot_controller:
        loader = CourseLoader.into(reactor, settings.pinot_controller, settings.pinot_auth())
        # The set-up loads the shipped courses.
        for upload in courses.uploads.values():
            loader.load(upload.course)
    return KafkaPublisher(reactor, settings.client_config(), loader, encoding_of(settings.schemas()))


def open_log(reactor: Any, settings: PublisherSettings, courses: Catalogue) -> tuple[Publisher, RaceLog]:
    """Return the configured publisher and its log: that of all simulators on a Kafka, or this one's own.

    Raises PublishError if it can't be opened, or if another simulator has the embedded store.
    """
    if settings.publisher == "sqlite":
        claimed = claim(settings.sqlite)
        store = _sqlite(reactor, settings, courses)
        return store, LocalLog(store, store.stored, claimed)
    publisher = open_publisher(reactor, settings, courses)
    name = f"{socket.gethostname()}-{os.getpid()}"
    return publisher, KafkaLog(reactor, settings.client_config(), name, publisher.deliveries)


def _sqlite(reactor: Any, settings: PublisherSettings, courses: Catalogue) -> SqlitePublisher:
    limits = {"history_days": settings.history_days, "history_mb": settings.history_mb}
    return SqlitePublisher(reactor, settings.sqlite, courses.values(), **limits)


async def close(engine: Engine, publisher: Publisher) -> None:
    """Finish the batch in hand and deliver all events; exits with status 1 if that fails."""
    drained = await engine.stop(PATIENCE)
    try:
        await publisher.close()
    except PublishError as error:
        raise SystemExit(log_failure("could not deliver everything", error)) from error
    if not drained:
        why = TimeoutError(engine.trouble or f"the publisher accepted nothing for {PATIENCE:g} s")
        raise SystemExit(log_failure("could not deliver everything", why))


def log_failure(what: str, error: Exception) -> int:
    """Log what the simulator could not do; return the exit status."""
    structlog.get_logger().error(f"the simulator {what}", why=str(error))
    return 1
