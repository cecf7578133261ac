"""The ends of several lines: which meet, in which order they can be run, and the line that they make."""

from collections.abc import Sequence

import numpy as np
import shapely

from simulator.course.course import in_space
from simulator.course.drawing import Line
from simulator.course.survey import chains, limits
from simulator.course.survey.chains import Chain, Piece
from simulator.course.survey.outliers import at
from simulator.course.survey.track import DEGREE, beside, length
from stream.arrays import Floats, Ints, Mask


class Ends:
    """The ends of lines.

    Attributes:
        lines: the lines.
        starts, finishes: their first and last points in space, metres, shape (n, 3).
        lengths: metres, shape (n,).
        closed: whether each is a loop, shape (n,).
        in_file: all of them in the file's order, as drawn.
    """

    def __init__(self, lines: Sequence[Line]) -> None:
        self.lines = lines
        self.starts, self.finishes = (
            in_space(*np.array([[line.lon[end], line.lat[end]] for line in lines]).T) for end in (0, -1)
        )
        self.lengths = np.array([length(line) for line in lines])
        is_long = self.lengths > limits.CLOSED_MORE * limits.MEET
        self.closed: Mask = (apart(self.starts, self.finishes) <= limits.MEET) & is_long
        self.in_file: Chain = tuple(Piece(number, against=False) for number in range(len(lines)))
        self._reach = reach(float(np.median(self.lengths)))

    def metres(self, order: Chain) -> float:
        """Return the metres of lines."""
        return float(self.lengths[[piece.number for piece in order]].sum())

    def of(self, order: Chain) -> tuple[Floats, Floats]:
        """Return where each line begins and where it ends, as it is run; shape (n, 3) each."""
        number = np.array([piece.number for piece in order])
        against = np.array([piece.against for piece in order])[:, None]
        starts, finishes = self.starts[number], self.finishes[number]
        return np.where(against, finishes, starts), np.where(against, starts, finishes)

    def gaps(self, order: Chain) -> Floats:
        """Return the metres from the end of each line to the start of the next, shape (n - 1,)."""
        begin, end = self.of(order)
        return apart(end[:-1], begin[1:])

    def follow(self, order: Chain, reach: float = limits.MEET) -> bool:
        """Return whether each line begins where the one before ends, rather than the other way round."""
        begin, end = self.of(order)
        gaps = apart(end[:-1], begin[1:])
        turned = np.minimum(apart(end[:-1], end[1:]), apart(begin[:-1], begin[1:]))
        return bool(((gaps <= reach) & (gaps <= turned + limits.SAME)).all())

    def is_loop(self, order: Chain) -> bool:
        """Return whether lines in this order end where they begin."""
        begin, end = self.of(order)
        return bool(apart(begin[0], end[-1]) <= limits.MEET)

    def begin_or_end(self, order: Chain, places: Floats) -> bool:
        """Return whether lines in this order begin or end at one of some places in space, shape (k, 3)."""
        begin, end = self.of(order)
        return bool((apart(np.stack([begin[0], end[-1]])[:, None], places[None]) <= limits.MEET).any())

    def linked(self, among: Sequence[int]) -> list[Chain]:
        """Return the chains of some of the lines, by their numbers, that meet; the longest first."""
        some = list(among)
        ends = self.starts[some], self.finishes[some], self.lengths[some]
        found = [
            tuple(Piece(some[number], against) for number, against in chain)
            for chain in chains.linked(*ends, self._reach)
        ]
        return sorted(found, key=lambda chain: -self.metres(chain))

    def linked_once(self, once: Sequence[int], whole: Sequence[int]) -> list[Chain]:
        """Return the chains of lines without those that repeat others, or of all if these are fewer.

        A part of the course that is run twice is no copy: the others don't meet without it.
        """
        found = self.linked(once)
        if len(found) == 1 or len(once) == len(whole):
            return found
        return min(found, self.linked(whole), key=len)

    def groups(self) -> list[list[int]]:
        """Return the numbers of the lines that are near each other, in groups; the longest first."""
        reach = self._reach * limits.NEAR / limits.MEET
        found = chains.groups(self.starts, self.finishes, self.lengths, reach)
        return sorted(found, key=lambda some: -float(self.lengths[some].sum()))

    def bridged(self, found: Sequence[Chain]) -> Chain:
        """Return one chain of several, across their gaps."""
        return chains.bridged(found, self.starts, self.finishes, self.lengths)

    def _longer_versions(self, number: int) -> Ints:
        """Return the open lines with the same start and end that are longer, or as long and earlier."""
        own, numbers = float(self.lengths[number]), np.arange(len(self.lengths))
        same = (apart(self.starts, self.starts[number]) <= reach(own)) & (
            apart(self.finishes, self.finishes[number]) <= reach(own)
        )
        longer = (self.lengths > own) | ((self.lengths == own) & (numbers < number))
        versions: Ints = np.flatnonzero(same & longer & ~self.closed)
        return versions

    def without_versions(self, among: Sequence[int], *, beside_only: bool = False) -> list[int]:
        """Return the numbers of lines without those of which there is a longer version among them.

        With `beside_only` a version must run beside the line.
        """
        if len(among) * len(self.lines) > limits.MAX_COMPARED:
            return list(among)
        numbers = set(among)

        def is_version(number: int, other: int) -> bool:
            return other in numbers and (not beside_only or self._run_together(number, other))

        return [
            number
            for number in among
            if not any(is_version(number, other) for other in self._longer_versions(number).tolist())
        ]

    def _run_together(self, number: int, other: int) -> bool:
        """Return whether two lines are at the same places after each quarter of their lengths."""
        return bool((apart(self._quarters(number), self._quarters(other)) <= limits.MEET).all())

    def _quarters(self, number: int) -> Floats:
        line = self.lines[number]
        places = in_space(line.lon, line.lat)
        along = np.append(0.0, np.cumsum(apart(places[:-1], places[1:])))
        at_quarters = along[-1] * np.array([0.25, 0.5, 0.75])
        return np.column_stack([np.interp(at_quarters, along, axis) for axis in places.T])

    def gap_after(self, order: Chain, nth: int) -> str:
        """Describe both sides of the gap after the line number `nth` of an order."""
        before, after = order[nth : nth + 2]
        last, first = self.lines[before.number], self.lines[after.number]
        here, there = at(last, 0 if before.against else -1), at(first, -1 if after.against else 0)
        return f"{here} ({last.where}) to {there} ({first.where})"

    def begun(self, order: Chain, starts: Floats) -> Chain:
        """Return a loop from the joint nearest to a start, else from the file's first line.

        Args:
            order: the lines; returned as they are if they are no loop.
            starts: places of start markers in space, shape (k, 3).
        """
        if not self.is_loop(order):
            return order
        if not len(starts):
            return chains.rotated(order, order.index(min(order)))
        begin, _ = self.of(order)
        return chains.rotated(order, int(apart(begin[:, None], starts[None]).min(axis=1).argmin()))

    def joined(self, order: Chain, where: str, warnings: list[str]) -> Line:
        """Return lines as one; warnings are added."""
        drawn = [
            self.lines[number].take(slice(None, None, -1 if against else 1)) for number, against in order
        ]
        runs = without_overlaps(drawn, warnings, limits.MIN_MEET)
        lon, lat, alt = (
            np.concatenate([getattr(run, name) for run in runs]) for name in ("lon", "lat", "alt")
        )
        # The point where two lines meet is in both.
        joints = np.cumsum([len(run.lon) for run in runs])[:-1]
        keep = np.ones(len(lon), dtype=bool)
        keep[joints[(lon[joints] == lon[joints - 1]) & (lat[joints] == lat[joints - 1])]] = False
        return Line(lon, lat, alt, where).take(keep)


def apart(some: Floats, others: Floats) -> Floats:
    """Return the metres between places in space, shape (..., 3)."""
    metres: Floats = np.linalg.norm(some - others, axis=-1)
    return metres


def reach(metres: float) -> float:
    """Return the distance within which ends of lines of this length meet.

    Ends of lines that are hardly longer than the distance between them don't.
    """
    return min(limits.MEET, max(limits.MIN_MEET, metres / 2))


def turned(order: Chain) -> str:
    """Mention the lines that are run against their drawn direction."""
    number = sum(piece.against for piece in order)
    return f", {number:,} of them turned round" if number else ""


def shown(wheres: Sequence[str]) -> str:
    """List a few places: "the track at line 8, the track at line 20 and 7 more"."""
    more = f" and {len(wheres) - 3:,} more" if len(wheres) > 3 else ""
    return f"the {', the '.join(wheres[:3])}{more}"


def flat(line: Line, beside_: Line) -> Floats:
    """Return a line's points in metres, shape (n, 2), on a plane that touches another line's first point."""
    shrink = np.cos(np.radians(float(beside_.lat[0])))
    return np.column_stack([beside(line.lon, float(beside_.lon[0])) * shrink, line.lat]) * DEGREE


def without_overlaps(lines: Sequence[Line], warnings: list[str], least: float = limits.MEET) -> list[Line]:
    """Return lines that are run in this order, without beginnings that repeat the end of the line before.

    With `least`, only if a line begins further than that from the end of the one before, metres.
    """
    kept = list(lines)
    if len(lines) > limits.MAX_OVERLAPS:
        return kept
    cut, metres = 0, 0.0
    for nth in range(1, len(lines)):
        if overlap := _overlap(kept[nth - 1], lines[nth], least):
            points, repeated = overlap
            kept[nth], cut, metres = lines[nth].take(points), cut + 1, metres + repeated
    if cut:
        warnings.append(
            f"{cut:,} of {len(lines):,} lines repeat the end of the one before: {metres:,.0f} m are left out"
        )
    return kept


def _overlap(before: Line, after: Line, least: float) -> tuple[Ints, float] | None:
    """Return the points of a line after the end of the one before, and the metres that it repeats, if any."""
    if len(after.lon) < 3 or (before.lon[-1], before.lat[-1]) == (after.lon[0], after.lat[0]):
        return None
    own, other = flat(after, before), flat(before, before)
    run, ahead = shapely.LineString(other), shapely.LineString(own)
    end, begin = shapely.Point(other[-1]), shapely.Point(own[0])
    most = min(run.length, ahead.length) / 2
    if max(run.distance(begin), ahead.distance(end)) > limits.MEET or not least < begin.distance(end) <= most:
        return None
    repeated, back = ahead.project(end), run.length - run.project(begin)
    is_tail = limits.MIN_MEET < repeated < most and limits.MIN_MEET < back < most
    middle = ahead.interpolate(repeated / 2)
    if not is_tail or abs(repeated - back) > limits.MEET or run.distance(middle) > limits.MEET:
        return None
    along = np.append(0.0, np.cumsum(np.hypot(*np.diff(own, axis=0).T)))
    points: Ints = np.flatnonzero(along > repeated)
    return (points, repeated) if len(points) > 1 else None
