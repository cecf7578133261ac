"""How a race is shown that has too many competitors to read every position at every tick.

The map and the short lists show a sample: the competitors whose bib is a multiple of a number, so they are
the same at each tick. The first places, the finishers and all counts are exact. Pure.
"""

import math

from dashboard.store.protocol import Every

MOST_WHOLE = 50_000
"""Most competitors of a race of which every position is read; also the most in a finish list."""

SAMPLED = 10_000
"""Competitors in a sample, roughly."""

LISTED = 1000
"""Places in the leaderboard of a race that is shown by a sample."""

LEADERS = 100
"""Leaders on the course that are known once there are more finishers than listed places."""

FOUND = 10
"""Maximum number of competitors that a search finds in such a race."""


def sample_of(competitors: int) -> Every | None:
    """The sample that shows a race of so many competitors; None if all of it is shown.

    The number is a prime: bibs often go up in steps of 2, 5 or 10, and none of these leaves the sample empty.
    """
    if competitors <= MOST_WHOLE:
        return None
    step = math.ceil(competitors / SAMPLED)
    while any(step % factor == 0 for factor in range(2, math.isqrt(step) + 1)):
        step += 1
    return Every(step)
