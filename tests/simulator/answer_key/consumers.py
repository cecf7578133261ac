"""Consumers of a race's events: the correct one of the documentation, and one for each usual mistake."""

import math
from collections.abc import Iterator
from typing import Any

from examples.consumers import plain
from examples.consumers.plain import Consumer, Row
from simulator.answer_key.query import Name

EARTH = 6_371_008.8


class CountsRepeats(Consumer):
    """Takes at-least-once delivery for exactly once."""

    def distinct(self) -> Iterator[Row]:
        """Yield all that arrives."""
        yield from self.positions_of_topic


class ClosesWindowsEarly(Consumer):
    """Allows no lateness."""

    def with_watermark(self) -> Iterator[tuple[Row, float]]:
        """Yield the watermark without the lateness."""
        for event, watermark in super().with_watermark():
            yield event, watermark + (self.lateness or 0) * 1000


class NeverClosesWindows(Consumer):
    """Counts late events in windows that should be closed."""

    def with_watermark(self) -> Iterator[tuple[Row, float]]:
        """Yield a watermark that never moves."""
        for event, _ in super().with_watermark():
            yield event, -math.inf


class TrustsTrackerClocks(Consumer):
    """Compares the timestamps of different trackers."""

    def event_time(self, event: Row) -> int:
        """Return the tracker's time."""
        return int(event["timestamp"])

    def newest(self, until: float | None = None) -> dict[int, Row]:
        """Return the newest by the trackers' clocks."""
        found: dict[int, Row] = {}
        for event in self.distinct():
            if until is not None and event["timestamp"] - self.gun > until * 1000:
                continue
            bib = event["competitorId"]
            if bib not in found or event["timestamp"] > found[bib]["timestamp"]:
                found[bib] = event
        return found


class TakesArrivalForEventTime(Consumer):
    """Puts events into the window in which they arrive."""

    def event_time(self, event: Row) -> int:
        """Return the time of publication."""
        return int(event["emittedAt"])


class TakesTheLastArrival(Consumer):
    """Overwrites a position by whatever arrives later."""

    def newest(self, until: float | None = None) -> dict[int, Row]:
        """Return the last to arrive."""
        arrived = self.positions_of_topic
        return {e["competitorId"]: e for e in arrived if until is None or e["rawTime"] <= until}


class SumsGpsDistances(Consumer):
    """Adds up the distances between places."""

    def newest(self, until: float | None = None) -> dict[int, Row]:
        """Return the newest positions with distances of its own."""
        found = {bib: dict(event) for bib, event in super().newest(until).items()}
        metres = dict.fromkeys(found, 0.0)
        before: dict[int, Row] = {}
        for event in sorted(self.distinct(), key=lambda event: event["rawTime"]):
            if until is not None and event["rawTime"] > until:
                continue
            bib = event["competitorId"]
            if bib in before:
                metres[bib] += between(before[bib], event)
            before[bib] = event
        for bib, event in found.items():
            event["distance"] = round(metres[bib], 3)
        return found


def between(one: Row, other: Row) -> float:
    """Return the metres between two places."""
    north = math.radians(other["lat"] - one["lat"])
    east = math.radians(other["lon"] - one["lon"]) * math.cos(math.radians(other["lat"]))
    return EARTH * math.hypot(north, east)


class FinishesAtTicks(Consumer):
    """Takes the first position with `finished` for the finish."""

    def order(self) -> list[Row]:
        """Return the order by ticks."""
        for passing in self.passings_of_topic:
            if passing["kind"] == "finish":
                passing["elapsed"] = self.tick_after(passing["elapsed"])
        return super().order()

    def tick_after(self, elapsed: float) -> float:
        """Return the first tick that shows a moment."""
        return math.ceil(elapsed / 2) * 2.0


class KnowsOneGun(Consumer):
    """Counts gun time from the first gun in all waves."""

    def wave_gun(self, _: int) -> float:
        """Return the first gun."""
        return 0.0


class KeepsDisqualified(Consumer):
    """Does not read verdicts."""

    def newest(self, until: float | None = None) -> dict[int, Row]:
        """Return positions without verdicts."""
        verdict = {"dsq": "finished"}
        return {
            bib: {**event, "status": verdict.get(event["status"], event["status"])}
            for bib, event in super().newest(until).items()
        }


class RanksByChip(Consumer):
    """Gives places by chip time where gun time was asked for."""

    def order(self) -> list[Row]:
        """Return the order by chip time."""
        rows = super().order()
        finished = sorted((row for row in rows if row["place"]), key=lambda row: row["chipTime"])
        plain.give_places(finished, [row["chipTime"] for row in finished])
        return rows


class ForgetsLaps(Consumer):
    """Has passings without the lap in the key."""

    def passings(self) -> list[Row]:
        """Return the first passing of each point."""
        return [row for row in super().passings() if row["lap"] == 1]


class PassesAtTicks(FinishesAtTicks):
    """Finds passings in positions."""

    def passings(self) -> list[Row]:
        """Return passings at ticks."""
        return [{**row, "elapsed": self.tick_after(row["elapsed"])} for row in super().passings()]


class DwellsAtTicks(Consumer):
    """Measures visits from the first to the last position inside."""

    def dwell(self) -> list[Row]:
        """Return visits at ticks."""
        rows = [dict(row) for row in super().dwell()]
        for row in rows:
            row["enter"] = math.ceil(row["enter"] / 2) * 2.0
            if row["exit"] is not None:
                row["exit"] = math.floor(row["exit"] / 2) * 2.0
                row["seconds"] = row["exit"] - row["enter"]
        return rows


class AllowsNoLateness(ClosesWindowsEarly):
    """Calls each delayed event late."""


class CountsOnlyTheRepeats(Consumer):
    """Leaves the first of each repeated event out of the count."""

    def duplicates(self) -> list[Row]:
        """Return the number of repeats."""
        return [{**row, "times": row["times"] - 1} for row in super().duplicates()]


class TakesFrozenForRepeated(Consumer):
    """Calls an event a repeat if the place has not changed."""

    def duplicates(self) -> list[Row]:
        """Return repeats and unchanged places."""
        rows = list(super().duplicates())
        known = {row["eventId"] for row in rows}
        before: dict[int, tuple[float, float]] = {}
        for event in sorted(self.distinct(), key=lambda event: event["rawTime"]):
            place = event["lat"], event["lon"]
            if before.get(event["competitorId"]) == place and event["eventId"] not in known:
                rows.append({**plain.identity(event), "times": 2})
            before[event["competitorId"]] = place
        return rows


class CountsEachRead(Consumer):
    """Takes each read for a pass."""

    def is_another(self, *_: Any) -> bool:
        """Begin a pass with each read."""
        return True


class TakesTheFirstRead(Consumer):
    """Takes the first read of a pass, when the competitor comes near."""

    def counted(self, some: list[Row]) -> Row:
        """Return the first read, of the main line if it has one."""
        return min(some, key=lambda event: (event["antenna"] != "main", event["time"]))


class TrustsReaderClocks(Consumer):
    """Takes the time of a read as the reader has it."""

    def race_time(self, event: Row) -> float:
        """Return the reader's time."""
        return float((event["timestamp"] - self.gun) / 1000)


class IgnoresDrift(TrustsReaderClocks):
    """Sets the readers' clocks once, before the race."""

    def race_time(self, event: Row) -> float:
        """Return the reader's time less its first error."""
        first, _ = self.references[event["reader"]]
        return super().race_time(event) - (super().race_time(first) - float(first["elapsed"]))


class CountsStrays(Consumer):
    """Takes whatever a reader sees for a pass."""

    def counts(self, event: Row) -> bool:
        """Return whether it is a competitor's chip."""
        return bool(event["competitorId"])


class IgnoresTheBackup(Consumer):
    """Reads the main line only."""

    def counts(self, event: Row) -> bool:
        """Return whether it is of the main line."""
        return super().counts(event) and event["antenna"] == "main"


class ForgetsWhereTheBackupIs(Consumer):
    """Takes both lines to be at one place."""

    def passed_at(self, event: Row) -> float:
        """Return the time of the read."""
        return float(event["time"])


class ExpectsTheWholeCourse(Consumer):
    """Calls every point without a read missed, also beyond where competitors gave up."""

    def furthest(self, *seen: Any) -> dict[int, float]:
        """Return the whole course for all."""
        return dict.fromkeys(super().furthest(*seen), math.inf)


MISTAKES: list[tuple[type[Consumer], Name, str]] = [
    (CountsRepeats, "windows", "repeats of an event were counted"),
    (ClosesWindowsEarly, "windows", "closed too early"),
    (NeverClosesWindows, "windows", "never closed"),
    (TrustsTrackerClocks, "windows", "the other clock"),
    (TakesArrivalForEventTime, "windows", "the window in which they arrived"),
    (TakesTheLastArrival, "positions", "the last event to arrive"),
    (TakesTheLastArrival, "leaderboard", "the last event to arrive"),
    (TrustsTrackerClocks, "positions", "`timestamp` was compared"),
    (TrustsTrackerClocks, "leaderboard", "`timestamp` was compared"),
    (SumsGpsDistances, "positions", "summed from the places"),
    (SumsGpsDistances, "leaderboard", "summed from the places"),
    (FinishesAtTicks, "order", "the tick of the first position"),
    (KnowsOneGun, "order", "from the first gun"),
    (KeepsDisqualified, "order", "disqualified competitors kept"),
    (RanksByChip, "order", "by the other time"),
    (PassesAtTicks, "passings", "taken from positions"),
    (ForgetsLaps, "passings", "the key lacked `lap`"),
    (DwellsAtTicks, "dwell", "taken from positions"),
    (ForgetsLaps, "dwell", "the key lacked `lap`"),
    (AllowsNoLateness, "late", "no lateness"),
    (TrustsTrackerClocks, "late", "the other clock"),
    (CountsOnlyTheRepeats, "duplicates", "the first of each repeated event"),
    (TakesFrozenForRepeated, "duplicates", "an unchanged place"),
    (CountsEachRead, "reads", "each read were a pass"),
    (TakesTheFirstRead, "reads", "the first read of a pass"),
    (TrustsReaderClocks, "reads", "clocks were not corrected"),
    (IgnoresDrift, "reads", "clocks did not drift"),
    (CountsStrays, "reads", "strays were passes"),
    (IgnoresTheBackup, "reads", "the backup line were ignored"),
    (ForgetsWhereTheBackupIs, "reads", "the backup line were at the main line"),
    (CountsStrays, "missed", "strays were passes"),
    (IgnoresTheBackup, "missed", "the backup line were ignored"),
    (ExpectsTheWholeCourse, "missed", "had to pass the whole course"),
]
"""A consumer for each mistake: the kind of answer that it gets wrong, and a part of the hint."""
