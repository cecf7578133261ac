"""The dashboard's settings: flags, environment variables (RACECAST_ plus the name), secrets.

Flags override the environment, which overrides Streamlit's secrets file, which overrides the defaults.
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, HttpUrl, SecretStr, field_validator
from pydantic_settings import (
    BaseSettings,
    CliImplicitFlag,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from dashboard.secrets import connection
from stream.kafka import KafkaAccess
from stream.pinot import PinotAccess
from stream.settings import Origins, Secret

OSM_TILES: Final = "https://tile.openstreetmap.org/{z}/{x}/{y}.png"
OSM_ATTRIBUTION: Final = "© OpenStreetMap contributors"
NO_TILES: Final = "none"
_TILE_PARTS: Final = ("{z}", "{x}", "y}")
"""What a URL template of tiles contains; rows may count from the south: {-y}."""

_STREAMLIT: Final = Path(__file__).parents[1] / ".streamlit" / "config.toml"


class Settings(KafkaAccess, PinotAccess, BaseSettings):
    """Where the dashboard listens, and the addresses of the races, the API and the map tiles."""

    model_config = SettingsConfigDict(
        env_prefix="RACECAST_",
        cli_kebab_case=True,
        cli_prog_name="python -m dashboard",
        cli_hide_none_type=True,
        frozen=True,
    )

    dashboard_host: str = Field("127.0.0.1", description="address to listen on")
    dashboard_port: Annotated[int, Field(ge=1, le=65535, description="port to listen on")] = 8501
    store: Literal["sqlite", "pinot"] = Field("sqlite", description="where to read races from")
    sqlite: Path = Field(Path("racecast.db"), description="the simulator's SQLite file")
    pinot_broker: HttpUrl = Field(HttpUrl("http://127.0.0.1:8099"), description="URL of Pinot's broker")
    api: HttpUrl = Field(HttpUrl("http://127.0.0.1:8080"), description="address of the simulator's API")
    token: Secret = Field(
        SecretStr(""), description="the simulator's token, required for creating and changing races"
    )
    read_only: CliImplicitFlag[bool] = Field(
        False, description="only show races: no page of this dashboard creates, pauses or cancels one"
    )
    frame_ancestors: Origins = Field(
        "",
        description="origins of web pages that may show ?view=embed in a frame, https://example.org[,…]; "
        "none if empty",
    )
    allowed_lateness: int = Field(
        10,
        ge=0,
        le=3600,
        description="allowed lateness in seconds: the analytics page counts an event as late if its event "
        "time is further behind the newest of its race",
    )
    tiles: str = Field(
        OSM_TILES,
        description=f"URL template of the street map's tiles; `{NO_TILES}`: a plain background, and the map "
        "makes no requests to other hosts",
    )
    tiles_attribution: str = Field(
        "", description="attribution of the tiles, shown on the map; OpenStreetMap's own have theirs"
    )

    @field_validator("tiles")
    @classmethod
    def _is_template(cls, tiles: str) -> str:
        if tiles in {"", NO_TILES}:
            return NO_TILES
        if not all(part in tiles for part in _TILE_PARTS):
            raise ValueError(
                f"must be `{NO_TILES}` or a URL with {{z}}, {{x}} and {{y}}, such as {OSM_TILES}"
            )
        return tiles

    @property
    def street_map(self) -> tuple[str, str] | None:
        """URL template and attribution of the tiles; None for a plain background."""
        if self.tiles == NO_TILES:
            return None
        return self.tiles, self.tiles_attribution or (OSM_ATTRIBUTION if self.tiles == OSM_TILES else "")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Add the secrets file as the last source; raises `SecretsError`."""
        secrets = InitSettingsSource(settings_cls, connection(settings_cls.model_fields))
        return init_settings, env_settings, dotenv_settings, file_secret_settings, secrets


def streamlit_settings() -> dict[str, Any]:
    """Streamlit's own settings, by their dotted names.

    Streamlit would read the file by itself, but only when started from its folder. An environment variable or
    a file in the home directory could also undo the settings that protect viewers.
    """
    return dict(_flat("", tomllib.loads(_STREAMLIT.read_text())))


def _flat(prefix: str, table: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}{name}.", value)
        else:
            yield prefix + name, value
