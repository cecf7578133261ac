"""What the map's layer in the browser is sent every second: JSON by columns, packed once for all viewers."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import numpy as np
import orjson

from dashboard.store import STATUSES

if TYPE_CHECKING:
    from dashboard.store import Positions, Race

GZIP_LEVEL = 1
"""Level 9 takes ten times as long to save another tenth."""

DEGREE_DECIMALS = 6
"""A tenth of a metre."""


def version(race: Race, positions: Positions) -> str:
    """Changes whenever a position or the race's status does."""
    newest = int(positions.emitted_at.max()) if len(positions) else 0
    return f"{race.updated_at}-{newest}-{len(positions)}"


def encode(race: Race, positions: Positions, of_version: str) -> bytes:
    """The positions as gzipped JSON.

    `competitor`, `lon`, `lat`, `distance` and `status` are lists of the same length; a status is its number
    in `statuses`.
    """
    status = np.zeros(len(positions), dtype=np.uint8)
    for number, name in enumerate(STATUSES):
        status[positions.status == name] = number
    body = {
        "version": of_version,
        "race_status": race.status,
        "statuses": STATUSES,
        "competitor": positions.competitor,
        "lon": np.round(positions.lon, DEGREE_DECIMALS),
        "lat": np.round(positions.lat, DEGREE_DECIMALS),
        "distance": np.round(positions.distance, 1),
        "status": status,
    }
    return gzip.compress(orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY), GZIP_LEVEL)
