"""Which requests may change state."""

from pathlib import Path

import httpx
import pytest

from dashboard.api import ApiError, RaceApi
from simulator.http.auth import LEAST, AccessError, is_loopback, token_of
from tests.processes import simulator
from tests.simulator.commands.test_serve import command

TOKEN = "t0ken-of-the-tests"
RACE = {"course": "crystal-palace", "competitors": 3}


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.2", False),
        ("example.org", False),
        ("", False),
    ],
)
def test_addresses_of_this_machine_are_known(host: str, own: bool) -> None:  # noqa: FBT001
    """Only a loopback address needs no token."""
    assert is_loopback(host) == own
    if own:
        assert token_of("", None, host) is None
    else:
        with pytest.raises(AccessError, match="requires a token"):
            token_of("", None, host)
        assert token_of(TOKEN, None, host) == TOKEN


@pytest.mark.parametrize("token", ["x" * (LEAST - 1), "x" * LEAST + " y", "ü" * LEAST, "x" * LEAST + "\x07"])
def test_an_invalid_token_is_rejected(token: str) -> None:
    """A token that is too short, or can't be sent in a header, is reported."""
    with pytest.raises(AccessError, match="16 printable ASCII characters"):
        token_of(token, None, "127.0.0.1")


def test_a_token_comes_from_a_file(tmp_path: Path) -> None:
    """The token is the file's content; an empty file is reported as a mistake."""
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    assert token_of("", file, "0.0.0.0") == TOKEN
    file.write_text("\n")
    with pytest.raises(AccessError, match="is empty"):
        token_of("", file, "127.0.0.1")


def test_changes_require_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the token, or with a wrong one, everything can be read and nothing changed."""
    monkeypatch.setenv("RACECAST_TOKEN", TOKEN)
    with simulator(tmp_path, "--sqlite", str(tmp_path / "race.db")) as running:
        with httpx.Client(base_url=running.address, trust_env=False) as client:
            shown = {"Authorization": f"Bearer {TOKEN}"}
            made = client.post("/races", json=RACE, headers=shown)
            here = made.headers["location"]
            changes = ["/races", "/", f"{here}/pause", f"{here}/resume", f"{here}/cancel", "/courses"]
            changes += ["/plans", "/start-lists"]
            for header in (
                {},
                {"Authorization": "Bearer wrong"},
                {"Authorization": TOKEN},
                {"Authorization": f"Basic {TOKEN}"},
            ):
                refused = [client.post(path, json=RACE, headers=header) for path in changes]
                assert {answer.status_code for answer in refused} == {401}
                assert refused[0].headers["www-authenticate"] == "Bearer"
                assert "requires the simulator's token" in refused[0].json()["detail"]
            read = [
                client.get(path).status_code
                for path in ("/races", here, "/courses", "/healthz", "/docs", "/")
            ]
            paused = client.post(f"{here}/pause", headers=shown)
        running.end()

    assert made.status_code == 201
    assert set(read) == {200}
    assert paused.json()["status"] == "paused"
    assert TOKEN not in running.log.read_text()


def test_the_dashboard_sends_its_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the token the page creates and ends races; without it, the message says what to do."""
    monkeypatch.setenv("RACECAST_TOKEN", TOKEN)
    with simulator(tmp_path, "--sqlite", str(tmp_path / "race.db")) as running:
        run_id = RaceApi(running.address, TOKEN).create_race(RACE)
        changed = RaceApi(running.address, TOKEN).change(run_id, "cancel")
        with pytest.raises(ApiError, match="with the same one in RACECAST_TOKEN"):
            RaceApi(running.address).create_race(RACE)

    assert changed == "cancelled"


def test_a_page_of_another_origin_changes_nothing(tmp_path: Path) -> None:
    """A browser sends a request's origin; only the API's own pages may change state."""
    with simulator(tmp_path, "--sqlite", str(tmp_path / "race.db")) as running:

        def post(origin: str) -> int:
            headers = {"Origin": origin, "Content-Type": "text/plain"}
            return httpx.post(
                f"{running.address}/races", json=RACE, headers=headers, trust_env=False
            ).status_code

        assert post("https://example.org") == 403
        assert post("null") == 403
        assert post("http://127.0.0.1:1") == 403
        assert post(running.address) == 201
        answer = httpx.get(
            f"{running.address}/races", headers={"Origin": "https://example.org"}, trust_env=False
        )
    assert "access-control-allow-origin" not in answer.headers


def test_a_public_address_requires_a_token(tmp_path: Path) -> None:
    """On another address than loopback, without a token, the simulator ends with a message."""
    done = command("serve", "--host", "0.0.0.0", "--port", "0", "--sqlite", str(tmp_path / "r.db"))

    assert done.returncode == 1
    assert "listening on 0.0.0.0 requires a token" in done.stdout + done.stderr


def test_named_origins_may_read_and_change(tmp_path: Path) -> None:
    """Every response allows pages of a configured origin; no response allows others."""
    named, other = "https://pages.example", "https://elsewhere.example"
    flags = ("--sqlite", str(tmp_path / "race.db"), "--cors-origins", f"http://x, {named}")
    with simulator(tmp_path, *flags) as running:

        def ask(method: str, origin: str) -> httpx.Response:
            headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
            url = f"{running.address}/races"
            return httpx.request(method, url, json=RACE, headers=headers, trust_env=False)

        allowed = {method: ask(method, named) for method in ("GET", "POST", "OPTIONS")}
        refused = {method: ask(method, other) for method in ("GET", "POST", "OPTIONS")}

    assert [allowed[method].status_code for method in allowed] == [200, 201, 204]
    assert {answer.headers["Access-Control-Allow-Origin"] for answer in allowed.values()} == {named}
    assert "Authorization" in allowed["OPTIONS"].headers["Access-Control-Allow-Headers"]
    assert [refused[method].status_code for method in refused] == [200, 403, 405]
    for answer in (*allowed.values(), *refused.values()):
        assert "Origin" in answer.headers["Vary"]
    assert not any("Access-Control-Allow-Origin" in answer.headers for answer in refused.values())


def test_a_rebound_name_is_not_trusted(tmp_path: Path) -> None:
    """Without a token a page may change state only from this machine's own address (DNS rebinding)."""
    with simulator(tmp_path, "--sqlite", str(tmp_path / "race.db")) as running:
        port = running.address.rpartition(":")[2]
        answers = {}
        for host in ("evil.example", "127.0.0.1", "localhost"):
            headers = {"Host": f"{host}:{port}", "Origin": f"http://{host}:{port}"}
            answers[host] = httpx.post(
                f"{running.address}/races", json=RACE, headers=headers, trust_env=False
            ).status_code

    assert answers == {"evil.example": 403, "127.0.0.1": 201, "localhost": 201}
