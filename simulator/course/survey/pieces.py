"""Joins the pieces of a path: what a file says belongs together, such as the segments of a GPX track."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulator.course.drawing import CourseError, Line
from simulator.course.survey import chains, limits, outliers, roundabouts
from simulator.course.survey.chains import Chain
from simulator.course.survey.ends import Ends, apart, shown, turned, without_overlaps
from simulator.course.survey.track import length
from stream.arrays import Floats


@dataclass(frozen=True, eq=False)
class Path:
    """A path: its line, metres, and warnings about its pieces; and why it can't be run, or ""."""

    line: Line
    metres: float
    warnings: Sequence[str]
    fault: str = ""


def join(lines: Sequence[Line], starts: Floats, proven: Floats) -> Path:
    """Join the pieces of a path, or a line that stands alone.

    Args:
        lines: the pieces in the file's order, without their outliers.
        starts: places of start markers in space, shape (k, 3): a loop begins at the nearest joint.
        proven: those of start and finish markers, as for `outliers.without_jumps`.
    """
    warnings: list[str] = []
    pieces = [outliers.without_jumps(line, proven, warnings) for line in lines]
    if (path := lines[0].path) is None or len(pieces) == 1:
        return Path(pieces[0], length(pieces[0]), warnings)
    ends = Ends(without_overlaps(roundabouts.cut(pieces, warnings), warnings))
    try:
        order = ends.begun(_order(ends, path.where, proven, warnings), starts)
    except CourseError as error:
        # Irrelevant unless this path is the course.
        return Path(pieces[0], float(ends.lengths.sum()), warnings, str(error))
    if order != ends.in_file[: len(order)]:
        first = pieces[order[0].number].where
        warnings.append(
            f"The {path.where} is in {len(pieces):,} pieces: joined by their ends, from the {first}"
            f"{turned(order)}"
        )
    if ends.closed.any():
        warnings.append(f"Pieces of the {path.where} are closed loops: all are run, one after the other")
    line = outliers.without_jumps(ends.joined(order, path.where, warnings), proven, warnings)
    return Path(line, length(line), warnings)


def _order(ends: Ends, where: str, proven: Floats, warnings: list[str]) -> Chain:
    """Return the order and direction of a path's pieces; raises CourseError if too much is missing."""
    if ends.follow(ends.in_file):
        return ends.in_file
    whole = range(len(ends.lines))
    found = ends.linked_once(ends.without_versions(whole, beside_only=True), whole)
    if len(found) > limits.MAX_PARTS:
        raise CourseError(
            f"the {where} is in {len(found):,} parts that don't meet, and {limits.MAX_PARTS} can be put in "
            "order: draw the course as one line"
        )
    main, others = found[0], found[1:]
    branches = [chain for chain in others if _branches(chain, main, ends)]
    parts = [main, *(chain for chain in others if chain not in branches)]
    most = limits.MAX_GAPS * float(ends.lengths.sum())
    _check_branches(branches, most, ends, where)
    order = ends.bridged(parts)
    # A loop that was interrupted could also begin where it goes on, but its markers are elsewhere.
    is_rotated = order == chains.rotated(ends.in_file, order[0].number)
    if is_rotated and _missing(ends.gaps(ends.in_file)) <= most and not ends.begin_or_end(order, proven):
        order = ends.in_file
    elif _missing(ends.gaps(order)) > most:
        # What is far away is left out if it is short.
        if sum(map(ends.metres, parts[1:])) > most:
            gaps = ends.gaps(order)
            nth = int(gaps.argmax())
            raise CourseError(
                f"the {where} is in {len(parts)} parts that don't meet: {gaps[nth]:,.0f} m are missing from "
                f"{ends.gap_after(order, nth)}; draw the missing part, or delete what doesn't belong"
            )
        order = main
    _report(order, ends, where, warnings)
    return order


def _branches(chain: Chain, main: Chain, ends: Ends) -> bool:
    """Return whether a chain begins or ends at an inner joint of another one."""
    own, joints = np.concatenate([ends.of(chain)[0][:1], ends.of(chain)[1][-1:]]), ends.of(main)[0][1:]
    return bool((apart(own[:, None], joints[None]) <= limits.MEET).any())


def _check_branches(branches: Sequence[Chain], most: float, ends: Ends, where: str) -> None:
    """Raise CourseError if too much branches off."""
    if (metres := sum(map(ends.metres, branches))) > most:
        branch = ends.lines[branches[0][0].number]
        raise CourseError(
            f"the {where} has branches of {metres:,.0f} m that can't be run in one go, such as the "
            f"{branch.where} at {outliers.at(branch, 0)}: delete what doesn't belong"
        )


def _missing(gaps: Floats) -> float:
    return float(gaps[gaps > limits.MEET].sum())


def _report(order: Chain, ends: Ends, where: str, warnings: list[str]) -> None:
    """Warn about the gaps of an order, and the pieces that are not in it."""
    gaps = ends.gaps(order)
    if missing := _missing(gaps):
        nth = int(gaps.argmax())
        warnings.append(
            f"Pieces of the {where} don't meet: {missing:,.0f} m are added in straight lines, the longest of "
            f"{gaps[nth]:,.0f} m from {ends.gap_after(order, nth)}"
        )
    used = {piece.number for piece in order}
    if beside := [line.where for number, line in enumerate(ends.lines) if number not in used]:
        warnings.append(
            f"Left out of the {where}, because they branch off, are far away or repeat other pieces: "
            f"{shown(beside)}"
        )
