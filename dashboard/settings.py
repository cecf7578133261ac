"""The dashboard's settings: flags, variables of the same names with the prefix RACECAST_, secrets.

A flag wins over the environment, the environment over Streamlit's file of secrets, that over the default.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field, HttpUrl, SecretStr
from pydantic_settings import BaseSettings, InitSettingsSource, SettingsConfigDict

from dashboard.secrets import connection
from stream.kafka import KafkaAccess
from stream.pinot import PinotAccess
from stream.settings import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic_settings import PydanticBaseSettingsSource

_STREAMLIT: Final = Path(__file__).parents[1] / ".streamlit" / "config.toml"


class Settings(KafkaAccess, PinotAccess, BaseSettings):
    """Where the dashboard listens, and where it finds the races, the API and the map's tiles."""

    model_config = SettingsConfigDict(
        env_prefix="RACECAST_",
        cli_kebab_case=True,
        cli_prog_name="python -m dashboard",
        cli_hide_none_type=True,
        frozen=True,
    )

    dashboard_host: str = Field("127.0.0.1", description="address to listen on")
    dashboard_port: Annotated[int, Field(ge=1, le=65535, description="port to listen on")] = 8501
    store: Literal["sqlite", "pinot"] = Field("sqlite", description="where the races are read from")
    sqlite: Path = Field(Path("racecast.db"), description="the simulator's SQLite file")
    pinot_broker: HttpUrl = Field(HttpUrl("http://127.0.0.1:8099"), description="address of Pinot's broker")
    api: HttpUrl = Field(HttpUrl("http://127.0.0.1:8080"), description="address of the simulator's API")
    token: Secret = Field(
        SecretStr(""), description="the simulator's token, with which the page makes and changes races"
    )
    allowed_lateness: int = Field(
        10,
        ge=0,
        le=3600,
        description="seconds of event time that an event may lie behind the newest of its race before the "
        "analytics page counts it as late",
    )
    tiles: str = Field(
        "",
        description="URL template of a tile layer under the map, such as "
        "https://tile.openstreetmap.org/{z}/{x}/{y}.png; without it the ground is plain "
        "and the map asks no other host for anything",
    )
    tiles_attribution: str = Field("", description="whom the tiles are from, shown on the map")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the file of secrets behind the other sources; raises `SecretsError`."""
        secrets = InitSettingsSource(settings_cls, connection(settings_cls.model_fields))
        return init_settings, env_settings, dotenv_settings, file_secret_settings, secrets


def streamlit_settings() -> dict[str, Any]:
    """Streamlit's own settings, by their dotted names.

    Streamlit would read the file by itself, but only if the dashboard is started from the folder with it; and
    a variable, or a file in somebody's home, could undo what protects the viewers.
    """
    return dict(_flat("", tomllib.loads(_STREAMLIT.read_text())))


def _flat(prefix: str, table: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}{name}.", value)
        else:
            yield prefix + name, value
