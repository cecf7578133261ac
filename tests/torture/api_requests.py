"""Requests of every kind against a real simulator, right and wrong ones, made of its own description.

schemathesis reads `/openapi.json` and makes of it what the description allows and what it doesn't; each
answer is held to the description. Races are cancelled as they come, so that what is tried is the API and not
the machine: a field of a hundred thousand is made and answered for, and doesn't run on.
"""

from __future__ import annotations

from collections import Counter, deque
from functools import partial
from http import HTTPStatus
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import httpx
import schemathesis
from schemathesis.core.failures import ServerError
from schemathesis.engine import Status, events, from_schema
from schemathesis.openapi.checks import RejectedPositiveData

from stream.waiting import wait_for
from tests.processes import Running, simulator
from tests.torture.outcome import Hostile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemathesis import BaseSchema, Case, HookContext, Response
    from schemathesis.core.failures import Failure
    from schemathesis.engine.recorder import CheckNode, ScenarioRecorder

SEED = 20261124
LIVE = 20
"""Races that are under way at once."""
LARGEST = 1000
"""Competitors of a race that may be under way; a larger one is cancelled as soon as it is made."""
ANSWERED_WITHIN = 60.0
READY_WITHIN = 60.0
EXAMPLES = 100
"""For each so many requests one of each operation is drawn by chance, pass after pass."""
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
NOT_SAID = (
    "is not a known course",
    "form a valid course",
    "start_list ",
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
)
"""Why a request is refused that is right by the description: what it can't say, for it lies in several
fields, in the file that is sent, or in what there is. For any other reason nothing right may be refused."""


def run(requests: int) -> Hostile:
    """Send about so many requests."""
    with TemporaryDirectory() as folder:
        store = ["--sqlite", f"{folder}/race.db", "--history-mb", "200"]
        with simulator(Path(folder), *store, "--requests-per-second", "0") as running:
            before = running.memory()
            with httpx.Client(base_url=running.address, timeout=ANSWERED_WITHIN, trust_env=False) as client:
                trial = _Trial(client, requests)
                trial.run()
            memory = running.memory(peak=True) - before
            broken = [*trial.broken(), *_aftermath(running)]
    return Hostile(
        what="requests to the API, made of its description",
        tried=trial.tried,
        taken=trial.taken,
        refused=trial.refused,
        broken=broken,
        slowest=trial.slowest,
        memory=memory,
    )


class _Trial:
    """Sends requests, and counts what comes of them."""

    def __init__(self, client: httpx.Client, requests: int) -> None:
        self.tried = self.taken = self.refused = 0
        self.slowest = 0.0
        self._requests = requests
        self._sent = 0
        self._live: deque[str] = deque()
        self._broken: Counter[str] = Counter()
        self._client = client

    def run(self) -> None:
        """Send as many as there have to be, in several passes."""
        by_chance = ("examples", "fuzzing", "stateful")
        self._pass(SEED, by_chance)
        # The bodies of these have many limits, and each is tried: so all else comes first.
        self._pass(SEED, ("coverage",), but={"method": "POST", "path": ["/", "/races"]})
        for path in ("/races", "/"):
            self._pass(SEED, ("coverage",), only={"method": "POST", "path": path})
        seeds = count(SEED + 1)
        while self._sent < self._requests:
            self._pass(next(seeds), by_chance)
        while self._live:
            self._cancel(self._live.popleft())

    def broken(self) -> list[str]:
        """Return what was not as it has to be, each once, with how many times it was."""
        return [f"{times} times: {what}" for what, times in self._broken.items()]

    def _pass(
        self,
        seed: int,
        phases: tuple[str, ...],
        but: dict[str, Any] | None = None,
        only: dict[str, Any] | None = None,
    ) -> None:
        if self._sent >= self._requests:
            return
        before, schema = self._sent, self._schema(seed, phases)
        schema = schema.exclude(**but) if but else schema.include(**only) if only else schema

        @schema.hook
        def after_call(_: HookContext, case: Case[Any], response: Response) -> None:
            self._sent += 1
            if response.status_code == HTTPStatus.CREATED and case.path in {"/", "/races"}:
                self._mind(response.json())

        stream = from_schema(schema).execute()
        for event in stream:
            match event:
                case events.ScenarioFinished():
                    self._count(event.recorder)
                case events.NonFatalError():
                    self._broken[f"schemathesis: {event.label}: {event.value}"] += 1
                case events.FatalError():
                    raise event.exception
            if self._sent >= self._requests:
                # What is under way when it is stopped isn't told of: so between two scenarios, here.
                stream.stop()
        if self._sent == before:
            raise RuntimeError("schemathesis has sent nothing")

    def _schema(self, seed: int, phases: tuple[str, ...]) -> BaseSchema:
        config = schemathesis.Config.from_dict(
            {
                "seed": seed,
                "continue-on-failure": True,
                "request-timeout": ANSWERED_WITHIN,
                "generation": {
                    "mode": "all",
                    "max-examples": max(1, self._requests // EXAMPLES),
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
            return not _is_right(failure, case, response)

        return schema

    def _mind(self, race: dict[str, Any]) -> None:
        """Keep races from becoming too many, or one too large."""
        if race["competitors"] > LARGEST:
            self._cancel(race["run_id"])
        else:
            self._live.append(race["run_id"])
        if len(self._live) > LIVE:
            self._cancel(self._live.popleft())

    def _cancel(self, run_id: str) -> None:
        status = self._client.post(f"/races/{run_id}/cancel").status_code
        # It may have ended already.
        if status not in {HTTPStatus.OK, HTTPStatus.CONFLICT}:
            self._broken[f"cancelling a race was answered {status}"] += 1

    def _count(self, recorder: ScenarioRecorder) -> None:
        for interaction in recorder.interactions.values():
            self.tried += 1
            answer = interaction.response
            if answer is None:
                self._broken[f"{interaction.request.method} {recorder.label}: no answer"] += 1
                continue
            self.slowest = max(self.slowest, answer.elapsed)
            self.taken += answer.status_code < HTTPStatus.BAD_REQUEST
            self.refused += HTTPStatus.BAD_REQUEST <= answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR
            self.refused += answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        for case_id, checks in recorder.checks.items():
            for check in checks:
                if check.status != Status.SUCCESS:
                    self._broken[_description(recorder, case_id, check)] += 1


def _description(recorder: ScenarioRecorder, case_id: str, check: CheckNode) -> str:
    """Say which check failed, and at what."""
    case, interaction = recorder.cases[case_id].value, recorder.interactions.get(case_id)
    answer = interaction.response if interaction else None
    told = f"{answer.status_code}: {answer.content[:300]!r}" if answer else "nothing"
    why = "" if check.failure_info is None else " ".join(check.failure_info.failure.message.split())
    return f"{check.name}: {case.method} {case.path} was answered {told}; {why[:200]}"


def _is_right(failure: Failure, case: Case[Any], response: Response) -> bool:
    """Tell whether what schemathesis takes for a failure is as it has to be."""
    if isinstance(failure, ServerError):
        # No room, or not ready: that is said in words, and in the description.
        is_said = str(response.status_code) in case.operation.responses.status_codes
        return response.status_code == HTTPStatus.SERVICE_UNAVAILABLE and is_said
    if isinstance(failure, RejectedPositiveData) and response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY:
        problem = response.json()
        told = [f"{error['field']} {error['detail']}" for error in problem.get("errors", [])] or [
            problem["detail"]
        ]
        return all(any(reason in detail for reason in NOT_SAID) for detail in told)
    return False


def _aftermath(running: Running) -> Iterator[str]:
    """Tell what is wrong with the simulator afterwards, and end it."""
    for path in ("/healthz", "/readyz"):
        wait_for(path, partial(_trouble, running, path), seconds=READY_WITHIN, say=print)
    if (status := running.end()) != 0:
        yield f"the simulator's exit status is {status}"
    for line in running.log.read_text().splitlines():
        if "Traceback" in line or "[error" in line or "request failed" in line:
            yield f"in its log: {line}"


def _trouble(running: Running, path: str) -> str | None:
    answer = running.get(path)
    return None if answer.is_success else f"{path} is answered {answer.status_code}: {answer.text}"
