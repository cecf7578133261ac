"""A correct consumer in plain Python: reads the topics as lines of JSON, in the order of arrival.

    python -m examples.consumers.plain FOLDER windows --window 60 > answer.ndjson

The folder has a file for each topic, as `python -m simulator generate` or kcat writes it: `parkrun.ndjson`,
`passings.ndjson`, `competitors.ndjson` and `races.ndjson`; for answers about raw reads, `reads.ndjson` and
`courses.ndjson`, too. It must contain one race.
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

Event = dict[str, Any]
Row = dict[str, Any]
RANKED = {"finished": 0, "running": 1, "paused": 1}
"""Statuses with a place, in this order."""
WAVE_DELAY = 60.0
"""Seconds between the guns of two waves, unless the request says otherwise."""
MIN_DISTANCE = 100.0
"""Metres from which a position counts for the mean pace."""
STRONG = -70
"""Weakest read of a chip that counts, dBm."""
SAME_PASS = 5.0
"""Seconds after a read within which the next one belongs to the same pass."""
BACKUP_LATER = 1.0
"""Seconds after the main line at which everyone crosses the backup line."""


class Consumer:
    """The events of one race, and what follows from them.

    Args:
        folder: with a file for each topic.
        at: event time of `leaderboard` and `positions`, race seconds; None is the end.
        window: seconds.
        lateness: seconds by which the watermark stays behind; None: windows never close.
    """

    def __init__(
        self, folder: Path | str, at: float | None = None, window: int = 60, lateness: float | None = None
    ) -> None:
        folder = Path(folder)
        self.at = at
        self.window = window
        self.lateness = lateness
        self.folder = folder
        self.positions_of_topic = read(folder / "parkrun.ndjson")
        self.passings_of_topic = read(folder / "passings.ndjson")
        self.wave = {entry["competitorId"]: entry["wave"] for entry in read(folder / "competitors.ndjson")}
        race = read(folder / "races.ndjson")[-1]
        self.gun: int = race["startTime"]
        # The request has only what differs from the defaults.
        self.wave_delay = wave_delay_of(race)

    def answer(self, kind: str) -> list[Row]:
        """Return the rows of an answer: the method of this name."""
        rows: list[Row] = getattr(self, kind)()
        return rows

    def event_time(self, event: Event) -> int:
        """Return the event time, epoch ms: by the race's clock, because each tracker has its own."""
        return self.gun + int(event["rawTime"]) * 1000

    def distinct(self) -> Iterator[Event]:
        """Yield each position once, when it arrives first: delivery is at least once."""
        known: set[str] = set()
        for event in self.positions_of_topic:
            if event["eventId"] not in known:
                known.add(event["eventId"])
                yield event

    def newest(self, until: float | None = None) -> dict[int, Event]:
        """Return each competitor's newest position: of the highest event time, not the last to arrive.

        Positions with a later event time than `until` (race seconds) don't count.
        """
        found: dict[int, Event] = {}
        for event in self.distinct():
            bib = event["competitorId"]
            if until is not None and event["rawTime"] > until:
                continue
            if bib not in found or event["timestamp"] > found[bib]["timestamp"]:
                found[bib] = event
        return found

    def wave_gun(self, bib: int) -> float:
        """Return the seconds from the first gun to that of a competitor's wave."""
        return float(round((self.wave[bib] - 1) * self.wave_delay, 3))

    def order(self) -> list[Row]:
        """Return the final order by gun time."""
        start = {p["competitorId"]: p["elapsed"] for p in self.passings_of_topic if p["kind"] == "start"}
        finish = {p["competitorId"]: p["elapsed"] for p in self.passings_of_topic if p["kind"] == "finish"}
        rows = []
        for bib, event in self.newest().items():
            end = finish.get(bib)
            rows.append(
                {
                    "competitorId": bib,
                    "place": None,
                    "status": event["status"],
                    "gunTime": None if end is None else round(end - self.wave_gun(bib), 3),
                    "chipTime": None if end is None else round(end - start[bib], 3),
                }
            )
        finished = sorted(
            (row for row in rows if row["status"] == "finished"), key=lambda row: row["gunTime"]
        )
        give_places(finished, [row["gunTime"] for row in finished])
        return rows

    def leaderboard(self) -> list[Row]:
        """Return the leaderboard at an event time: finishers by gun time, then the others by distance."""
        rows, keys = [], {}
        for bib, event in self.newest(self.at).items():
            status = event["status"]
            time = round(event["elapsed"] - self.wave_gun(bib), 3)
            keys[bib] = (RANKED.get(status, 2), time if status == "finished" else -event["distance"])
            row = {name: event[name] for name in ("competitorId", "status", "distance", "elapsed")}
            rows.append({**row, "place": None})
        ranked = sorted(
            (row for row in rows if row["status"] in RANKED), key=lambda row: keys[row["competitorId"]]
        )
        give_places(ranked, [keys[row["competitorId"]] for row in ranked])
        return rows

    def positions(self) -> list[Row]:
        """Return the newest position of each competitor up to an event time."""
        names = ("competitorId", "rawTime", "lat", "lon", "distance", "status", "elapsed")
        return [{name: event[name] for name in names} for event in self.newest(self.at).values()]

    def with_watermark(self) -> Iterator[tuple[Event, float]]:
        """Yield the distinct positions with the watermark that applied when each arrived, epoch ms.

        The watermark moves once per second of arrival, so that the order within a second does not matter.
        """
        highest = reached = float("-inf")
        second = None
        for event in self.distinct():
            if event["emittedAt"] // 1000 != second:
                second, reached = event["emittedAt"] // 1000, highest
            highest = max(highest, self.event_time(event))
            yield event, reached - (self.lateness or 0) * 1000

    def windows(self) -> list[Row]:
        """Return the tumbling windows."""
        size = self.window * 1000
        events: Counter[int] = Counter()
        dropped: Counter[int] = Counter()
        people: dict[int, set[int]] = {}
        paces: dict[int, list[float]] = {}
        for event, watermark in self.with_watermark():
            start = self.event_time(event) // size * size
            if self.lateness is not None and start + size <= watermark:
                dropped[start] += 1
                continue
            events[start] += 1
            people.setdefault(start, set()).add(event["competitorId"])
            if event["status"] == "running" and event["distance"] >= MIN_DISTANCE:
                paces.setdefault(start, []).append(1000 * event["elapsed"] / event["distance"])
        return [
            {
                "start": start,
                "events": events[start],
                "competitors": len(people.get(start, ())),
                "dropped": dropped[start],
                "pace": sum(paces[start]) / len(paces[start]) if start in paces else None,
            }
            for start in sorted(events.keys() | dropped.keys())
        ]

    def passings(self) -> list[Row]:
        """Return the passings; repeats have the same key."""
        names = ("competitorId", "kind", "point", "lap", "elapsed", "distance")
        rows = ({name: passing[name] for name in names} for passing in self.passings_of_topic)
        return list(
            {(row["competitorId"], row["kind"], row["point"], row["lap"]): row for row in rows}.values()
        )

    def dwell(self) -> list[Row]:
        """Return the visits of geofences: an exit belongs to the entry of the same lap."""
        times: dict[str, dict[tuple[int, str, int], float]] = {"enter": {}, "exit": {}}
        for row in self.passings():
            if row["kind"] in times:
                times[row["kind"]][row["competitorId"], row["point"], row["lap"]] = row["elapsed"]
        rows = []
        for (bib, fence, lap), enter in times["enter"].items():
            out = times["exit"].get((bib, fence, lap))
            seconds = None if out is None else round(out - enter, 3)
            rows.append(
                {
                    "competitorId": bib,
                    "geofence": fence,
                    "lap": lap,
                    "enter": enter,
                    "exit": out,
                    "seconds": seconds,
                }
            )
        return rows

    def late(self) -> list[Row]:
        """Return the events behind the watermark."""
        return [
            {**identity(event), "behind": round((watermark - self.event_time(event)) / 1000, 3)}
            for event, watermark in self.with_watermark()
            if self.event_time(event) < watermark
        ]

    def duplicates(self) -> list[Row]:
        """Return the events that arrived more than once."""
        times = Counter(event["eventId"] for event in self.positions_of_topic)
        return [
            {**identity(event), "times": times[event["eventId"]]}
            for event in self.distinct()
            if times[event["eventId"]] > 1
        ]

    @cached_property
    def reads_of_topic(self) -> list[Event]:
        """The raw reads of chips, each once."""
        return list({event["eventId"]: event for event in read(self.folder / "reads.ndjson")}.values())

    @cached_property
    def references(self) -> dict[int, tuple[Event, Event]]:
        """The first and the last read of the reference chip of each reader: they have the true time."""
        found: dict[int, list[Event]] = {}
        for event in self.reads_of_topic:
            if event["competitorId"] == 0:
                found.setdefault(event["reader"], []).append(event)
        by_time = {reader: sorted(some, key=lambda event: event["elapsed"]) for reader, some in found.items()}
        return {reader: (some[0], some[-1]) for reader, some in by_time.items()}

    def race_time(self, event: Event) -> float:
        """Return the race seconds of a read: its reader's clock is wrong by an offset and a drift."""
        first, last = self.references[event["reader"]]
        rate = (last["timestamp"] - first["timestamp"]) / (last["elapsed"] - first["elapsed"])
        return float(first["elapsed"] + (event["timestamp"] - first["timestamp"]) / rate)

    def counts(self, event: Event) -> bool:
        """Return whether a read may be of a pass: not of a reference chip, and too strong for a stray."""
        return bool(event["competitorId"] and event["rssi"] >= STRONG)

    def passes(self) -> dict[tuple[int, str, str], list[list[Event]]]:
        """Return the reads of each pass, in the order of the passes, by competitor and point."""
        timed = [(self.race_time(event), event) for event in self.reads_of_topic if self.counts(event)]
        found: dict[tuple[int, str, str], list[list[Event]]] = {}
        latest: dict[tuple[int, str, str], float] = {}
        for time, event in sorted(timed, key=lambda pair: pair[0]):
            key = event["competitorId"], event["kind"], event["point"]
            passes = found.setdefault(key, [])
            if self.is_another(time, latest.get(key)):
                passes.append([])
            passes[-1].append({**event, "time": time})
            latest[key] = time
        return found

    def is_another(self, time: float, before: float | None) -> bool:
        """Return whether a read begins another pass, by its time and that of the read before it."""
        return before is None or time - before > SAME_PASS

    def counted(self, some: list[Event]) -> Event:
        """Return the read of a pass that counts: of the main line if it has one, then the strongest."""
        return min(some, key=lambda event: (event["antenna"] != "main", -event["rssi"], event["time"]))

    def passed_at(self, event: Event) -> float:
        """Return when a competitor passed the main line, by the read that counts."""
        return float(event["time"] - (BACKUP_LATER if event["antenna"] == "backup" else 0.0))

    def reads(self) -> list[Row]:
        """Return the passes that the raw reads show."""
        return [
            {
                "competitorId": bib,
                "kind": kind,
                "point": point,
                "sighting": nth,
                "elapsed": round(self.passed_at(self.counted(some)), 3),
                "reads": len(some),
            }
            for (bib, kind, point), passes in self.passes().items()
            for nth, some in enumerate(passes, start=1)
        ]

    def mats(self) -> dict[tuple[str, str], list[float]]:
        """Return the metres at which the course passes each mat: start, kilometres, timing points, finish."""
        return mats_of(read(self.folder / "courses.ndjson")[0])

    def missed(self) -> list[Row]:
        """Return the passes without a read: those up to the furthest place that a read proves."""
        mats, seen = self.mats(), {key: len(passes) for key, passes in self.passes().items()}
        rows = []
        for bib, furthest in self.furthest(mats, seen).items():
            for (kind, point), metres in mats.items():
                times = sum(place <= furthest for place in metres) - seen.get((bib, kind, point), 0)
                if times > 0:
                    rows.append({"competitorId": bib, "kind": kind, "point": point, "times": times})
        return rows

    def furthest(
        self, mats: dict[tuple[str, str], list[float]], seen: dict[tuple[int, str, str], int]
    ) -> dict[int, float]:
        """Return how far each competitor has come at least, metres.

        The n-th pass of a mat that is seen is the course's n-th or a later one.
        """
        found: dict[int, float] = {}
        for (bib, kind, point), times in seen.items():
            metres = mats[kind, point]
            found[bib] = max(found.get(bib, 0.0), metres[min(times, len(metres)) - 1])
        return found


def read(file: Path) -> list[Event]:
    """Return the events in a file."""
    with file.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def wave_delay_of(race: Event) -> float:
    """Return the seconds between the guns of two waves."""
    delay: float = json.loads(race["request"]).get("wave_delay", WAVE_DELAY)
    return delay


def mats_of(course: Event) -> dict[tuple[str, str], list[float]]:
    """Return the metres at which a course passes each mat, by kind and point."""
    kilometres = range(1, int((course["distance"] - 1) // 1000) + 1)
    return {
        ("start", "Start"): [0.0],
        **{("split", f"{n} km"): [1000.0 * n] for n in kilometres},
        **{("split", mat["name"]): mat["distances"] for mat in json.loads(course["timingPoints"])},
        ("finish", "Finish"): [course["distance"]],
    }


def identity(event: Event) -> Row:
    """Return what names an event."""
    return {name: event[name] for name in ("eventId", "competitorId", "rawTime")}


def give_places(rows: list[Row], keys: list[Any]) -> None:
    """Write places into sorted rows; equal keys share one."""
    for nth, row in enumerate(rows):
        row["place"] = rows[nth - 1]["place"] if nth and keys[nth] == keys[nth - 1] else nth + 1


def answer(make: Callable[..., Consumer], description: str, *places: str) -> None:
    """Print an answer as lines of JSON; `places` are names of arguments that say where the race is."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for place in places:
        parser.add_argument(place)
    parser.add_argument("kind")
    parser.add_argument("--at", type=float)
    parser.add_argument("--window", type=int, default=60)
    parser.add_argument("--lateness", type=float)
    asked = parser.parse_args()
    where = (getattr(asked, place) for place in places)
    try:
        consumer = make(*where, asked.at, asked.window, asked.lateness)
    except OSError as error:
        parser.exit(1, f"{error}\n")
    for row in consumer.answer(asked.kind):
        print(json.dumps(row))


if __name__ == "__main__":
    answer(Consumer, __doc__, "folder")
