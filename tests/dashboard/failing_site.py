"""The dashboard, started in another folder than its own, with a store that fails unexpectedly."""

import os
import tempfile
from typing import Any, NoReturn

from dashboard import __main__, app
from dashboard.settings import Settings

SECRET = "hunter2-is-the-password"


class FailingStore:
    """Raises something other than `StoreError`, with a secret in its message."""

    def __getattr__(self, name: str) -> NoReturn:
        raise RuntimeError(f"{name} of {__file__} failed: {SECRET}")


def main() -> None:
    """Serve."""
    os.chdir(tempfile.gettempdir())
    app.make_store = _make_store
    __main__.main()


def _make_store(settings: Settings) -> Any:  # noqa: ARG001
    return FailingStore()


if __name__ == "__main__":
    main()
