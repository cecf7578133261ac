"""Generated API requests, valid and invalid, sent to a real simulator.

schemathesis generates them from `/openapi.json` and checks each response against that document. Races are
cancelled soon after they are created: the test covers the API, not the engine's throughput.
"""

from collections import Counter, deque
from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import orjson
import schemathesis
from schemathesis import BaseSchema, Case, HookContext, Response
from schemathesis.core.failures import Failure, ServerError
from schemathesis.engine import Status, events, from_schema
from schemathesis.engine.recorder import CheckNode, ScenarioRecorder
from schemathesis.openapi.checks import RejectedPositiveData

from stream.waiting import wait_for
from tests.processes import Running, simulator
from tests.torture.outcome import InputResult

SEED = 20261124
MAX_LIVE_RACES = 20
MAX_COMPETITORS = 1000
"""Races with more competitors are cancelled immediately."""
RESPONSE_TIMEOUT_S = 60.0
READY_TIMEOUT_S = 60.0
REQUESTS_PER_EXAMPLE = 100
"""A run of n requests generates n / 100 random examples of each operation in each pass."""
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "positive_data_acceptance",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
)
UNDOCUMENTED_RULES = (
    "is not a known course",
    "form a valid course",
    "start_list ",
    "cut_offs ",
    "at this specific_flow",
    "must be one line of printable characters",
    "must be omitted or be",
    "must be at least the fastest pace",
    "must be at least min_pause",
    "positions a second",
    "seconds after the gun; the limit is",
    "add up to at most 1",
    "more than a day ago",
    "more than a year ahead",
    "file ",
    "must be in the race",
    "points; the limit is",
    "for two fields",
    "Line ",
)
"""Parts of the error messages for rules that OpenAPI cannot express.

Such a rule concerns several fields, the content of a file, or the server's state. A request that is valid by
the OpenAPI document may be rejected for these reasons only.
"""


@schemathesis.serializer("application/x-ndjson")
def _lines_of_json(_: object, value: object) -> bytes:
    """Return the body of a grade: a line for each item of a list, or the only one."""
    return b"\n".join(map(orjson.dumps, value if isinstance(value, list) else [value]))


def run(requests: int) -> InputResult:
    """Send about `requests` requests."""
    with TemporaryDirectory() as folder:
        store = ["--sqlite", f"{folder}/race.db", "--history-mb", "200"]
        with simulator(Path(folder), *store, "--requests-per-second", "0") as running:
            before = running.memory()
            with httpx.Client(
                base_url=running.address, timeout=RESPONSE_TIMEOUT_S, trust_env=False
            ) as client:
                campaign = _Campaign(client, requests)
                campaign.run()
            memory = running.memory(peak=True) - before
            failures = [*campaign.failures(), *_final_problems(running)]
    return InputResult(
        name="API requests generated from /openapi.json",
        inputs=campaign.requests,
        accepted=campaign.accepted,
        rejected=campaign.rejected,
        failures=failures,
        slowest=campaign.slowest,
        peak_memory=memory,
    )


class _Campaign:
    """Sends generated requests and counts the results."""

    def __init__(self, client: httpx.Client, wanted: int) -> None:
        self.requests = self.accepted = self.rejected = 0
        self.slowest = 0.0
        self._wanted = wanted
        self._sent = 0
        self._live_races: deque[str] = deque()
        self._failures: Counter[str] = Counter()
        self._client = client

    def run(self) -> None:
        """Send the wanted number of requests, in several passes."""
        random_phases = ("examples", "fuzzing", "stateful")
        self._pass(SEED, random_phases)
        # Creating a race has many limits, each of which is tested, so the other routes come first.
        self._pass(SEED, ("coverage",), exclude={"method": "POST", "path": ["/", "/races"]})
        for path in ("/races", "/"):
            self._pass(SEED, ("coverage",), include={"method": "POST", "path": path})
        seeds = count(SEED + 1)
        while self._sent < self._wanted:
            self._pass(next(seeds), random_phases)
        while self._live_races:
            self._cancel(self._live_races.popleft())

    def failures(self) -> list[str]:
        """Return each distinct failure with the number of its occurrences."""
        return [f"{times} times: {failure}" for failure, times in self._failures.items()]

    def _pass(
        self,
        seed: int,
        phases: tuple[str, ...],
        exclude: dict[str, Any] | None = None,
        include: dict[str, Any] | None = None,
    ) -> None:
        if self._sent >= self._wanted:
            return
        before, schema = self._sent, self._schema(seed, phases)
        schema = schema.exclude(**exclude) if exclude else schema.include(**include) if include else schema

        @schema.hook
        def after_call(_: HookContext, case: Case[Any], response: Response) -> None:
            self._sent += 1
            if response.status_code == HTTPStatus.CREATED and case.path in {"/", "/races"}:
                self._limit_live_races(response.json())

        stream = from_schema(schema).execute()
        for event in stream:
            match event:
                case events.ScenarioFinished():
                    self._count(event.recorder)
                case events.NonFatalError():
                    self._failures[f"schemathesis: {event.label}: {event.value}"] += 1
                case events.FatalError():
                    raise event.exception
            if self._sent >= self._wanted:
                # Stop between two scenarios: an interrupted scenario would not be reported.
                stream.stop()
        if self._sent == before:
            raise RuntimeError("schemathesis sent no request")

    def _schema(self, seed: int, phases: tuple[str, ...]) -> BaseSchema:
        config = schemathesis.Config.from_dict(
            {
                "seed": seed,
                "continue-on-failure": True,
                "request-timeout": RESPONSE_TIMEOUT_S,
                "generation": {
                    "mode": "all",
                    "max-examples": max(1, self._wanted // REQUESTS_PER_EXAMPLE),
                    "no-shrink": True,
                    "database": "none",
                },
                "phases": {
                    phase: {"enabled": phase in phases}
                    for phase in ("examples", "coverage", "fuzzing", "stateful")
                },
                "checks": {"enabled": False, **{check: {"enabled": True} for check in CHECKS}},
            }
        )
        schema = schemathesis.openapi.from_url(
            str(self._client.base_url.join("/openapi.json")), config=config
        )

        @schema.hook
        def filter_failure(_: HookContext, failure: Failure, case: Case[Any], response: Response) -> bool:
            return not _is_intended(failure, case, response)

        return schema

    def _limit_live_races(self, race: dict[str, Any]) -> None:
        """Cancel a large race immediately, and the oldest if there are too many."""
        if race["competitors"] > MAX_COMPETITORS:
            self._cancel(race["run_id"])
        else:
            self._live_races.append(race["run_id"])
        if len(self._live_races) > MAX_LIVE_RACES:
            self._cancel(self._live_races.popleft())

    def _cancel(self, run_id: str) -> None:
        status = self._client.post(f"/races/{run_id}/cancel").status_code
        # 409: it has already finished.
        if status not in {HTTPStatus.OK, HTTPStatus.CONFLICT}:
            self._failures[f"cancelling a race returned {status}"] += 1

    def _count(self, recorder: ScenarioRecorder) -> None:
        for interaction in recorder.interactions.values():
            self.requests += 1
            response = interaction.response
            if response is None:
                self._failures[f"{interaction.request.method} {recorder.label}: no response"] += 1
                continue
            self.slowest = max(self.slowest, response.elapsed)
            status = response.status_code
            self.accepted += status < HTTPStatus.BAD_REQUEST
            self.rejected += HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
            self.rejected += status == HTTPStatus.SERVICE_UNAVAILABLE
        for case_id, checks in recorder.checks.items():
            for check in checks:
                if check.status != Status.SUCCESS:
                    self._failures[_description(recorder, case_id, check)] += 1


def _description(recorder: ScenarioRecorder, case_id: str, check: CheckNode) -> str:
    """Describe a failed check with its request and response."""
    case, interaction = recorder.cases[case_id].value, recorder.interactions.get(case_id)
    response = interaction.response if interaction else None
    returned = f"{response.status_code}: {response.content[:300]!r}" if response else "nothing"
    reason = "" if check.failure_info is None else " ".join(check.failure_info.failure.message.split())
    return f"{check.name}: {case.method} {case.path} returned {returned}; {reason[:200]}"


def _is_intended(failure: Failure, case: Case[Any], response: Response) -> bool:
    """Return whether a response that schemathesis reports as a failure is intended."""
    if isinstance(failure, ServerError):
        # 503 means "not ready" or "full", on the routes that document it.
        is_documented = str(response.status_code) in case.operation.responses.status_codes
        return response.status_code == HTTPStatus.SERVICE_UNAVAILABLE and is_documented
    if isinstance(failure, RejectedPositiveData) and response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY:
        problem = response.json()
        details = [f"{error['field']} {error['detail']}" for error in problem.get("errors", [])]
        return all(
            any(rule in detail for rule in UNDOCUMENTED_RULES) for detail in details or [problem["detail"]]
        )
    return False


def _final_problems(running: Running) -> Iterator[str]:
    """Wait until the simulator is healthy, stop it, and yield problems in its exit status and log."""
    for path in ("/healthz", "/readyz"):
        wait_for(path, partial(_not_healthy, running, path), seconds=READY_TIMEOUT_S, say=print)
    if (status := running.end()) != 0:
        yield f"the simulator's exit status is {status}"
    for line in running.log.read_text().splitlines():
        if "Traceback" in line or "[error" in line or "request failed" in line:
            yield f"log: {line}"


def _not_healthy(running: Running, path: str) -> str | None:
    response = running.get(path)
    return None if response.is_success else f"{path} returned {response.status_code}: {response.text}"
