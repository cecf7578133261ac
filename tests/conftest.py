"""Shared fixtures: the real Kafka and Pinot, and a real schema registry."""

import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import settings

from pinot.admin.setup import set_up
from pinot.local import jars
from pinot.local.registry import PROFILE, LocalRegistry
from pinot.local.stack import Stack
from tests.stacks import ANY_PORTS, stack_settings

# No deadline: durations depend on the machine more than on the code.
settings.register_profile("racecast", deadline=None, max_examples=50)
settings.load_profile("racecast")

# A shell starts background jobs with SIGINT ignored, and child processes inherit this. Tests that send SIGINT
# to a program would hang.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that use the stack, so that `-m 'not stack'` deselects them."""
    for item in items:
        if not {"stack", "secured_stack", "registry"}.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.stack)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A real Kafka and Pinot, set up, on free ports: `.kafka`, `.controller`, `.broker`.

    All tests of a session share it, so each test uses its own run id. With RACECAST_TEST_STACK=FOLDER, the
    tests use the stack in that folder and leave it running.
    """
    kept_folder = os.environ.get("RACECAST_TEST_STACK")
    need_java_and_jars()
    stack = Stack.at(Path(kept_folder) if kept_folder else tmp_path_factory.mktemp("stack"), ANY_PORTS)
    try:
        stack.start()
        set_up(stack_settings(stack))
        yield stack
    finally:
        if not kept_folder:
            stack.stop()


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real schema registry, which all tests of a session share."""
    need_java_and_jars("a schema registry", [PROFILE])
    running = LocalRegistry.at(tmp_path_factory.mktemp("registry"))
    try:
        running.start()
        yield running.url
    finally:
        running.stop()


def need_java_and_jars(what: str = "Kafka and Pinot", profiles: Sequence[str] = jars.PROFILES) -> None:
    """Skip the calling test, or fail it in CI, if the stack cannot run on this machine."""
    reason = jars.missing(profiles)
    if reason is None:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must run the tests with {what}, but {reason}", pytrace=False)
    pytest.skip(f"needs the real {what}, but {reason}")
