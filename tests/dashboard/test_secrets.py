"""The dashboard's settings in Streamlit's file of secrets."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic_settings import CliApp

from dashboard.secrets import SecretsError
from dashboard.settings import Settings
from tests.processes import ROOT


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of secrets, not there yet, in the working folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".streamlit").mkdir()
    return tmp_path / ".streamlit" / "secrets.toml"


def settings(*flags: str) -> Settings:
    """Return the dashboard's settings."""
    return CliApp.run(Settings, cli_args=list(flags))


def test_a_setting_may_stand_in_the_file(file: Path) -> None:
    """Address and credentials are read from the table of the file, passwords among them."""
    file.write_text(
        '[connections.racecast]\nstore = "pinot"\npinot_broker = "https://pinot:8099"\n'
        'pinot_username = "anna"\npinot_password = "secret"\ndashboard_port = 8600\n'
        '[connections.other]\nurl = "sqlite://"\n'
    )
    read = settings()

    assert (read.store, str(read.pinot_broker), read.dashboard_port) == ("pinot", "https://pinot:8099/", 8600)
    assert read.pinot_password.get_secret_value() == "secret"
    assert "secret" not in repr(read)


def test_flag_then_environment_then_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flag wins over the environment, the environment over the file, the file over the default."""
    file.write_text(
        '[connections.racecast]\ntiles = "file/{z}{x}{y}"\ntiles_attribution = "file"\nkafka = "file"\n'
    )
    monkeypatch.setenv("RACECAST_TILES", "environment")
    monkeypatch.setenv("RACECAST_TILES_ATTRIBUTION", "environment")
    read = settings("--tiles", "flag/{z}{x}{y}")

    assert (read.tiles, read.tiles_attribution, read.kafka) == ("flag/{z}{x}{y}", "environment", "file")
    assert read.pinot_controller == "http://127.0.0.1:9000"


@pytest.mark.parametrize("text", [None, "", '[connections.other]\nurl = ""\n', "[connections.racecast]\n"])
def test_without_the_table_nothing_is_read(file: Path, text: str | None) -> None:
    """Without a file, or with one that is about something else, the settings are what they are without it."""
    if text is not None:
        file.write_text(text)

    assert settings().store == "sqlite"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            '[connections.racecast]\npinot_pasword = "secret"\n',
            "unknown settings in [connections.racecast]: pinot_pasword",
        ),
        ("[connections.racecast\n", "is not valid TOML"),
        ('connections = "secret"\n', "connections must be a table, [connections.racecast]"),
        ('[connections]\nracecast = "secret"\n', "racecast must be a table, [connections.racecast]"),
    ],
)
def test_an_invalid_file_is_reported(file: Path, text: str, why: str) -> None:
    """Unknown settings and anything but a table are refused; no value is shown."""
    file.write_text(text)
    with pytest.raises(SecretsError, match=re.escape(why)) as refused:
        settings()

    assert str(refused.value).startswith(".streamlit/secrets.toml")
    assert "secret" not in str(refused.value).removeprefix(".streamlit/secrets.toml")


def test_an_unreadable_file_is_reported(file: Path) -> None:
    """A folder in place of the file is reported as one."""
    file.mkdir()
    with pytest.raises(SecretsError, match="Is a directory"):
        settings()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("port = 1", ".streamlit/secrets.toml: unknown settings in [connections.racecast]: port\n"),
        ("dashboard_port = 99999", "--dashboard-port must be at most 65,535\n"),
        ('pinot_username = "a"', "--pinot-username and RACECAST_PINOT_PASSWORD need each other\n"),
    ],
)
def test_wrong_settings_end_the_dashboard_with_a_sentence(file: Path, text: str, error: str) -> None:
    """`python -m dashboard` ends with status 1 and a sentence, and no trace."""
    file.write_text(f"[connections.racecast]\n{text}\n")
    variables = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "dashboard"]
    ended = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=60)

    assert (ended.returncode, ended.stderr) == (1, error)


def test_the_example_is_one(file: Path) -> None:
    """Every line of the example that is switched on names a setting, and so does every other one."""
    example = (ROOT / ".streamlit" / "secrets.toml.example").read_text()
    file.write_text(example)
    read = settings()
    off = set(re.findall(r"^# ([a-z_]+) = ", example, re.MULTILINE))

    assert read.store == "pinot"
    assert off
    assert off <= set(Settings.model_fields)
