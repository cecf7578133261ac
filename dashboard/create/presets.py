"""Presets that fill in the form, from `presets.toml`; everything can be changed afterwards."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Preset(NamedTuple):
    """A button's title and icon, and the fields of `POST /races` that it fills in."""

    title: str
    icon: str
    request: Mapping[str, Any]


PRESETS = tuple(
    Preset(**preset)
    for preset in tomllib.loads(Path(__file__).with_name("presets.toml").read_text("utf-8"))["presets"]
)
