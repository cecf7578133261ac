import re
from pathlib import Path

import pytest
from pydantic import ValidationError
from pydantic_settings import CliApp
from streamlit.config import get_option
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_cache import populate_hash_if_needed

from dashboard.settings import OSM_ATTRIBUTION, OSM_TILES, Settings, streamlit_settings
from simulator.http.bodies import COURSES, MAX_SIZES


def test_environment_and_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every setting is a variable with the prefix and a flag of the same name; the flag wins."""
    monkeypatch.setenv("RACECAST_DASHBOARD_PORT", "8600")
    monkeypatch.setenv("RACECAST_STORE", "pinot")
    settings = CliApp.run(Settings, cli_args=["--dashboard-port", "8700", "--sqlite", "other.db"])
    assert settings.dashboard_port == 8700
    assert settings.store == "pinot"
    assert settings.sqlite == Path("other.db")


def test_listens_on_loopback_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """By default no other machine can reach the dashboard, and it makes no requests to any.

    Browsers do, for the street map, unless it is switched off.
    """
    for name in ("DASHBOARD_HOST", "STORE", "TILES", "API", "PINOT_BROKER"):
        monkeypatch.delenv(f"RACECAST_{name}", raising=False)
    settings = CliApp.run(Settings, cli_args=[])
    assert settings.dashboard_host == "127.0.0.1"
    assert settings.street_map == (OSM_TILES, OSM_ATTRIBUTION)
    assert {settings.api.host, settings.pinot_broker.host} == {"127.0.0.1"}


@pytest.mark.parametrize("none", ["none", ""])
def test_street_map_can_be_switched_off(none: str) -> None:
    """With `--tiles none`, or an empty variable, maps have a plain background."""
    assert CliApp.run(Settings, cli_args=["--tiles", none]).street_map is None


def test_tiles_have_places_for_their_numbers() -> None:
    """An address without places for zoom, column and row is refused: every tile would be the same."""
    with pytest.raises(ValidationError, match=re.escape("must be `none` or a URL with {z}, {x} and {y}")):
        CliApp.run(Settings, cli_args=["--tiles", "https://tiles.example/"])


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("browser.gatherUsageStats", False),  # Streamlit reports no usage statistics,
        ("client.showErrorLinks", False),  # offers no viewer to look an error up on the internet,
        ("client.showErrorDetails", "none"),  # and shows no viewer the details
        ("server.enableXsrfProtection", True),
        ("server.enableCORS", True),
        ("server.maxUploadSize", MAX_SIZES[COURSES] / 2**20),  # what the API takes
    ],
)
def test_options_of_streamlit(option: str, value: object) -> None:
    """What protects viewers is in Streamlit's settings, under the names that Streamlit knows."""
    assert streamlit_settings()[option] == value
    assert get_option(option) == value  # fails if Streamlit doesn't know it


def test_every_message_is_sent_whole() -> None:
    """Browsers always get the page's data in full instead of a reference to a cached copy.

    A browser may have dropped its copy by then, which Streamlit shows as an error over the whole page.
    """
    message = ForwardMsg()
    message.delta.new_element.markdown.body = "x" * 10_000_000
    populate_hash_if_needed(message)
    assert message.hash
    assert not message.metadata.cacheable


def test_streamlits_other_doors_are_shut() -> None:
    """Streamlit's optional services are off by default."""
    assert get_option("server.enableStaticServing") is False
    assert get_option("server.enableAgentApi") is False
    assert get_option("server.corsAllowedOrigins") == []
