"""A store or stream with timed queries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from dashboard.metrics import Metrics

_Asked = TypeVar("_Asked")


def measured(asked: _Asked, metrics: Metrics) -> _Asked:
    """A proxy that forwards every call to `asked` and times it in `metrics` by method name."""
    return cast("_Asked", _Measured(asked, metrics))


class _Measured:
    def __init__(self, asked: object, metrics: Metrics) -> None:
        self._asked = asked
        self._asking = metrics.asking

    def __getattr__(self, question: str) -> Callable[..., Any]:
        answer = getattr(self._asked, question)

        def ask(*arguments: Any, **named: Any) -> Any:
            with self._asking(question):
                return answer(*arguments, **named)

        return ask
