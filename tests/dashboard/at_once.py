"""A sampler without threads: it takes its sample before it answers."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from dashboard.pipeline.sampler import Sampler
from tests.pinot.samples import NOW, sample


class AtOnce(Executor):
    """Runs what it is given at once."""

    def submit(self, task: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run it, and keep what it raises."""
        done: Future[Any] = Future()
        try:
            done.set_result(task(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - as every executor does
            done.set_exception(error)
        return done


def still_sampler() -> Sampler:
    """One that always finds the same pipeline, which is well."""
    return Sampler(sample, AtOnce(), lambda: NOW)
