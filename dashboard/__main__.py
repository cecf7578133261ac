"""`python -m dashboard`: serve the dashboard until interrupted."""

import resource
import sys

from prometheus_client import disable_created_metrics
from pydantic import ValidationError

from dashboard.app import make_app
from dashboard.secrets import SecretsError
from dashboard.settings import Settings, streamlit_settings
from stream.problems import flag_sentences
from stream.settings import read_settings

OPEN_FILES = 65_536
"""Wanted limit of open files: each viewer of a race has two connections."""


def main() -> None:
    """Read the settings and serve; exits if a setting is invalid."""
    settings = _settings()
    _allow_many_viewers()
    # Disables the `_created` gauge beside each counter: the process start time says the same.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    del sys.argv[1:]  # already read; Streamlit would expose them to the pages
    make_app(settings).run(
        config={
            **streamlit_settings(),
            "server.address": settings.dashboard_host,
            "server.port": settings.dashboard_port,
        }
    )


def _allow_many_viewers() -> None:
    """Raise the soft limit of open files, often 1,024, as far as the hard one allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def _settings() -> Settings:
    try:
        return read_settings(Settings, sys.argv[1:])
    except ValidationError as error:
        sys.exit(flag_sentences(error))
    except SecretsError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
