"""Everything that a page shows of what is expected in a race, in one call."""

from typing import NamedTuple

from stream.arrays import Floats, Ints
from stream.forecasts.between import Sightings
from stream.forecasts.forecast import Forecasts, Learned, arriving, forecast, learn
from stream.forecasts.route import Route
from stream.forecasts.seen import Seen


class Outlook(NamedTuple):
    """What is expected at one moment.

    Attributes:
        learned: what the race has taught.
        found: the forecasts of everyone on the course.
        soon: who arrives where, by time: competitors as in `found.who`, points and race seconds, shape (r,)
            each.
    """

    learned: Learned
    found: Forecasts
    soon: tuple[Ints, Ints, Floats]


def outlook(route: Route, seen: Seen, sample: Seen, sightings: Sightings, seconds: float) -> Outlook:
    """Return what is expected.

    Args:
        route: the course.
        seen: what is known of those who are forecast.
        sample: what is known of those who are learned from.
        sightings: earlier positions of the sample.
        seconds: for which arrivals are listed.
    """
    learned = learn(route, sample, sightings)
    found = forecast(route, seen, learned)
    return Outlook(learned, found, arriving(route, seen, learned, found, seen.now + seconds))
