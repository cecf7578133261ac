"""The payload of the results page: results as columnar JSON, compressed once for all viewers."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboard.race.finish_list import Results
from dashboard.race.payload import Packed, named, names_of, pack, seconds, status_numbers
from dashboard.store.protocol import Competitor, Race

MAX_SPLITS = 10
"""Maximum number of splits; of a longer course every second or third one is sent."""


def encode(
    found: Results,
    race: Race,
    *,
    names: int,
    is_final: bool,
    finishers: tuple[int, Mapping[int, Competitor]] | None = None,
) -> Packed:
    """Encode the results, in finish order.

    Columns: competitor, place (0 without one), status, gun, chip and gap (seconds; null before the finish),
    distance (metres), and `split_0`… (chip time in seconds), whose names and metres are in `splits`. `names`
    is the number of names the store has; `final` says that the results will not change any more.

    With cut-offs, the column `cut_off` has the number of the one that has stopped a competitor, as the live
    payload has it.

    `finishers` are the number of all finishers, and the names of those in the results, if these are not all
    competitors: then they are sent as `of` and `people`.
    """
    every = -(-len(found.split_metres) // MAX_SPLITS) or 1
    splits = {f"split_{nth}": seconds(times) for nth, times in enumerate(found.splits.T[::every])}
    columns: dict[str, NDArray[Any]] = {
        "competitor": found.bib,
        "place": found.place,
        "status": status_numbers(found.status),
        "gun": seconds(found.gun),
        "chip": seconds(found.chip),
        "gap": seconds(found.gap),
        "distance": np.round(found.distance, 1),
        **splits,
        **({} if found.cut_offs is None else {"cut_off": found.stopped + 1}),
    }
    points = [
        {"name": name, "metres": round(metres, 1)}
        for name, metres in zip(found.split_names, found.split_metres.tolist(), strict=True)
    ]
    said = {
        **named(found.cut_offs),
        "status": race.status,
        "rank": found.rank,
        "names": names,
        "splits": points[::every],
        "final": is_final,
    }
    if finishers is not None:
        said["of"], people = finishers
        said["people"] = names_of(people)
    return pack(columns, said)
