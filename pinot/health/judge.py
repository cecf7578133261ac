"""Judges the parts of the pipeline by the newest sample and an earlier one. Pure: no clock, no network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pinot.health import figures
from pinot.health.judge_tables import pinot
from pinot.health.sample import Failure, known
from pinot.health.thresholds import FRESH_AMBER_S, FRESH_RED_S, LATE_AMBER_S, LOG_AMBER_BYTES
from pinot.health.verdict import SETUP, amber, green, grey, red
from pinot.health.words import count, listed, number, seconds, size
from stream.contract import TOPICS

if TYPE_CHECKING:
    from collections.abc import Callable

    from pinot.health.sample import Embedded, Kafka, RaceNews, Races, Sample, Simulator
    from pinot.health.verdict import Verdict


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


def simulator(found: Simulator, _now: Sample, then: Sample | None) -> Verdict:
    """Judge whether it delivers its events, and is on time."""
    former = known(then.simulator if then else None)
    if found.reasons:
        return red(
            f"The simulator is not ready: {found.reasons[0].rstrip('.')}. If the parts after it are green, "
            "check its log."
        )
    if found.lag > LATE_AMBER_S:
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


def kafka(found: Kafka, now: Sample, then: Sample | None) -> Verdict:
    """Judge whether it has every topic."""
    if missing := [name for name in TOPICS if name not in found.ends]:
        return red(f"Kafka has no topic {listed(missing)}. {SETUP}.")
    if leaderless := [name for name in TOPICS if None in found.ends[name].values()]:
        return red(f"A partition of {listed(leaderless)} has no leader. Check the Kafka broker logs.")
    rates = [figures.messages_per_second(now, then, name) for name in TOPICS]
    measured = [rate for rate in rates if rate is not None]
    rate = f"; it receives {number(sum(measured))} messages per second" if measured else ""
    return green(f"Kafka is up and has all {len(TOPICS)} topics{rate}.")


def embedded(found: Embedded, _now: Sample, _then: Sample | None) -> Verdict:
    """Judge whether its log is checkpointed."""
    if found.log_size > LOG_AMBER_BYTES:
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
    if late <= FRESH_AMBER_S:
        return green(f"The newest position is {age} old; one is expected every {period}.")
    verdict = red if late > FRESH_RED_S else amber
    return verdict(
        f'The newest position of race "{race.run_id}" is {age} old; one is expected every {period}. '
        "Check the earlier parts that are not green."
    )
