"""The payload of the live page: a race snapshot as columnar JSON, compressed once for all viewers.

Map and leaderboard use the same payload, so they never disagree. Rows are in leaderboard order.
"""

import gzip
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from hashlib import blake2b
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from dashboard.race.leaderboard import Ranking
from dashboard.race.standing import Figures, Standing
from dashboard.store.protocol import STATUSES, Competitor, Course, Positions, Race
from dashboard.ui.formatting import TIME_DECIMALS
from stream.arrays import Floats

GZIP_LEVEL = 1
"""gzip level; 9 takes ten times as long to save another 10 %."""

DEGREE_DECIMALS = 6
"""Decimals: a tenth of a metre."""

MAX_STAYS = 50
"""Maximum number of competitors listed per geofence; all are counted."""


class Packed(NamedTuple):
    """`body` is gzipped JSON; `version` identifies its content."""

    version: str
    body: bytes


def encode(  # noqa: PLR0913 - a payload has many parts
    race: Race,
    course: Course | None,
    positions: Positions,
    standing: Standing,
    *,
    names: int,
    taken_at: float,
) -> Packed:
    """Encode the live payload.

    Columns, of equal length and in leaderboard order: those of `_columns`, then gap, split (metres of the
    last split) and split_time (chip time), null where there is none. `age` is the age of the newest position
    in seconds when the snapshot was taken; `names` is the number of names the store has.
    """
    order = standing.ranking.order
    columns = _columns(positions, standing.ranking, standing.starts)
    columns["gap"] = _seconds(standing.gaps[order])
    columns["split"] = np.round(standing.split_metres[order], 1)
    columns["split_time"] = _seconds(standing.split_seconds[order])
    said = {
        "time": round(standing.race_time, TIME_DECIMALS),
        "status": race.status,
        "names": names,
        "figures": _figures(standing.figures),
        "change": None if standing.change is None else _figures(standing.change),
        "fences": _fences(course, standing),
    }
    age = round(taken_at - positions.newest_emitted / 1000, 1) if len(positions) else None
    return _pack(columns, said, age=age)


def encode_moment(
    positions: Positions, ranking: Ranking, starts: Floats, *, time: float, end: float
) -> Packed:
    """Encode a past snapshot for the replay: `time` is its race seconds, `end` those of the newest.

    `starts` are gun times in seconds of the own starts, in the order of the positions.
    """
    return _pack(_columns(positions, ranking, starts), {"time": time, "end": end})


def encode_names(competitors: Mapping[int, Competitor]) -> Packed:
    """Encode the start list by columns: competitor, name, category, club.

    A category is its index in `categories`, the most frequent first. Clubs are included if any competitor has
    one.
    """
    entrants = competitors.values()
    counted = Counter(one.category for one in entrants)
    number = {name: nth for nth, name in enumerate(sorted(counted, key=lambda name: (-counted[name], name)))}
    clubs = [one.club for one in entrants]
    body = {
        "names": len(competitors),
        "categories": list(number),
        "competitor": list(competitors),
        "name": [one.name for one in entrants],
        "category": [number[one.category] for one in entrants],
        "club": clubs if any(clubs) else [],
    }
    text = orjson.dumps(body)
    return Packed(blake2b(text, digest_size=8).hexdigest(), gzip.compress(text, GZIP_LEVEL))


def _columns(positions: Positions, ranking: Ranking, starts: Floats) -> dict[str, NDArray[Any]]:
    """Competitor, place (0 for none), lon, lat, distance, elapsed, start, status (an index into `statuses`).

    Start is the gun time in seconds of the own start.
    """
    ranked = positions.take(ranking.order)
    status = np.zeros(len(ranked), dtype=np.uint8)
    for number, name in enumerate(STATUSES):
        status[ranked.status == name] = number
    return {
        "competitor": ranked.competitor,
        "place": ranking.place,
        "lon": np.round(ranked.lon, DEGREE_DECIMALS),
        "lat": np.round(ranked.lat, DEGREE_DECIMALS),
        "distance": np.round(ranked.distance, 1),
        "elapsed": _seconds(ranked.elapsed),
        "start": _seconds(starts[ranking.order]),
        "status": status,
    }


def _pack(columns: dict[str, NDArray[Any]], said: dict[str, Any], **aside: Any) -> Packed:
    """Compress columns and other fields; `aside` is sent too but does not affect the version."""
    # A hash of the content, not a time: a store may show one half of a tick before the other.
    digest = blake2b(orjson.dumps(said), digest_size=8)
    for column in columns.values():
        digest.update(column.tobytes())
    version = digest.hexdigest()
    body = {"version": version, "statuses": STATUSES, **said, **aside, "columns": columns}
    text = orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)
    return Packed(version, gzip.compress(text, GZIP_LEVEL))


def _seconds(values: Floats) -> Floats:
    return np.round(values, TIME_DECIMALS)  # orjson writes NaN as null


def _figures(figures: Figures) -> dict[str, Any]:
    said = asdict(figures)
    leader = said.pop("leader_distance")
    return {**said, "leader": None if leader is None else round(leader, 1)}


def _fences(course: Course | None, standing: Standing) -> list[dict[str, Any]]:
    """Competitors inside each geofence and their entry times, the longest stay first."""
    known = [fence.name for fence in course.fences] if course else []
    elsewhere = sorted(standing.inside.keys() - set(known))
    stays = {name: standing.inside.get(name, []) for name in (*known, *elsewhere)}
    return [
        {
            "name": name,
            "inside": len(inside),
            "competitor": [stay.bib for stay in inside[:MAX_STAYS]],
            "since": [round(stay.since, TIME_DECIMALS) for stay in inside[:MAX_STAYS]],
        }
        for name, inside in stays.items()
    ]
