"""What the map's layer in the browser is sent every second: JSON by columns, packed once for all viewers."""

from __future__ import annotations

import gzip
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import orjson

from dashboard.store import STATUSES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dashboard.store import Positions

GZIP_LEVEL = 1
"""Level 9 takes ten times as long to save another tenth."""

DEGREE_DECIMALS = 6
"""A tenth of a metre."""


class Feed(NamedTuple):
    """`packed` is gzipped JSON; `version` is the same for two feeds that say the same, and else another."""

    version: str
    packed: bytes


def encode(positions: Positions) -> Feed:
    """The positions by columns, and the version.

    `competitor`, `lon`, `lat`, `distance` and `status` are lists of the same length; a status is its number
    in `statuses`.
    """
    status = np.zeros(len(positions), dtype=np.uint8)
    for number, name in enumerate(STATUSES):
        status[positions.status == name] = number
    columns: dict[str, NDArray[Any]] = {
        "competitor": positions.competitor,
        "lon": np.round(positions.lon, DEGREE_DECIMALS),
        "lat": np.round(positions.lat, DEGREE_DECIMALS),
        "distance": np.round(positions.distance, 1),
        "status": status,
    }
    # Of the content and not of a time: a store may show one half of a tick before the other.
    digest = blake2b(digest_size=8)
    for column in columns.values():
        digest.update(column.tobytes())
    version = digest.hexdigest()
    body = {"version": version, "statuses": STATUSES, **columns}
    return Feed(version, gzip.compress(orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY), GZIP_LEVEL))
