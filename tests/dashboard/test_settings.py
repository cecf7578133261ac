from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic_settings import CliApp

from dashboard.settings import Settings

if TYPE_CHECKING:
    import pytest


def test_environment_and_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every setting is a variable with the prefix and a flag of the same name; the flag wins."""
    monkeypatch.setenv("RACECAST_DASHBOARD_PORT", "8600")
    monkeypatch.setenv("RACECAST_STORE", "pinot")
    settings = CliApp.run(Settings, cli_args=["--dashboard-port", "8700", "--sqlite", "other.db"])
    assert settings.dashboard_port == 8700
    assert settings.store == "pinot"
    assert settings.sqlite == Path("other.db")


def test_listens_on_loopback_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    """By default nothing outside this machine can reach the dashboard, and it asks nothing outside."""
    for name in ("DASHBOARD_HOST", "STORE", "TILES", "API", "PINOT_BROKER"):
        monkeypatch.delenv(f"RACECAST_{name}", raising=False)
    settings = CliApp.run(Settings, cli_args=[])
    assert settings.dashboard_host == "127.0.0.1"
    assert settings.tiles == ""
    assert {settings.api.host, settings.pinot_broker.host} == {"127.0.0.1"}
