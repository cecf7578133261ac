"""Functions that are called in another process."""

import math
import os
import signal
from collections.abc import Iterator

import numpy as np
import pytest

from stream.aside import NICE, Aside, at_once


@pytest.fixture
def aside() -> Iterator[Aside]:
    """Another process, which has ended after the test."""
    other = Aside()
    yield other
    other.close()


def test_results_come_from_another_process(aside: Aside) -> None:
    """Arguments and results of any size are those of a call here, and all calls share one process."""
    numbers = np.arange(1_000_000, dtype=np.float64)
    assert (aside.call(np.sqrt, numbers) == np.sqrt(numbers)).all()
    process = aside.call(os.getpid)
    assert process != os.getpid()
    assert aside.call(os.getpid) == process
    assert at_once(os.getpid) == os.getpid()


def test_it_has_a_lower_priority(aside: Aside) -> None:
    """Other work of the machine comes first."""
    assert aside.call(os.nice, 0) == min(19, os.nice(0) + NICE)


def test_errors_are_raised_here(aside: Aside) -> None:
    """An error there is one here, and the next call has a result."""
    with pytest.raises(ValueError, match="math domain error"):
        aside.call(math.sqrt, -1.0)
    assert aside.call(math.sqrt, 4.0) == 2.0


def test_what_is_printed_there_is_no_result(aside: Aside) -> None:
    """Prints there go where errors go."""
    assert aside.call(print, "hello") is None


def test_a_process_that_ends_is_replaced(aside: Aside) -> None:
    """A process that was stopped between calls is begun again; a call that ends each one is an error."""
    os.kill(aside.call(os.getpid), signal.SIGKILL)
    assert aside.call(math.sqrt, 9.0) == 3.0
    with pytest.raises(RuntimeError, match="ended before it had a result"):
        aside.call(os._exit, 3)
    assert aside.call(math.sqrt, 9.0) == 3.0
