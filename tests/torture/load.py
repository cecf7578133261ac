"""Load tests with many connections or many races: response times, and whether ticks are on time.

Clients connect from many loopback addresses, so that the default rate limit per client applies.
"""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np

from tests.processes import simulator

PAUSE_S = 4.0
"""Seconds between two requests on a connection."""
CONNECTIONS_PER_ADDRESS = 20
PATH = "/races"


@dataclass(frozen=True)
class LoadResult:
    """Measurements under load.

    Attributes:
        name: the kind of load.
        requests: number of requests.
        failed: status or error of each request that did not return 200.
        p50, p99, slowest: response times in seconds.
        ticks: number of ticks during the load.
        late: number of those that began more than a second late.
        disconnected: number of slow clients that the server disconnected.
        disconnected_after: seconds until the first and the last of these were disconnected.
    """

    name: str
    requests: int
    failed: list[str]
    p50: float
    p99: float
    slowest: float
    ticks: int
    late: int
    disconnected: int = 0
    disconnected_after: tuple[float, float] = (0.0, 0.0)


def many_connections(folder: Path, connections: int, slow: int, seconds: float) -> LoadResult:
    """Open many connections: `slow` clients send one byte per second, the others send requests repeatedly."""
    with simulator(folder, "--sqlite", str(folder / "race.db")) as running:
        _create_race(running.address, competitors=1000)
        before = running.metrics()
        responses, disconnected = asyncio.run(_load(running.address, connections - slow, slow, seconds))
        name = f"{connections:,} connections, {slow} of them slow"
        return _result(name, responses, before, running.metrics(), disconnected)


def many_races(folder: Path, races: int, seconds: float) -> LoadResult:
    """Run many races of 100 competitors at the same time, with ten connections that send requests."""
    with simulator(folder, "--sqlite", str(folder / "race.db")) as running:
        for _ in range(races):
            _create_race(running.address, competitors=100)
        before = running.metrics()
        responses, _ = asyncio.run(_load(running.address, 10, 0, seconds))
        return _result(f"{races} concurrent races", responses, before, running.metrics(), [])


def _create_race(address: str, **fields: Any) -> None:
    body = {"course": "crystal-palace", **fields}
    httpx.post(f"{address}/races", json=body, trust_env=False, timeout=30).raise_for_status()


def _result(
    name: str,
    responses: list[tuple[str, float]],
    before: dict[str, float],
    after: dict[str, float],
    disconnected: list[float],
) -> LoadResult:
    times = np.array([seconds for _, seconds in responses])
    ticks, late = (
        int(after[metric] - before[metric])
        for metric in ("racecast_ticks_total", "racecast_late_ticks_total")
    )
    failed = [status for status, _ in responses if status != "200"]
    p50, p99, slowest = (float(np.percentile(times, share)) for share in (50, 99, 100))
    span = (min(disconnected), max(disconnected)) if disconnected else (0.0, 0.0)
    return LoadResult(name, len(responses), failed, p50, p99, slowest, ticks, late, len(disconnected), span)


async def _load(
    address: str, normal: int, slow: int, seconds: float
) -> tuple[list[tuple[str, float]], list[float]]:
    """Return status and response time (s) of each request, and the seconds until each disconnection."""
    port = urlsplit(address).port or 80
    responses: list[tuple[str, float]] = []
    disconnected: list[float] = []
    end = time.monotonic() + seconds
    tasks = [_request_repeatedly(port, nth, end, responses) for nth in range(normal)]
    tasks += [_send_slowly(port, nth, end, disconnected) for nth in range(slow)]
    await asyncio.gather(*tasks)
    return responses, disconnected


async def _connect(port: int, nth: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    client = f"127.0.1.{1 + nth // CONNECTIONS_PER_ADDRESS}"
    return await asyncio.open_connection("127.0.0.1", port, local_addr=(client, 0))


async def _request_repeatedly(port: int, nth: int, end: float, responses: list[tuple[str, float]]) -> None:
    """Send one request or more, one every `PAUSE_S` seconds, on one connection."""
    # Spread the connections over the pause, so that requests do not come in bursts.
    await asyncio.sleep(PAUSE_S * (nth * 0.618 % 1))
    reader, writer = await _connect(port, nth)
    while True:
        began = time.monotonic()
        try:
            writer.write(f"GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            (length,) = [
                line for line in head.decode().lower().split("\r\n") if line.startswith("content-length")
            ]
            await reader.readexactly(int(length.split(":")[1]))
            status = head.split()[1].decode()
        except (OSError, asyncio.IncompleteReadError) as error:
            responses.append((str(error), time.monotonic() - began))
            return
        responses.append((status, time.monotonic() - began))
        await asyncio.sleep(PAUSE_S)
        if time.monotonic() >= end:
            break
    writer.close()


async def _send_slowly(port: int, nth: int, end: float, disconnected: list[float]) -> None:
    """Send one byte per second: of the body on odd connections, of the head on even ones."""
    reader, writer = await _connect(port, nth)
    began = time.monotonic()
    if nth % 2:
        writer.write(b"POST /races HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
    else:
        writer.write(b"POST /races HTTP/1.1\r\nX: ")
    while time.monotonic() < end:
        writer.write(b" ")
        try:
            await asyncio.wait_for(reader.read(), 1.0)
        except TimeoutError:
            continue
        except OSError:
            pass
        disconnected.append(time.monotonic() - began)
        break
    writer.close()
