"""A real Kafka and Pinot for tests and benchmarks, on free ports and stopped afterwards."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from pinot.local.stack import Stack
from pinot.settings import Settings

ANY_PORTS = {"kafka": 0, "controller": 0, "broker": 0}


@contextmanager
def started(folder: Path, *parts: str, extra: Mapping[str, str] = MappingProxyType({})) -> Iterator[Stack]:
    """Run all or some parts of a stack in `folder`; `extra` has more lines for its configuration files."""
    stack = Stack.at(folder, ANY_PORTS, extra)
    try:
        stack.start(*parts)
        yield stack
    finally:
        stack.stop()


def stack_settings(stack: Stack) -> Settings:
    """Return the settings that set up `stack`."""
    return Settings(kafka=stack.kafka, pinot_controller=stack.controller, pinot_broker=stack.broker)


@contextmanager
def without(stack: Stack, part: str) -> Iterator[None]:
    """Stop one part of the stack, and restart it afterwards."""
    stack.stop(part)
    try:
        yield
    finally:
        stack.start(part)
