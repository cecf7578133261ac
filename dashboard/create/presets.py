"""Presets that fill in the form, from `presets.toml`; everything can be changed afterwards."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple


class Preset(NamedTuple):
    """A button's title and icon, and the fields of `POST /races` that it fills in."""

    title: str
    icon: str
    request: Mapping[str, Any]


PRESETS = tuple(
    Preset(**preset)
    for preset in tomllib.loads(Path(__file__).with_name("presets.toml").read_text("utf-8"))["presets"]
)
