"""Runs a race with every fault, and grades two correct consumers of it and one that counts repeats.

    python -m examples.consumers.check

It writes the race's topics into a folder, as `python -m simulator generate` does, has each consumer answer
every question, and grades the answers as `python -m simulator grade` does.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from examples.consumers.plain import Consumer, Row
from examples.consumers.sqlite import SqlConsumer

RACE = (
    *("--course", "crystal-palace", "--competitors", "100", "--seed", "7", "--interval", "2"),
    *("--pace-model", "parkrun", "--wave-size", "50", "--start-flow", "2", "--dnf", "0.05", "--dns", "0.03"),
    *("--disqualified", "0.03", "--lost", "0.05", "--frozen", "0.03"),
    *("--late", "0.05", "--duplicates", "0.05"),
    *("--clock-skew", "2", "--dead-battery", "0.03", "--gps-error", "2.5"),
    *("--read-repeats", "4", "--missed-passes", "0.02", "--missed-by-line", "0.1", "--stray-reads", "0.3"),
    *("--reader-skew", "2", "--reader-drift", "200"),
)
AT, WINDOW, LATENESS = 1200.0, 60, 20.0
ASKED = ("--at", f"{AT:g}", "--window", f"{WINDOW}", "--lateness", f"{LATENESS:g}")
OF_POSITIONS = ("order", "leaderboard", "positions", "windows", "late", "duplicates")
OF_MATS = ("passings", "dwell", "reads", "missed")


class Careless(Consumer):
    """Takes at-least-once delivery for exactly once, and each read of a chip for a pass."""

    def distinct(self) -> Iterator[Row]:
        """Yield all that arrives."""
        yield from self.positions_of_topic

    def is_another(self, *_: object) -> bool:
        """Begin a pass with each read."""
        return True


def main() -> None:
    """Print the grades; exits with 1 if a correct consumer is wrong or the careless one is not caught."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for topic in ("parkrun", "passings", "competitors", "races", "reads", "courses"):
            with (folder / f"{topic}.ndjson").open("wb") as file:
                subprocess.run([*simulator("generate"), *RACE, "--topic", topic], stdout=file, check=True)
        right = True
        for make in (Consumer, SqlConsumer, Careless):
            consumer = make(folder, AT, WINDOW, LATENESS)
            print(f"\n{make.__name__}")
            passed = [graded(kind, consumer.answer(kind), folder) for kind in (*OF_POSITIONS, *OF_MATS)]
            right &= all(passed) != (make is Careless)
    sys.exit(0 if right else 1)


def graded(kind: str, rows: list[Row], folder: Path) -> bool:
    """Print the grade of an answer; return whether all rows agree."""
    answer = folder / f"{kind}.answer.ndjson"
    answer.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    done = subprocess.run(
        [*simulator("grade"), kind, str(answer), *RACE, *ASKED], stdout=subprocess.PIPE, check=False
    )
    print(done.stdout.decode(), end="")
    return done.returncode == 0


def simulator(command: str) -> list[str]:
    """Return the start of a command line."""
    return [sys.executable, "-m", "simulator", command]


if __name__ == "__main__":
    main()
