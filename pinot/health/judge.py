"""Judges the parts of the pipeline by the newest sample and an earlier one. Pure: no clock, no network."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pinot.health import figures, thresholds
from pinot.health.parts import RacePart, latest, parts_under_way
from pinot.health.sample import (
    ALL_TOPICS,
    Embedded,
    Failure,
    Group,
    Kafka,
    Pinot,
    RaceNews,
    Races,
    Sample,
    Simulator,
    Table,
    known,
)
from pinot.health.verdict import SETUP, Verdict, amber, green, grey, red
from pinot.health.words import count, listed, number, seconds, size
from stream.contract import TABLES, TOPICS
from stream.parts import GROUP


def judge(now: Sample, then: Sample | None) -> dict[str, Verdict]:
    """Return the verdict on each part by name, in the order of the data flow.

    Args:
        now: the newest sample.
        then: a sample from seconds before; without it, rates are not judged.
    """
    parts: dict[str, tuple[Any, Callable[..., Verdict]]] = {
        "Simulator": (now.simulator, simulator),
        "Kafka": (now.kafka, kafka),
        "Pinot": (now.pinot, pinot),
        "Embedded store": (now.embedded, embedded),
    }
    verdicts = {
        name: red(found.sentence) if isinstance(found, Failure) else judged(found, now, then)
        for name, (found, judged) in parts.items()
        if found is not None
    }
    return verdicts | {"End to end": end_to_end(now, then)}


def simulator(found: Simulator, now: Sample, then: Sample | None) -> Verdict:
    """Judge whether it delivers its events and is on time, and whether the group publishes all races."""
    alone = _alone(found, then)
    return Verdict.worst([alone, *_together(now, then)]) or alone


def _alone(found: Simulator, then: Sample | None) -> Verdict:
    """Judge the simulator of the API."""
    former = known(then.simulator if then else None)
    if found.reasons:
        return red(
            f"The simulator is not ready: {found.reasons[0].rstrip('.')}. If the parts after it are green, "
            "check its log."
        )
    if found.lag > thresholds.LATE_AMBER_S:
        return amber(f"Ticks are {seconds(found.lag)} late. Run fewer competitors or use a longer interval.")
    if figures.counted_per_second(found, former, "late_ticks"):
        return amber(
            "Ticks were late recently. If this continues, run fewer competitors or use a longer interval."
        )
    if any(figures.counted_per_second(found, former, counter) for counter in ("errors", "retries")):
        return amber("Events were retried recently. If this continues, check the simulator's log.")
    if not found.running:
        return green("The simulator is up; no race is under way.")
    ticks = figures.counted_per_second(found, former, "ticks")
    on_time = f", {number(ticks)} ticks per second, all on time" if ticks is not None else ""
    return green(f"The simulator is running {_races(found)}{on_time}.")


def _races(found: Simulator) -> str:
    return f"{count(found.running)} race{'s' if found.running != 1 else ''}"


def _together(now: Sample, then: Sample | None) -> Iterator[Verdict]:
    """Judge whether the simulators of the group publish all parts of races."""
    if isinstance(now.group, Failure) and isinstance(now.kafka, Kafka):
        yield amber(now.group.sentence)
    group, former = known(now.group), known(then.group if then else None)
    parts = parts_under_way(now) or ()
    if group is None:
        return
    if not group.members and parts:
        yield red(
            f"No simulator publishes {_named(parts)}: the group {GROUP} has no members. Start one (python -m "
            "simulator serve --publisher kafka)."
        )
    if group.members and former is not None:
        yield from _shared(group, former, parts)
    yield from _late(group, parts)


def _shared(group: Group, former: Group, parts: Sequence[RacePart]) -> Iterator[Verdict]:
    """Judge whether every partition of `progress` has an owner, except while they change hands."""
    span = group.taken - former.taken
    if not group.settled and not former.settled and span >= thresholds.UNSETTLED_AFTER_S:
        yield amber(
            f"Kafka has been assigning parts of races to the simulators for {seconds(span)}. If this "
            "continues, check the simulators' logs."
        )
    unowned = group.unowned & former.unowned
    if not unowned or span < thresholds.UNOWNED_AFTER_S:
        return
    what = f"{_partitions(sorted(unowned))} unassigned. Restart a simulator, so that Kafka assigns all again."
    if waiting := [part for part in parts if part.partition in unowned]:
        yield red(f"No simulator publishes {_named(waiting)}: {what}")
    else:
        yield amber(f"New races may not be published: {what}")


def _late(group: Group, parts: Sequence[RacePart]) -> Iterator[Verdict]:
    """Judge whether all parts are delivered in time, by any simulator."""
    found = latest(parts)
    if found is None or not group.members:
        return
    part, lag = found
    if lag > thresholds.PART_AMBER_S:
        verdict, owner = (red if lag > thresholds.PART_RED_S else amber), group.owner(part.partition)
        who = f"Simulator {owner.name} is" if owner else "The simulators are"
        yield verdict(
            f"{who} {seconds(lag)} late with {part.name}. If this continues, check the log, or start "
            "another simulator."
        )


def _partitions(numbers: Sequence[int]) -> str:
    names = listed([str(number) for number in numbers])
    return f"partitions {names} of progress are" if len(numbers) > 1 else f"partition {names} of progress is"


def _named(parts: Sequence[RacePart]) -> str:
    more = len(parts) - 1
    return parts[0].name + (f" and {more} more part{'s' if more > 1 else ''}" if more else "")


def kafka(found: Kafka, now: Sample, then: Sample | None) -> Verdict:
    """Judge whether it has every topic."""
    if missing := [name for name in ALL_TOPICS if name not in found.ends]:
        return red(f"Kafka has no topic {listed(missing)}. {SETUP}.")
    if leaderless := [name for name in ALL_TOPICS if None in found.ends[name].values()]:
        return red(f"A partition of {listed(leaderless)} has no leader. Check the Kafka broker logs.")
    rates = [figures.messages_per_second(now, then, name) for name in ALL_TOPICS]
    measured = [rate for rate in rates if rate is not None]
    rate = f"; it receives {number(sum(measured))} messages per second" if measured else ""
    return green(f"Kafka is up and has all {len(ALL_TOPICS)} topics{rate}.")


def pinot(found: Pinot, now: Sample, then: Sample | None) -> Verdict:
    """Return the worst verdict on its tables."""
    if missing := [name for name in TABLES if name not in found.tables]:
        return red(f"Pinot has no table {listed(missing)}. {SETUP}.")
    wrong = Verdict.worst(
        verdict
        for name in TABLES
        for judged in (_segments, _reading, _moving, _behind)
        for verdict in judged(now, then, name, found.tables[name])
    )
    return wrong or green(f"Pinot answers queries on all {len(TABLES)} tables{_how_far(now)}.")


def _how_far(now: Sample) -> str:
    lags = [lag for name in TOPICS if (lag := figures.lag(now, name)) is not None]
    if any(lags):
        return f" and is {count(sum(lags))} messages behind"
    return " and has consumed all their topics" if lags else ""


def _segments(_now: Sample, _then: Sample | None, name: str, table: Table) -> Iterator[Verdict]:
    """Judge whether all its segments can be queried."""
    if table.failed:
        yield red(
            f"{_first(table.failed)} of table {name} failed. Check the server's log; to reload it, POST "
            f"/segments/{name}_REALTIME/{table.failed[0]}/reset to the controller."
        )
    if table.rows is None:
        yield red(
            f"Pinot cannot query table {name} ({table.trouble}). {SETUP} if this lasts longer than a minute."
        )
    if table.absent:
        segments = _first(table.absent)
        yield amber(f"{segments} of table {name} is not loaded. Wait, or check the server's log.")


def _first(segments: tuple[str, ...]) -> str:
    more = f" and {len(segments) - 1} more" if len(segments) > 1 else ""
    return f"Segment {segments[0]}{more}"


def _reading(now: Sample, _then: Sample | None, name: str, table: Table) -> Iterator[Verdict]:
    """Judge whether every partition of its topic has a consumer."""
    idle = [
        str(partition)
        for partition in sorted(now.ends(name).keys() | table.consumers.keys())
        if partition not in table.consumers or table.consumers[partition].state != "CONSUMING"
    ]
    if idle:
        yield red(
            f"Table {name} does not consume partition {listed(idle)} of its topic. "
            f"POST /tables/{name}_REALTIME/resumeConsumption to the controller, or restart Pinot's server."
        )


def _moving(now: Sample, then: Sample | None, name: str, table: Table) -> Iterator[Verdict]:
    """Judge whether its consumers make progress."""
    found, former = known(now.pinot), known(then.pinot if then else None)
    if found is None or former is None or then is None or name not in former.tables:
        return
    span = found.taken - former.taken
    for partition, end in sorted(now.ends(name).items()):
        reads, read = table.offset(partition), former.tables[name].offset(partition)
        if end is None or reads is None or read is None:
            continue
        if read > end:
            yield red(
                f"Table {name} waits for offset {count(read)}, but its topic ends at {count(end)}: "
                "the topic was recreated. Run python -m pinot reset."
            )
        elif reads == read < (then.ends(name).get(partition) or 0) and span >= thresholds.STUCK_AFTER_S:
            yield amber(
                f"Table {name} has consumed nothing from partition {partition} for {seconds(span)}; "
                f"{count(end - reads)} messages wait. If this continues, check the server's log."
            )


def _behind(now: Sample, then: Sample | None, name: str, table: Table) -> Iterator[Verdict]:
    """Judge whether it keeps up with its topic."""
    lag = sum(figures.lags(now.ends(name), table).values())
    far = lag / max(thresholds.BUSY_PER_S, figures.messages_per_second(now, then, name) or 0.0)
    if far > thresholds.LAG_AMBER_S:
        verdict = red if far > thresholds.LAG_RED_S else amber
        yield verdict(
            f"Table {name} is {count(lag)} messages behind its topic. Give Pinot's server more CPU and "
            "memory, or run smaller races."
        )


def embedded(found: Embedded, _now: Sample, _then: Sample | None) -> Verdict:
    """Judge whether its log is checkpointed."""
    if found.log_size > thresholds.LOG_AMBER_BYTES:
        return amber(
            f"The write-ahead log has grown to {size(found.log_size)} because a reader keeps a transaction "
            "open. Close all readers except the dashboard."
        )
    return green(f"The race file is readable: {size(found.size)}.")


def end_to_end(now: Sample, then: Sample | None) -> Verdict:
    """Judge whether the newest positions are as fresh as the races' intervals allow."""
    if isinstance(now.races, Failure):
        return red(f"No position can be read: {now.races.sentence}")
    there = figures.under_way(now.races)
    if not there:
        return _nothing_runs(now, then)
    race = figures.worst(now.races)
    if race is None:
        return amber(f'Race "{there[0].run_id}" has no position yet. Wait for its first tick.')
    return _freshness(race, now.races)


def _nothing_runs(now: Sample, then: Sample | None) -> Verdict:
    """Judge a store without races under way; a race that has just started may not have arrived yet."""
    simulating, former = known(now.simulator), known(then.simulator if then else None)
    if simulating is None or not simulating.running:
        return grey("No race is under way, so there is nothing to measure.")
    missing = f"The simulator is running {_races(simulating)}, but nothing has reached the store"
    if former is None or not former.running:
        return amber(f"{missing} yet. Wait a moment.")
    return red(f"{missing}. Check the earlier parts that are not green.")


def _freshness(race: RaceNews, races: Races) -> Verdict:
    late = figures.overdue(race, races.taken)
    age, period = seconds(figures.age(race, races.taken)), seconds(race.period)
    if late <= thresholds.FRESH_AMBER_S:
        return green(f"The newest position is {age} old; one is expected every {period}.")
    verdict = red if late > thresholds.FRESH_RED_S else amber
    return verdict(
        f'The newest position of race "{race.run_id}" is {age} old; one is expected every {period}. '
        "Check the earlier parts that are not green."
    )
