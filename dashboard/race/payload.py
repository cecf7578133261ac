"""The payload of the live page: a race snapshot as columnar JSON, compressed once for all viewers.

Map and leaderboard use the same payload, so they never disagree. Rows are in leaderboard order.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from hashlib import blake2b
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from dashboard.race import event_stream
from dashboard.race.leaderboard import NO_PLACE, Ranking
from dashboard.race.standing import Standing, stopped_by
from dashboard.store.protocol import STATUSES, Competitor, Course, Positions, Race
from dashboard.ui.formatting import TIME_DECIMALS
from stream.arrays import Floats, Ints, Mask, Texts
from stream.cut_offs import CutOffs
from stream.results import since

DEGREE_DECIMALS = 6
"""Decimals: a tenth of a metre."""

MAX_STAYS = 50
"""Maximum number of competitors listed per geofence; all are counted."""


class Packed(NamedTuple):
    """`body` is gzipped JSON; `version` identifies its content."""

    version: str
    body: bytes


class Sampled(NamedTuple):
    """What a payload says of a race that is shown by a sample.

    Attributes:
        mask: which of the competitors are of the sample, shape (n,), in bib order.
        most_listed: length of the leaderboard.
        others: the start list's entries of the other competitors.
    """

    mask: Mask
    most_listed: int
    others: Mapping[int, Competitor]


def encode(  # noqa: PLR0913 - a payload has many parts
    race: Race,
    course: Course | None,
    positions: Positions,
    standing: Standing,
    *,
    names: int,
    taken_at: float,
    sampled: Sampled | None = None,
) -> Packed:
    """Encode the live payload.

    Columns, of equal length and in leaderboard order: those of `_columns`, then gap, split (metres of the
    last split) and split_time (chip time), null where there is none. `age` is the age of the newest position
    in seconds when the snapshot was taken; `names` is the number of names the store has.

    If the race is shown by a sample, the column `drawn` is 1 for its members, and places that are not known
    are 0. `listed` is the number of the first rows, which make the leaderboard. `people` are the names of
    those who are not in the sample, and `names` the number of those who are.
    """
    columns = _live_columns(race, positions, standing)
    said = {
        **named(race.cut_offs),
        "time": round(standing.race_time, TIME_DECIMALS),
        "status": race.status,
        "names": names,
        "figures": asdict(standing.figures),
        "change": None if standing.change is None else asdict(standing.change),
        "fences": _fences(course, standing),
    }
    if sampled is not None:
        columns["drawn"] = sampled.mask[standing.ranking.order].astype(np.uint8)
        said["listed"] = min(_leading(standing.ranking.place), sampled.most_listed)
        said["people"] = names_of(sampled.others)
    age = round(taken_at - positions.newest_emitted / 1000, 1) if len(positions) else None
    return pack(columns, said, age=age)


def encode_found(
    race: Race,
    positions: Positions,
    standing: Standing,
    competitors: Mapping[int, Competitor],
    *,
    has_more: bool,
) -> Packed:
    """Encode competitors that a search has found: the columns of the live payload, and `people`.

    `more` says that more competitors match the search.
    """
    said = {
        **named(race.cut_offs),
        "status": race.status,
        "people": names_of(competitors),
        "more": has_more,
    }
    return pack(_live_columns(race, positions, standing), said)


def encode_moment(  # noqa: PLR0913 - a payload has many parts
    positions: Positions,
    ranking: Ranking,
    moments: tuple[Floats, Floats],
    *,
    time: float,
    end: float,
    status: str,
    cut_offs: CutOffs | None = None,
) -> Packed:
    """Encode a past snapshot for the replay: `time` is its race seconds, `end` those of the newest.

    `status` is the race's at that moment, `cut_offs` are the race's.
    `moments` are the seconds from the first gun to each one's own gun and own start, in the order of the
    positions.
    """
    said = {**named(cut_offs), "time": time, "end": end, "status": status}
    return pack(_columns(positions, ranking, moments, cut_offs), said)


def encode_names(competitors: Mapping[int, Competitor]) -> Packed:
    """Encode the start list: see `names_of`."""
    text = orjson.dumps(names_of(competitors))
    return Packed(blake2b(text, digest_size=8).hexdigest(), event_stream.compress(text))


def names_of(competitors: Mapping[int, Competitor]) -> dict[str, Any]:
    """A start list by columns: competitor, name, category, club, sex, wave.

    A category is its index in `categories`, the most frequent first. Clubs are included if any competitor has
    one, and so are sexes; waves if there are several.
    """
    entrants = competitors.values()
    counted = Counter(one.category for one in entrants)
    number = {name: nth for nth, name in enumerate(sorted(counted, key=lambda name: (-counted[name], name)))}
    clubs = [one.club for one in entrants]
    sexes = [one.sex for one in entrants]
    waves = [one.wave for one in entrants]
    return {
        "names": len(competitors),
        "categories": list(number),
        "competitor": list(competitors),
        "name": [one.name for one in entrants],
        "category": [number[one.category] for one in entrants],
        "club": clubs if any(clubs) else [],
        "sex": sexes if any(sexes) else [],
        "wave": waves if len(set(waves)) > 1 else [],
    }


def _leading(places: Ints) -> int:
    """The number of places from the first one on that are known."""
    unknown = np.flatnonzero(places == NO_PLACE)
    return int(unknown[0]) if len(unknown) else len(places)


def named(cut_offs: CutOffs | None) -> dict[str, Any]:
    """What the column `cut_off` counts, from 1: each cut-off's name and metres; nothing without cut-offs."""
    if cut_offs is None:
        return {}
    return {"cut_offs": [{"name": one.name, "metres": one.distance} for one in cut_offs.limits]}


def _live_columns(race: Race, positions: Positions, standing: Standing) -> dict[str, NDArray[Any]]:
    """The columns of `encode`."""
    order = standing.ranking.order
    columns = _columns(positions, standing.ranking, (standing.guns, standing.starts), race.cut_offs)
    columns["gap"] = seconds(standing.gaps[order])
    columns["split"] = np.round(standing.split_metres[order], 1)
    columns["split_time"] = seconds(standing.split_seconds[order])
    return columns


def _columns(
    positions: Positions, ranking: Ranking, moments: tuple[Floats, Floats], cut_offs: CutOffs | None
) -> dict[str, NDArray[Any]]:
    """Competitor, place, lon, lat, distance, elapsed, gun, chip, status; with cut-offs also cut_off.

    The place is 0 for none; elapsed, gun and chip are the seconds since the first gun, the own wave's gun and
    the own start, negative before them; the status is an index into `statuses`. `cut_off` is the number of
    the one that has stopped the competitor, from 1; 0 for none.
    """
    gun, chip = (since(positions.elapsed, moment)[ranking.order] for moment in moments)
    ranked = positions.take(ranking.order)
    stopped = stopped_by(cut_offs, ranked, moments[0][ranking.order])
    return {
        "competitor": ranked.competitor,
        "place": ranking.place,
        "lon": np.round(ranked.lon, DEGREE_DECIMALS),
        "lat": np.round(ranked.lat, DEGREE_DECIMALS),
        "distance": np.round(ranked.distance, 1),
        "elapsed": seconds(ranked.elapsed),
        "gun": gun,
        "chip": chip,
        "status": status_numbers(ranked.status),
        **({} if cut_offs is None else {"cut_off": stopped + 1}),
    }


def pack(columns: dict[str, NDArray[Any]], said: dict[str, Any], **aside: Any) -> Packed:
    """Compress columns and other fields as a payload; `aside` is sent too but does not affect the version."""
    # A hash of the content, not a time: a store may show one half of a tick before the other.
    digest = blake2b(orjson.dumps(said), digest_size=8)
    for column in columns.values():
        digest.update(column.tobytes())
    version = digest.hexdigest()
    body = {"version": version, "statuses": STATUSES, **said, **aside, "columns": columns}
    text = orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)
    return Packed(version, event_stream.compress(text))


def status_numbers(status: Texts) -> NDArray[np.uint8]:
    """Statuses as indices into `STATUSES`."""
    numbers = np.zeros(len(status), dtype=np.uint8)
    for number, name in enumerate(STATUSES):
        numbers[status == name] = number
    return numbers


def seconds(values: Floats) -> Floats:
    """Seconds as browsers get them: to the millisecond."""
    return np.round(values, TIME_DECIMALS)  # orjson writes NaN as null


def _fences(course: Course | None, standing: Standing) -> list[dict[str, Any]]:
    """Competitors inside each geofence and their entry times, the longest stay first."""
    known = [fence.name for fence in course.fences] if course else []
    elsewhere = sorted(standing.inside.keys() - set(known))
    stays = {name: standing.inside.get(name, []) for name in (*known, *elsewhere)}
    return [
        {
            "name": name,
            "inside": standing.crowds.get(name, 0),
            "competitor": [stay.bib for stay in inside[:MAX_STAYS]],
            "since": [round(stay.since, TIME_DECIMALS) for stay in inside[:MAX_STAYS]],
        }
        for name, inside in stays.items()
    ]
