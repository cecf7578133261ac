"""Cut-offs: time limits at timing points and at the finish, and why a competitor is out.

A competitor who reaches a point after its limit passes it and is stopped there. At the limit of the finish
the course closes: those who are still on it are stopped where they are. Both have the status `dnf` from that
moment on, like those who give up. `CutOffs.reached` distinguishes them by place and time alone, so that the
API and the readers of both stores agree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import orjson

from stream.arrays import Floats, Ints, Mask, Texts
from stream.results import DECIMALS, split_names

Since = Literal["gun", "wave"]
"""What limits count from: the first gun, or the gun of the own wave."""
FINISH = "finish"
"""Name of the limit at the finish."""
NONE = -1
"""Index for competitors whom no cut-off has stopped."""


class CutOff(NamedTuple):
    """A time limit.

    Attributes:
        name: of the split, as the results have it, or `FINISH`.
        point, lap: of the passings there.
        distance: metres from the start.
        limit: seconds; who is there at that time is in time.
    """

    name: str
    point: str
    lap: int
    distance: float
    limit: float

    @property
    def is_finish(self) -> bool:
        """Whether the course closes at this limit."""
        return self.name == FINISH


@dataclass(frozen=True)
class CutOffs:
    """The cut-offs of a race, k of them.

    Attributes:
        limits: by distance; both distance and limit rise.
        since: what the limits count from.
    """

    limits: tuple[CutOff, ...]
    since: Since = "gun"

    @classmethod
    def read(cls, text: str, since: str) -> "CutOffs | None":
        """Return the cut-offs in the columns `cutOffs` and `cutOffsFrom`; None if there are none.

        Raises ValueError or LookupError if the text can't be read.
        """
        found: Sequence[Mapping[str, Any]] = orjson.loads(text or "[]")
        limits = tuple(
            CutOff(
                str(one["name"]),
                str(one["point"]),
                int(one["lap"]),
                float(one["distance"]),
                float(one["limit"]),
            )
            for one in found
        )
        return cls(limits, "wave" if since == "wave" else "gun") if limits else None

    def published(self) -> list[CutOff]:
        """Return the limits as they are published: distances to the millimetre."""
        return [one._replace(distance=round(one.distance, DECIMALS)) for one in self.limits]

    def text(self) -> str:
        """Return the limits as JSON, as the column `cutOffs` has them."""
        return orjson.dumps([one._asdict() for one in self.published()]).decode()

    def deadlines(self, guns: Floats) -> Floats:
        """Return the race seconds of each limit for competitors whose waves have these guns, shape (n, k)."""
        moments = guns if self.since == "wave" else np.zeros(len(guns))
        limits = np.array([one.limit for one in self.limits])
        deadlines: Floats = np.round(moments[:, None] + limits, DECIMALS)
        return deadlines

    def reached(self, status: Texts, distance: Floats, elapsed: Floats, guns: Floats) -> Ints:
        """Return which limit has stopped each competitor, shape (n,): its index, or `NONE`.

        Args:
            status: the statuses of the topic `parkrun`, shape (n,) like all others.
            distance: metres at the newest position.
            elapsed: race seconds of that position.
            guns: race seconds of the own wave's gun.
        """
        stopped = np.full(len(status), NONE)
        out = status == "dnf"
        metres, seconds = np.round(distance, DECIMALS), np.round(elapsed, DECIMALS)
        deadlines = self.deadlines(guns).T
        for nth, (one, deadline) in enumerate(zip(self.limits, deadlines, strict=True)):
            is_there: Mask = metres == round(one.distance, DECIMALS)
            # Those who are in time at a point go on from there; the finish has no point for the others.
            over = seconds == deadline if one.is_finish else is_there & (seconds > deadline)
            stopped[out & over] = nth
        return stopped

    def names(self, stopped: Ints) -> list[str]:
        """Return the name of each of these limits, empty for `NONE`."""
        names = [*(one.name for one in self.limits), ""]
        return [names[nth] for nth in stopped.tolist()]


def reason(name: str) -> str:
    """Return why a competitor is out whom the limit with this name has stopped; empty without one."""
    if name == FINISH:
        return "course closed"
    return f"cut-off at {name}" if name else ""


def names_of(splits: Sequence[tuple[str, int]]) -> tuple[str, ...]:
    """Return the names by which limits at splits (point, lap) are set: as results have them.

    None of them is that of the finish.
    """
    return split_names(splits, (FINISH,))
