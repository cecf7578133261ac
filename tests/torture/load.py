"""Many connections and many races at once: how soon the API answers, and whether ticks are on time.

Connections come from many addresses of the loopback, so that the limit of each client is as it is by default.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import numpy as np

from tests.processes import simulator

if TYPE_CHECKING:
    from pathlib import Path

PAUSE = 4.0
"""Seconds between two requests on a connection."""
A_CLIENT = 20
"""Connections of one address."""
ASKED = "/races"


@dataclass(frozen=True)
class Load:
    """What a load has done.

    Attributes:
        what: the load.
        requests: those that were sent.
        failed: what was answered otherwise than with 200, or not at all.
        p50, p99, most: seconds from a request to its answer.
        ticks: that were told meanwhile.
        late: those that began more than a second late.
        closed: connections that dripped and were closed; `after` the seconds that the first and the last had.
    """

    what: str
    requests: int
    failed: list[str]
    p50: float
    p99: float
    most: float
    ticks: int
    late: int
    closed: int = 0
    after: tuple[float, float] = (0.0, 0.0)


def many_connections(folder: Path, connections: int, drips: int, seconds: float) -> Load:
    """So many connections, of which some send a request a byte a second; the others ask again and again."""
    with simulator(folder, "--sqlite", str(folder / "race.db")) as running:
        _create(running.address, competitors=1000)
        before = running.metrics()
        answers, closed = asyncio.run(_load(running.address, connections - drips, drips, seconds))
        told = f"{connections:,} connections, {drips} of them drip"
        return _sum_up(told, answers, before, running.metrics(), closed)


def many_races(folder: Path, races: int, seconds: float) -> Load:
    """So many races of a hundred, all at once, and ten connections that ask."""
    with simulator(folder, "--sqlite", str(folder / "race.db")) as running:
        for _ in range(races):
            _create(running.address, competitors=100)
        before = running.metrics()
        answers, _ = asyncio.run(_load(running.address, 10, 0, seconds))
        return _sum_up(f"{races} races at once", answers, before, running.metrics(), [])


def _create(address: str, **fields: Any) -> None:
    body = {"course": "crystal-palace", **fields}
    httpx.post(f"{address}/races", json=body, trust_env=False, timeout=30).raise_for_status()


def _sum_up(
    what: str,
    answers: list[tuple[str, float]],
    before: dict[str, float],
    after: dict[str, float],
    closed: list[float],
) -> Load:
    times = np.array([seconds for _, seconds in answers])
    ticks, late = (
        int(after[name] - before[name]) for name in ("racecast_ticks_total", "racecast_late_ticks_total")
    )
    failed = [status for status, _ in answers if status != "200"]
    p50, p99, most = (float(np.percentile(times, share)) for share in (50, 99, 100))
    span = (min(closed), max(closed)) if closed else (0.0, 0.0)
    return Load(what, len(answers), failed, p50, p99, most, ticks, late, len(closed), span)


async def _load(
    address: str, asking: int, dripping: int, seconds: float
) -> tuple[list[tuple[str, float]], list[float]]:
    """Return the answers with their times, and after how many seconds each dripping one was closed."""
    port = urlsplit(address).port or 80
    answers: list[tuple[str, float]] = []
    closed: list[float] = []
    ends = time.monotonic() + seconds
    tasks = [_ask(port, nth, ends, answers) for nth in range(asking)]
    tasks += [_drip(port, nth, ends, closed) for nth in range(dripping)]
    await asyncio.gather(*tasks)
    return answers, closed


async def _open(port: int, nth: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    client = f"127.0.1.{1 + nth // A_CLIENT}"
    return await asyncio.open_connection("127.0.0.1", port, local_addr=(client, 0))


async def _ask(port: int, nth: int, ends: float, answers: list[tuple[str, float]]) -> None:
    """Ask every PAUSE seconds on one connection."""
    # Spread: they don't all ask at the same moment.
    await asyncio.sleep(PAUSE * (nth * 0.618 % 1))
    reader, writer = await _open(port, nth)
    while time.monotonic() < ends:
        began = time.monotonic()
        try:
            writer.write(f"GET {ASKED} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            (length,) = [
                line for line in head.decode().lower().split("\r\n") if line.startswith("content-length")
            ]
            await reader.readexactly(int(length.split(":")[1]))
            status = head.split()[1].decode()
        except (OSError, asyncio.IncompleteReadError) as error:
            answers.append((str(error), time.monotonic() - began))
            return
        answers.append((status, time.monotonic() - began))
        await asyncio.sleep(PAUSE)
    writer.close()


async def _drip(port: int, nth: int, ends: float, closed: list[float]) -> None:
    """Send a request a byte a second: half of them its head, half of them its body."""
    reader, writer = await _open(port, nth)
    began = time.monotonic()
    if nth % 2:
        writer.write(b"POST /races HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
    else:
        writer.write(b"POST /races HTTP/1.1\r\nX: ")
    while time.monotonic() < ends:
        writer.write(b" ")
        try:
            await asyncio.wait_for(reader.read(), 1.0)
        except TimeoutError:
            continue
        except OSError:
            pass
        closed.append(time.monotonic() - began)
        break
    writer.close()
