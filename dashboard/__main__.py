"""`python -m dashboard`: serve the dashboard until interrupted."""

from __future__ import annotations

import sys

from prometheus_client import disable_created_metrics
from pydantic_settings import CliApp

from dashboard.app import make_app
from dashboard.settings import Settings, streamlit_settings


def main() -> None:
    """Read the settings and serve."""
    settings = CliApp.run(Settings)
    # A gauge beside each counter that says since when it counts: the process's start says that.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    del sys.argv[1:]  # they are read; Streamlit would hand them to the pages
    make_app(settings).run(
        config={
            **streamlit_settings(),
            "server.address": settings.dashboard_host,
            "server.port": settings.dashboard_port,
        }
    )


if __name__ == "__main__":
    main()
