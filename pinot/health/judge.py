"""Judges the parts of the pipeline by a sample and the one before it. Pure: no clock, no network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinot.health import figures
from pinot.health.judge_tables import pinot
from pinot.health.sample import Failure, Kafka, Simulator
from pinot.health.thresholds import (
    FRESH_AMBER_S,
    FRESH_RED_S,
    LATE_AMBER_S,
    LOG_AMBER_BYTES,
)
from pinot.health.verdict import SETUP, amber, green, grey, red
from pinot.health.words import count, listed, number, seconds, size
from stream.topics import read_topics

if TYPE_CHECKING:
    from pinot.health.sample import Embedded, RaceNews, Races, Sample
    from pinot.health.verdict import Verdict


def judge(now: Sample, then: Sample | None) -> dict[str, Verdict]:
    """The verdict on each part, by its name, in the order in which the data goes.

    Args:
        now: the newest sample.
        then: one from seconds before; without it, what takes two to be seen isn't judged.
    """
    verdicts = {"Simulator": simulator(now, then)}
    if now.kafka is not None:
        verdicts["Kafka"] = kafka(now, then)
    if now.pinot is not None:
        verdicts["Pinot"] = pinot(now, then)
    if now.embedded is not None:
        verdicts["Embedded store"] = embedded(now.embedded)
    verdicts["End to end"] = end_to_end(now, then)
    return verdicts


def simulator(now: Sample, then: Sample | None) -> Verdict:
    """Whether it answers, its events get through, and it is on time."""
    found, former = now.simulator, then.simulator if then else None
    if isinstance(found, Failure):
        return red(found.sentence)
    if found.reasons:
        return red(
            f"The simulator isn't ready: {found.reasons[0].rstrip('.')}. Look at its log if the parts after "
            "it are green."
        )
    if found.lag > LATE_AMBER_S:
        return amber(f"Ticks are {seconds(found.lag)} late. Run fewer competitors, or a longer interval.")
    if figures.counted_per_second(found, former, "late_ticks"):
        return amber("Ticks were late just now. Run fewer competitors, or a longer interval, if that lasts.")
    if any(figures.counted_per_second(found, former, counter) for counter in ("errors", "retries")):
        return amber("Events had to be sent again just now. Look at the simulator's log if that lasts.")
    return green(_tells(found, former))


def _tells(found: Simulator, former: Simulator | Failure | None) -> str:
    if not found.running:
        return "The simulator answers; no race is under way."
    ticks = figures.counted_per_second(found, former, "ticks")
    on_time = f", {number(ticks)} ticks a second, all on time" if ticks is not None else ""
    return f"The simulator tells {_races(found)}{on_time}."


def _races(found: Simulator) -> str:
    return f"{count(found.running)} race{'s' if found.running != 1 else ''}"


def kafka(now: Sample, then: Sample | None) -> Verdict:
    """Whether it answers, and has every topic."""
    found, topics = now.kafka, list(read_topics())
    if not isinstance(found, Kafka):
        return red(found.sentence if found else "")
    if missing := [name for name in topics if name not in found.ends]:
        return red(f"Kafka has no topic {listed(missing)}. {SETUP}.")
    if leaderless := [name for name in topics if None in found.ends[name].values()]:
        return red(f"A partition of {listed(leaderless)} has no leader. Look at the logs of Kafka's brokers.")
    rates = [figures.messages_per_second(now, then, name) for name in topics]
    known = [rate for rate in rates if rate is not None]
    comes = f"; {number(sum(known))} messages a second come" if known else ""
    return green(f"Kafka answers and has all {len(topics)} topics{comes}.")


def embedded(found: Embedded | Failure) -> Verdict:
    """Whether the file can be read, and its log is written back."""
    if isinstance(found, Failure):
        return red(found.sentence)
    if found.log_size > LOG_AMBER_BYTES:
        return amber(
            f"The write-ahead log has grown to {size(found.log_size)}: somebody reads the file without end. "
            "Close what reads it besides the dashboard."
        )
    return green(f"The race file can be read: {size(found.size)}.")


def end_to_end(now: Sample, then: Sample | None) -> Verdict:
    """Whether the newest positions are as new as the races that are under way make them."""
    if isinstance(now.races, Failure):
        return red(f"No position can be read: {now.races.sentence}")
    there = figures.under_way(now.races)
    if not there:
        return _nothing_runs(now, then)
    race = figures.worst(now.races)
    if race is None:
        return amber(f'Race "{there[0].run_id}" has told no position yet. Wait for its first tick.')
    return _freshness(race, now.races)


def _nothing_runs(now: Sample, then: Sample | None) -> Verdict:
    """By the store; a race that has just begun is on its way there."""
    if not (isinstance(now.simulator, Simulator) and now.simulator.running):
        return grey("No race is under way, so there is nothing to measure.")
    told = f"The simulator tells {_races(now.simulator)}, and the store has no news of any"
    if then is None or not isinstance(then.simulator, Simulator) or not then.simulator.running:
        return amber(f"{told} yet. Wait a moment.")
    return red(f"{told}. See which part before this one isn't green.")


def _freshness(race: RaceNews, races: Races) -> Verdict:
    late = figures.overdue(race, races.taken)
    age, period = seconds(figures.age(race, races.taken)), seconds(race.period)
    if late <= FRESH_AMBER_S:
        return green(f"The newest position is {age} old, and one is expected every {period}.")
    verdict = red if late > FRESH_RED_S else amber
    return verdict(
        f'The newest position of race "{race.run_id}" is {age} old, and one is expected every {period}. '
        "See which part before this one isn't green."
    )
