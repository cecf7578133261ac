"""The dashboard as a process: what it sends to browsers, and how little it reveals of a failure."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from dashboard.headers import HEADERS
from dashboard.race.routes import PREFIX
from tests.dashboard.events import ROOT
from tests.dashboard.failing_site import SECRET
from tests.processes import Running, dashboard

UNREACHABLE = "http://127.0.0.1:9"
PATIENCE_S = 30.0


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A dashboard that runs in another folder than its own, and all of whose pages fail."""
    folder = tmp_path_factory.mktemp("failing")
    with dashboard(folder, UNREACHABLE, module="tests.dashboard.failing_site") as running:
        yield running


@pytest.fixture(scope="module")
def seen(failing: Running) -> list[Any]:
    """The settings a browser receives with the page."""
    return _view(failing.address)


def test_failure_is_reported_without_details(failing: Running, seen: list[Any]) -> None:
    """On an unexpected exception a viewer sees one sentence of ours; the log has the details."""
    shown = [str(message.delta) for message in seen if message.WhichOneof("type") == "delta"]
    (notice,) = [one for one in shown if "Something went wrong on this page" in one]
    assert 'role=\\"alert\\"' in notice
    for secret in (SECRET, "Traceback", "RuntimeError", str(ROOT)):
        assert not [one for one in shown if secret in one]
    assert SECRET not in "".join(map(str, seen))
    assert SECRET in failing.log.read_text()


def test_failing_route_reveals_nothing(failing: Running) -> None:
    """The map's routes reveal nothing either."""
    for what in ("positions", "positions?at=1", "competitors"):
        answer = httpx.get(f"{failing.address}/{PREFIX}/races/run/{what}", trust_env=False)
        assert (answer.status_code, answer.text) == (500, "Internal Server Error")


def test_settings_hold_wherever_it_is_started(seen: list[Any]) -> None:
    """Streamlit's settings are those of the file, although the process runs in a folder without it."""
    message = next(one.new_session for one in seen if one.WhichOneof("type") == "new_session")
    assert message.config.gather_usage_stats is False
    assert message.config.toolbar_mode == message.config.ToolbarMode.MINIMAL
    assert message.config.show_error_links == message.config.ShowErrorLinks.SHOW_ERROR_LINKS_FALSE
    assert message.custom_theme.light.primary_color == "#0072b2"


@pytest.mark.parametrize("path", ["/", "/new", "/_stcore/health", f"/{PREFIX}/static/map.css", "/nothing.js"])
def test_answers_are_careful(failing: Running, path: str) -> None:
    """Every response, ours and Streamlit's, forbids framing by other sites and MIME sniffing."""
    answer = httpx.get(failing.address + path, trust_env=False)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_pages_of_other_origins_are_kept_out(failing: Running) -> None:
    """A page of another origin can neither open a session nor upload a file in a viewer's name."""
    with pytest.raises(Exception, match="403"):
        _view(failing.address, origin="http://elsewhere.example")
    upload = f"{failing.address}/_stcore/upload_file/session/file"
    assert httpx.put(upload, files={"file": b"x"}, trust_env=False).status_code == 403
    answer = httpx.get(failing.address, headers={"Origin": "http://elsewhere.example"}, trust_env=False)
    assert "Access-Control-Allow-Origin" not in answer.headers


def _view(address: str, origin: str | None = None) -> list[Any]:
    """Open the page, as a browser of that origin, and return all messages until it is drawn."""
    stream = address.replace("http:", "ws:") + "/_stcore/stream"
    headers = {"Origin": origin} if origin else None
    with connect(
        stream, subprotocols=[Subprotocol("streamlit")], additional_headers=headers, proxy=None, max_size=None
    ) as viewer:
        draw = BackMsg()
        draw.rerun_script.query_string = ""
        viewer.send(draw.SerializeToString())
        messages: list[Any] = []
        while not messages or messages[-1].WhichOneof("type") != "script_finished":
            message = viewer.recv(PATIENCE_S)
            assert isinstance(message, bytes)
            messages.append(ForwardMsg.FromString(message))
        return messages
