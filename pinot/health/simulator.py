"""Probe of the simulator's API: metrics and readiness."""

import time
from collections import defaultdict
from collections.abc import Mapping

import httpx
from prometheus_client.parser import text_string_to_metric_families

from pinot.health.sample import Failure, Simulator
from pinot.health.words import reason
from stream.pinot import without_password

PATIENCE_S = 2.0

METRICS: Mapping[str, str] = {
    "ticks": "racecast_ticks_total",
    "late_ticks": "racecast_late_ticks_total",
    "delivered": "racecast_events_delivered_total",
    "errors": "racecast_delivery_errors_total",
    "retries": "racecast_publish_retries_total",
    "waiting": "racecast_events_waiting",
    "lag": "racecast_lag_seconds",
}
"""The simulator's metric names by our own; metrics with labels are summed."""
RUNNING = 'racecast_races{status="running"}'


class SimulatorProbe:
    """Probes the API at this URL, with its token if it requires one."""

    def __init__(self, api: str, token: str = "") -> None:
        self._api = api.rstrip("/")
        self._shown = without_password(self._api)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        # Without the machine's proxy settings: the simulator is here or on this network.
        self._client = httpx.Client(trust_env=False, headers=headers, timeout=PATIENCE_S)

    def __call__(self) -> Simulator | Failure:
        """Return its metrics and readiness."""
        taken = time.time()
        try:
            metrics = self._client.get(f"{self._api}/metrics")
            ready = self._client.get(f"{self._api}/readyz")
            if httpx.codes.UNAUTHORIZED in {metrics.status_code, ready.status_code}:
                return Failure("The simulator requires a token. Set RACECAST_TOKEN to the simulator's token.")
            found = _metrics(metrics.text)
            reasons = tuple(str(reason) for reason in ready.json().get("reasons", ()))
            values = {ours: found[theirs] for ours, theirs in METRICS.items()}
            running = found.get(RUNNING, 0.0)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Failure(
                f"The simulator's API at {self._shown} does not answer ({reason(error)}). Start it (python "
                "-m simulator serve), or set RACECAST_API to its address."
            )
        except (ValueError, LookupError, TypeError, AttributeError):
            return Failure(
                f"The server at {self._shown} is not the simulator's API. Set RACECAST_API to its address."
            )
        return Simulator(reasons=reasons, running=running, taken=taken, **values)


def _metrics(text: str) -> dict[str, float]:
    """Return sums by metric name, and the races' statuses by name and label."""
    found: defaultdict[str, float] = defaultdict(float)
    for family in text_string_to_metric_families(text):
        for name, labels, value, *_ in family.samples:
            found[name] += value
            if "status" in labels:
                found[f'{name}{{status="{labels["status"]}"}}'] += value
    return dict(found)
