"""Cost of race options: `generate` runs an hour with 1,000 competitors for each group of options."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

BASELINE = {
    "course": "crystal-palace",
    "competitors": "1000",
    "fastest": "600",
    "slowest": "720",
    "how-many-get-stopped": "0.2",
}
"""Walking pace, so that all competitors are on the course for most of an hour."""
GROUPS = {
    "none": {},
    "paces, start and dropouts": {
        "fatigue": "wall",
        "gradient": "true",
        "wave-size": "250",
        "start-flow": "5",
        "corrals": "true",
        "dns": "0.02",
        "dnf": "0.02",
        "disqualified": "0.01",
        "walking": "0.05",
        "wrong-turn": "0.05",
    },
    "GPS error and noise": {"gps-error": "2.5", "gps-noise": "0.5"},
    "tracker faults": {
        "lost": "0.05",
        "frozen": "0.05",
        "late": "0.05",
        "duplicates": "0.02",
        "clock-skew": "5",
        "dead-battery": "0.02",
    },
    "ground truth": {"ground-truth": "true"},
}
ROUNDS = 3


def measure(folder: Path) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield events, seconds and events per second (best of ROUNDS), for each group and for all options."""
    all_options = {name: value for group in GROUPS.values() for name, value in group.items()}
    for label, group in {**GROUPS, "all options": all_options}.items():
        runs = [_generated(folder / "lines", BASELINE | group) for _ in range(ROUNDS)]
        events, seconds = min(runs, key=lambda run: run[1] / run[0])
        yield label, {"events": events, "seconds": seconds, "rate": events / seconds}


def _generated(file: Path, options: dict[str, str]) -> tuple[int, float]:
    """Run the command; return events and seconds, including start-up."""
    flags = [word for name, value in options.items() for word in (f"--{name}", value)]
    start = time.perf_counter()
    with file.open("wb") as out:
        subprocess.run([sys.executable, "-m", "simulator", "generate", *flags], stdout=out, check=True)
    seconds = time.perf_counter() - start
    with file.open("rb") as written:
        events = sum(1 for _ in written)
    file.unlink()
    return events, seconds
