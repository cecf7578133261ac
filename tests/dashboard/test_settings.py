from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic_settings import CliApp
from streamlit.config import get_option

from dashboard.settings import Settings
from tests.dashboard.events import ROOT

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


def test_nothing_leads_elsewhere() -> None:
    """Streamlit tells nobody that it is used, and offers no viewer to look an error up on the internet."""
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    wanted = {"browser.gatherUsageStats": False, "client.showErrorLinks": False}
    for option, value in wanted.items():
        section, name = option.split(".")
        assert config[section][name] is value
        assert get_option(option) is value  # fails if Streamlit doesn't know it
