"""Secrets and origins on a command line, for every command that has them."""

import pytest
from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings

from dashboard.settings import Settings as DashboardSettings
from pinot.settings import ResetSettings, Settings, StatusSettings
from simulator.commands.settings import ReplaySettings, ServeSettings
from stream.problems import flag_sentences
from stream.settings import origins_of, read_settings

KINDS = (ServeSettings, ReplaySettings, Settings, StatusSettings, ResetSettings, DashboardSettings)
SECRET = "correct-horse-battery"
ALL = [
    (kind, name)
    for kind in KINDS
    for name, field in kind.model_fields.items()
    if field.annotation is SecretStr
]


def test_secrets_are_known() -> None:
    """The secrets tested here are each command's passwords, and the token where there is one."""
    assert {name for _, name in ALL} == {"token", "kafka_password", "pinot_password", "pinot_kafka_password"}
    assert {kind for kind, _ in ALL} == set(KINDS)


@pytest.mark.parametrize(("kind", "name"), ALL)
@pytest.mark.parametrize("between", [" ", "="])
def test_no_flag(kind: type[BaseSettings], name: str, between: str) -> None:
    """A secret as a flag is rejected; the message names its variable and does not contain it."""
    flag = f"--{name.replace('_', '-')}"
    with pytest.raises(ValidationError) as refused:
        read_settings(kind, f"{flag}{between}{SECRET}".split())

    message = flag_sentences(refused.value)
    assert message.startswith(f"{flag} is not a flag")
    assert message.endswith(f"set RACECAST_{name.upper()}")
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_no_help(kind: type[BaseSettings], name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The help lists no flag for a secret."""
    with pytest.raises(SystemExit) as ended:
        read_settings(kind, ["--help"])

    offered = capsys.readouterr().out
    assert ended.value.code == 0
    assert "--kafka-username" in offered
    assert f"--{name.replace('_', '-')} " not in offered


def test_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret comes from the environment."""
    monkeypatch.setenv("RACECAST_TOKEN", SECRET)
    assert read_settings(ServeSettings, ["--port", "0"]).token.get_secret_value() == SECRET


@pytest.mark.parametrize(
    "text",
    ["example.org", "https://example.org/", "*", "null", "https://Example.org", "ftp://a", "https://a;b"],
)
@pytest.mark.parametrize(
    ("kind", "flag"), [(ServeSettings, "--cors-origins"), (DashboardSettings, "--frame-ancestors")]
)
def test_an_invalid_origin_is_rejected(kind: type[BaseSettings], flag: str, text: str) -> None:
    """Text that no browser sends as an origin is an error, which names it and shows the right form."""
    with pytest.raises(ValidationError) as refused:
        read_settings(kind, [flag, f"https://a.example, {text}"])

    said = f"{flag} {text} is not a valid origin: use the form https://example.org"
    assert flag_sentences(refused.value) == said


def test_origins() -> None:
    """Origins are separated by commas; an empty setting means none."""
    settings = read_settings(
        ServeSettings, ["--cors-origins", "https://a.example, http://b:8000,http://[::1]"]
    )
    assert origins_of(settings.cors_origins) == {"https://a.example", "http://b:8000", "http://[::1]"}
    assert origins_of(" ") == frozenset()
