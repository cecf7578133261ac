"""Plans: how crowded a race would be, without creating it."""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, ensureDeferred
from twisted.internet.task import Clock
from twisted.web.client import ResponseFailed

from simulator.course.course import Course
from simulator.export import crowding
from simulator.export.crowding import Crowding, CrowdingQuery
from simulator.http.answers import PlanAnswer, PlanLine
from simulator.race.race import Race
from simulator.race.request import RaceRequest
from simulator.service import plans
from simulator.service.plans import PlanService
from stream.problems import Problem
from tests.simulator.fakes import Bench
from tests.simulator.http.test_routes import Answered, Client, wrong

TIGHT = {
    "course": "straight",
    "competitors": 200,
    "crowding": "flow",
    "width": 1.0,
    "wave_size": 100,
    "wave_delay": 60.0,
    "dns": 0.1,
    "dnf": 0.1,
    "seed": 7,
}


@pytest.fixture
def client(clock: Clock, straight: Course, tmp_path: Path) -> Client:
    """Return the API with one course."""
    return Client(clock, {"straight": straight}, tmp_path / "uploads")


def lines(answer: Answered) -> list[PlanLine]:
    """Return the lines of a response, which have to be what their model says."""
    assert answer.status == 200
    assert answer.header("Content-Type") == "application/x-ndjson"
    return [PlanLine.model_validate_json(line) for line in answer.body.splitlines()]


def plan(client: Client, **fields: Any) -> PlanAnswer:
    """Return the plan of a request."""
    *_, last = lines(client.post("/plans", {**TIGHT, **fields}))
    assert last.plan is not None
    return last.plan


def test_a_plan_is_how_crowded_the_race_is(client: Client) -> None:
    """The plan of a request has the figures of the race that the same request makes, and creates none."""
    planned = plan(client)
    assert client.get("/races").json["races"] == []
    assert not client.publisher.batches
    client.post("/races", {**TIGHT, "run_id": "r"})
    crowding = client.get("/races/r/crowding").json

    for part in ("lost", "sections", "minutes", "start", "competitors", "levels", "warnings"):
        assert json.loads(planned.model_dump_json(include={part}))[part] == crowding[part]
    assert planned.lost.mean > 0


def test_a_plan_has_the_results_of_the_race(client: Client) -> None:
    """Wave, start, gun time and chip time of each competitor are those of the race's results."""
    planned = plan(client)
    client.post("/races", {**TIGHT, "run_id": "r", "speed": 1000.0})
    client.wait(10)
    results = {line["bib"]: line for line in client.get("/races/r/results").json["results"]}
    outcome = planned.outcome

    assert client.get("/races/r").json["status"] == "finished"
    for nth, bib in enumerate(planned.competitors.bib):
        line = results[bib]
        assert outcome.wave[nth] == line["wave"]
        for ours, theirs in ((outcome.gun_time, "gun_time"), (outcome.chip_time, "chip_time")):
            if line[theirs] is None:
                assert ours[nth] is None
            else:
                assert ours[nth] == pytest.approx(line[theirs], abs=0.0015)
        assert (outcome.start[nth] is None) == (line["status"] == "dns")
    assert sum(time is not None for time in outcome.chip_time) == 160


def test_a_plan_begins_with_its_progress(client: Client) -> None:
    """Each line but the last has the share that is done, from 0 on and growing by a per cent at least."""
    *progress, last = lines(client.post("/plans", TIGHT))
    shares = [line.progress for line in progress if line.progress is not None]

    assert len(shares) == len(progress) > 10
    assert shares[0] == 0.0
    assert all(later - earlier > 0.009 for earlier, later in pairwise(shares))
    assert shares[-1] <= 1.0
    assert last.progress is None


def test_a_generated_seed_is_returned_and_gives_the_same_plan(client: Client) -> None:
    """Without a seed the plan has one, with which the same plan can be asked for again."""
    first = plan(client, seed=None)

    assert plan(client, seed=first.seed) == first


def test_levels_of_warnings_are_those_of_the_query(client: Client) -> None:
    """The query sets the levels above which a plan warns, as for a race."""
    answer = client.post("/plans?max_density=0.2&max_flow=1000", TIGHT)
    last = lines(answer)[-1].plan
    assert last is not None

    assert {(warned.quantity, warned.level) for warned in last.warnings} == {("density", 0.2)}
    assert "max_flow" in wrong(client.post("/plans?max_flow=0", TIGHT))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"course": "nowhere"}, "course"),
        ({"width": 0.1}, "width"),
        ({"start_at": "2020-01-01T00:00:00Z"}, "start_at"),
        ({"points": [[0, 0], [0, 0]]}, "points"),
        ({"surprise": 1}, "surprise"),
        ({"cut_offs": {"Bridge": 900}}, "cut_offs"),
    ],
)
def test_a_request_that_makes_no_race_makes_no_plan(client: Client, fields: Any, field: str) -> None:
    """What `POST /races` rejects is rejected with the same words."""
    body = {**TIGHT, **fields}

    assert field in wrong(client.post("/plans", body))
    assert wrong(client.post("/plans", body)) == wrong(client.post("/races", body))


def test_a_race_that_turns_out_to_be_impossible_is_the_last_line(client: Client) -> None:
    """What shows only when the race is drawn comes after the progress, with the words of `POST /races`."""
    body = {**TIGHT, "cut_offs": {"finish": 600}, "wave_delay": 900.0}
    first, *_, last = lines(client.post("/plans", body))
    refused = client.post("/races", body)

    assert first.progress == 0.0
    assert last.plan is None
    assert last.problem is not None
    assert json.loads(last.problem.model_dump_json()) == refused.json
    assert "must not close the course" in wrong(refused)["cut_offs"]
    assert plan(client).seed == 7


def test_a_plan_has_a_largest_number_of_competitors(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan takes up to so many competitors; more get an error that says how many."""
    monkeypatch.setattr(plans, "MAX_COMPETITORS", 20)

    assert len(plan(client, competitors=20).competitors.bib) == 20
    assert wrong(client.post("/plans", {**TIGHT, "competitors": 21})) == {
        "competitors": "must be at most 20 in a plan"
    }


@pytest.fixture
def bench() -> Bench:
    """Return a bench for the work of threads."""
    return Bench()


@pytest.fixture
def slow(clock: Clock, straight: Course, tmp_path: Path, bench: Bench) -> Client:
    """Return the API with one course, whose threads work when a test says so."""
    return Client(clock, {"straight": straight}, tmp_path / "uploads", bench)


def test_plans_are_computed_in_threads_one_at_a_time(slow: Client, bench: Bench) -> None:
    """While a plan is computed the reactor answers; another plan waits until it is done."""
    asked = [slow.ask("POST", "/plans", TIGHT) for _ in range(2)]
    bench.work(20)

    assert slow.get("/healthz").status == 200
    assert len(bench.waiting) == 1
    bench.work()
    assert len({slow.answered(one).body for one in asked}) == 1


def test_too_many_waiting_plans_are_refused(
    slow: Client, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the plan that is computed, so many wait; one more gets 503 and the time to wait."""
    monkeypatch.setattr(plans, "MAX_WAITING", 2)
    asked = [slow.ask("POST", "/plans", TIGHT) for _ in range(4)]
    bench.work()
    answers = [slow.answered(one) for one in asked]

    assert [answer.status for answer in answers] == [200, 200, 200, 503]
    assert answers[-1].header("Retry-After") == "2"
    assert answers[-1].json["detail"] == "2 plans are waiting already; repeat the request later"


@pytest.fixture
def service(slow: Client, bench: Bench) -> PlanService:
    """Return the service behind the route."""
    return PlanService(slow.race_service, bench)


@pytest.fixture
def begin(service: PlanService, make_race: Callable[..., Race]) -> Callable[[list[float]], Any]:
    """Return what begins a plan; it keeps the shares that are reported."""
    race = make_race(crowding="flow", width=1.0, competitors=50)

    def begun(shares: list[float]) -> Any:
        return ensureDeferred(service.computed(race.course, race.request, CrowdingQuery(), shares.append))

    return begun


def test_a_client_that_disconnects_stops_its_plan(begin: Callable[[list[float]], Any], bench: Bench) -> None:
    """After a disconnect no further step is taken, and the next plan begins."""
    shares: list[float] = []
    ends: list[Any] = []
    first = begin(shares)
    bench.work(5)
    first.addErrback(ends.append).cancel()
    taken = len(shares)
    second = begin([])
    bench.work()

    assert ends[0].check(CancelledError)
    assert len(shares) == taken == 5
    assert isinstance(second.result, Crowding)


def test_a_client_that_disconnects_gives_up_its_place(
    begin: Callable[[list[float]], Any], bench: Bench, service: PlanService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan that waits and is given up never begins, and makes room for another one."""
    monkeypatch.setattr(plans, "MAX_WAITING", 1)
    shares: list[float] = []
    first, second = begin([]), begin(shares)
    checked = ensureDeferred(service.checked(RaceRequest.model_validate(TIGHT)))
    bench.work(4)
    refused: list[Any] = []
    _ = checked.addErrback(refused.append)
    assert refused[0].check(Problem)

    _ = second.addErrback(lambda _: None)
    second.cancel()
    again: Any = ensureDeferred(service.checked(RaceRequest.model_validate(TIGHT)))
    bench.work()
    assert isinstance(first.result, Crowding)
    assert not shares
    assert again.result[0].short_name == "straight"


def test_a_plan_that_fails_is_cut_off(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a step fails, the connection is aborted, so that no client takes the progress for the whole."""

    def broken(*_: Any) -> Any:
        yield 1 / 0

    monkeypatch.setattr(crowding, "planned", broken)
    answer = client.ask("POST", "/plans", TIGHT)
    faults: list[Any] = []
    _ = answer.addCallback(client._treq.content).addErrback(faults.append)
    client._treq.flush()

    assert faults[0].check(ResponseFailed)
