"""The altitudes along a course's line: what is missing or impossible is filled in."""

import numpy as np

from simulator.course.course import GEOD
from simulator.course.drawing import Line
from simulator.course.survey import limits
from stream.arrays import Floats, Mask


def altitudes(line: Line, warnings: list[str]) -> Floats | None:
    """Return metres for every point, interpolating what is missing or impossible; None if none is known.

    Zero everywhere means "on the ground" in editors, not sea level.
    """
    low, high = limits.ALTITUDES
    steps = GEOD.inv(line.lon[:-1], line.lat[:-1], line.lon[1:], line.lat[1:])[2]
    along = np.concatenate([[0.0], np.cumsum(steps)])
    known = (line.alt >= low) & (line.alt <= high)
    if not line.alt[known].any():
        return None
    faults = [(~known, f"have no altitude between {low:,.0f} and {high:,.0f} m")]
    for is_wrong, reason in (
        (_is_false_zero, "have the altitude 0, unlike their neighbours"),
        (_is_spike, "have an altitude that their neighbours make impossible"),
    ):
        wrong = np.zeros(len(known), dtype=bool)
        wrong[known] = is_wrong(line.alt[known], along[known])
        known &= ~wrong
        faults.append((wrong, reason))
    for wrong, reason in faults:
        if count := int(wrong.sum()):
            warnings.append(
                f"{count:,} of the {len(known):,} points {reason}, the first at "
                f"{along[wrong.argmax()]:,.0f} m: filled in from their neighbours"
            )
    filled: Floats = np.interp(along, along[known], line.alt[known])
    _warn_of_cliff(line, filled, along, warnings)
    return filled


def _is_false_zero(alt: Floats, along: Floats) -> Mask:
    """Return which altitudes of exactly 0 mean "unknown": those of a run with a cliff beside it."""
    zero = alt == 0.0
    # If nearly all are 0, that is where the line runs.
    if zero.sum() > limits.AT_SEA * len(zero):
        return np.zeros(len(alt), dtype=bool)
    edges = np.flatnonzero(np.diff(zero))
    rise = np.abs(alt[edges + 1] - alt[edges])
    cliff = (rise > limits.FALSE_ZERO) & (rise > limits.CLIFF_OF_ZERO * (along[edges + 1] - along[edges]))
    run = np.cumsum(np.append(False, np.diff(zero)))
    # Edge k separates run k from run k + 1.
    with_cliff = np.zeros(len(edges) + 1, dtype=bool)
    with_cliff[:-1] |= cliff
    with_cliff[1:] |= cliff
    false: Mask = zero & with_cliff[run]
    return false


def _is_spike(alt: Floats, along: Floats) -> Mask:
    """Return which altitudes are far from the median around them, more than the steepest hill explains."""
    half = limits.SPIKE_POINTS
    if len(alt) < 2 * half + 1:
        return np.zeros(len(alt), dtype=bool)
    # At the ends a point is compared with those on its other side, twice.
    around = np.lib.stride_tricks.sliding_window_view(np.pad(alt, half, mode="reflect"), 2 * half + 1)
    median = np.median(around, axis=1)
    reach = np.pad(along, half, mode="edge")
    span = (reach[2 * half :] - reach[: -2 * half]) / 2
    spike: Mask = np.abs(alt - median) > limits.SPIKE + span
    # What most of the points are is no exception.
    spike &= 2 * spike.sum() <= len(spike)
    return spike


def _warn_of_cliff(line: Line, alt: Floats, along: Floats, warnings: list[str]) -> None:
    """Warn about the steepest step if it is too steep to run."""
    rise, run = np.abs(np.diff(alt)), np.diff(along)
    cliffs = np.flatnonzero((rise > limits.CLIFF) & (rise > run))
    if len(cliffs):
        nth = int(cliffs[rise[cliffs].argmax()])
        warnings.append(
            f"The altitude of the {line.where} changes by {rise[nth]:,.0f} m within {run[nth]:,.0f} m, at "
            f"{along[nth]:,.0f} m: check it"
        )
