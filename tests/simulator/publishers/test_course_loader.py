"""The loader of courses into Pinot: order, retries, and that nothing waits for it."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from simulator.course.course import Course
from simulator.publishers import course_loader
from simulator.publishers.course_loader import CourseLoader
from simulator.publishers.kafka import KafkaPublisher
from simulator.race.events import CourseRecord
from stream.pinot import PinotError


class FakePinot:
    """A Pinot that answers when a test says so.

    Attributes:
        asked: the courses that it was asked to load, in order.
    """

    def __init__(self) -> None:
        self.asked: list[Course] = []
        self._answers: list[Deferred[None]] = []

    def load(self, course: Course) -> Deferred[None]:
        """Take a course."""
        self.asked.append(course)
        self._answers.append(Deferred())
        return self._answers[-1]

    def take(self) -> None:
        """Answer that the course is loaded."""
        self._answers.pop(0).callback(None)

    def refuse(self, error: Exception | None = None) -> None:
        """Answer that it isn't."""
        self._answers.pop(0).errback(error or PinotError("Pinot is unavailable"))

    @property
    def names(self) -> list[str]:
        """The short names of what was asked."""
        return [course.short_name for course in self.asked]


def course(name: str) -> Course:
    """Return a course of a name."""
    return Course.measured(short_name=name, long_name=name, lon=[0, 0], lat=[0, 1])  # type: ignore[arg-type]


@pytest.fixture
def pinot() -> FakePinot:
    """Return a Pinot."""
    return FakePinot()


@pytest.fixture
def loader(clock: Clock, pinot: FakePinot) -> CourseLoader:
    """Return a loader into it."""
    return CourseLoader(clock, pinot.load)


@pytest.fixture
def log() -> Iterator[list[Any]]:
    """Return the log lines of the test."""
    with capture_logs() as lines:
        yield lines


def test_courses_are_loaded_one_after_another(loader: CourseLoader, pinot: FakePinot) -> None:
    """The next course is loaded when the one before is, in the order in which they came."""
    for name in "abc":
        loader.load(course(name))
    assert pinot.names == ["a"]
    pinot.take()
    assert pinot.names == ["a", "b"]
    pinot.take()
    pinot.take()
    assert pinot.names == ["a", "b", "c"]


def test_of_two_that_wait_the_later_counts(loader: CourseLoader, pinot: FakePinot) -> None:
    """A course submitted again before it is loaded is loaded once; during its loading, once more."""
    first, second, third = (course("a") for _ in range(3))
    for one in (first, second, third):
        loader.load(one)
    pinot.take()
    pinot.take()

    assert pinot.asked == [first, third]


def test_pauses_grow_to_a_minute(loader: CourseLoader, pinot: FakePinot, clock: Clock) -> None:
    """While Pinot is unavailable, loading is retried after 1, 2, 4 … 60 s; a success resets that."""
    loader.load(course("a"))
    pauses = []
    for _ in range(9):
        pinot.refuse()
        (call,) = clock.getDelayedCalls()
        pauses.append(call.time - clock.seconds())
        clock.advance(pauses[-1])
    pinot.take()
    loader.load(course("b"))
    pinot.refuse()
    (call,) = clock.getDelayedCalls()

    assert pauses == pytest.approx([1, 2, 4, 8, 16, 32, 60, 60, 60])
    assert call.time - clock.seconds() == pytest.approx(1)


def test_a_course_that_is_refused_holds_no_other_up(
    loader: CourseLoader, pinot: FakePinot, clock: Clock
) -> None:
    """After a refusal the next course's turn comes first."""
    for name in "ab":
        loader.load(course(name))
    pinot.refuse()
    clock.advance(1)
    pinot.take()

    assert pinot.names == ["a", "b", "a"]


def test_a_fault_of_ours_holds_no_other_up(loader: CourseLoader, pinot: FakePinot, log: list[Any]) -> None:
    """A course that breaks the loader is logged and left."""
    for name in "ab":
        loader.load(course(name))
    pinot.refuse(ZeroDivisionError())

    assert pinot.names == ["a", "b"]
    assert [line["log_level"] for line in log] == ["error"]


def test_an_outage_is_logged_once(
    loader: CourseLoader, pinot: FakePinot, clock: Clock, log: list[Any]
) -> None:
    """The log has one line when Pinot goes away, however often it is tried, and one when it is back."""
    loader.load(course("a"))
    for _ in range(5):
        pinot.refuse()
        clock.advance(60)
    pinot.take()

    assert [line["event"] for line in log] == [
        "Pinot accepts no courses, retrying",
        "Pinot accepts courses again",
    ]
    assert log[0]["why"] == "Pinot is unavailable"


def ended(loader: CourseLoader) -> list[None]:
    """Close a loader; the list has something in it as soon as that is done."""
    done: list[None] = []
    _ = loader.close().addCallback(done.append)
    return done


def test_the_end_waits_for_what_is_being_loaded(
    loader: CourseLoader, pinot: FakePinot, clock: Clock, log: list[Any]
) -> None:
    """Courses that were handed over just before the end are loaded, and then it is the end."""
    for name in "ab":
        loader.load(course(name))
    done = ended(loader)
    pinot.take()
    assert not done
    pinot.take()

    assert done
    assert clock.getDelayedCalls() == []
    assert log == []


def test_the_end_does_not_wait_long(
    loader: CourseLoader, pinot: FakePinot, clock: Clock, log: list[Any]
) -> None:
    """A Pinot that says nothing doesn't keep the process from ending; what is left is logged."""
    for name in "ab":
        loader.load(course(name))
    done = ended(loader)
    clock.advance(course_loader.LAST)

    assert done
    assert [(line["event"], line["courses"]) for line in log] == [
        ("courses not loaded into Pinot", ["a", "b"])
    ]
    assert pinot.names == ["a"]


def test_the_end_does_not_wait_for_a_pinot_that_is_away(
    loader: CourseLoader, pinot: FakePinot, log: list[Any]
) -> None:
    """If Pinot is or becomes unavailable, closing ends immediately."""
    loader.load(course("a"))
    done = ended(loader)
    pinot.refuse()

    assert done
    assert ended(loader)
    assert [line.get("courses") for line in log] == [None, ["a"], ["a"]]


def test_the_end_of_nothing(loader: CourseLoader, log: list[Any]) -> None:
    """A loader that has nothing to load ends at once and says nothing."""
    assert ended(loader)
    assert log == []


def test_kafkas_publisher_hands_courses_over(pinot: FakePinot) -> None:
    """A course that is published goes to the loader, and the publisher takes the next batch at once."""
    publisher = KafkaPublisher(
        Clock(), {"bootstrap.servers": "127.0.0.1:1"}, CourseLoader(Clock(), pinot.load)
    )
    fired = publisher.publish(CourseRecord(course("a"))).called
    trouble = publisher.health().trouble
    pinot.refuse()

    assert fired
    assert pinot.names == ["a"]
    assert publisher.health().trouble == trouble


def test_the_thread_does_not_hold_the_process_up() -> None:
    """A course is loaded in a daemon thread, and the result is passed to the reactor."""
    done = threading.Event()

    class Reactor(Clock):
        def callFromThread(self, what: Any, *arguments: Any) -> None:  # noqa: N802 - Twisted's name
            threads.append(threading.current_thread())
            what(*arguments)
            done.set()

    threads: list[threading.Thread] = []
    errors: list[str] = []
    loader = CourseLoader.into(Reactor(), "http://127.0.0.1:1")
    loading = loader._load(course("a"))
    _ = loading.addErrback(lambda failure: errors.append(failure.getErrorMessage()))

    assert done.wait(10)
    assert threads[0].daemon
    assert errors[0].startswith("http://127.0.0.1:1/tables/courses/idealstate: ")
