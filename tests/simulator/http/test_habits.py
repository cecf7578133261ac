"""What HTTP clients habitually send, on a real socket: forms, compression, `Expect`, old and odd requests."""

import gzip
import json
import re
import shlex
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import pytest

from simulator.course.library import MAX_BYTES
from simulator.http import openapi
from simulator.http.bodies import MAX_BODY
from tests.processes import ROOT, Running, simulator

FILES = ROOT / "tests" / "simulator" / "course" / "files"
KML = (FILES / "plain.kml").read_bytes()
FORM = "application/x-www-form-urlencoded"
WRAPPED = b"""<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2"><Placemark><LineString><coordinates>
0,51,0
0.001,51.002,0
0.003,51.003,0
</coordinates></LineString></Placemark></kml>
"""
GUIDES = [ROOT / "README.md", ROOT / "courses" / "README.md", *(ROOT / "docs").glob("[cgr]*.md")]
"""All but those of Docker, whose command reads its token from a file."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Return a simulator on the embedded store."""
    folder = tmp_path_factory.mktemp("habits")
    with simulator(folder, "--sqlite", str(folder / "race.db"), "--requests-per-second", "0") as running:
        yield running


def host_of(running: Running) -> str:
    """Return host and port."""
    return running.address.removeprefix("http://")


def upload(running: Running, body: bytes, name: str = "park", **headers: str) -> httpx.Response:
    """Post a course, with header names in snake case."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    url = f"{running.address}/courses?name={name}"
    return httpx.post(url, content=body, headers=given, trust_env=False)


def raw(running: Running, *parts: bytes) -> bytes:
    """Send bytes through a socket and return everything until the server closes the connection."""
    with connection(running) as wire:
        for part in parts:
            wire.sendall(part)
        return wire.makefile("rb").read()


def connection(running: Running) -> socket.socket:
    """Open a connection."""
    port = int(running.address.rsplit(":", 1)[1])
    return socket.create_connection(("127.0.0.1", port), timeout=10)


@pytest.mark.parametrize("type_of", ["multipart/form-data; boundary=x", "Multipart/Mixed; boundary=x"])
def test_a_multipart_body_gets_the_command_that_works(running: Running, type_of: str) -> None:
    """`curl -F file=@x.kml` is answered 415 with the curl command for this very address."""
    answer = upload(running, b"--x\r\n\r\n" + KML + b"\r\n--x--\r\n", content_type=type_of)
    works = f"curl --data-binary @FILE 'http://{host_of(running)}/courses?name=park'"

    assert (answer.status_code, answer.headers["content-type"]) == (415, "application/problem+json")
    assert answer.json()["detail"] == (
        f"The body is multipart, as curl -F sends it. This address takes the course file itself: {works}"
    )


def test_a_multipart_race_gets_the_command_that_works(running: Running) -> None:
    """The same holds for a race; a request with a token is shown where the token goes."""
    answer = httpx.post(
        f"{running.address}/races",
        files={"start_list": b"bib,name\n1,A\n"},
        headers={"Authorization": "Bearer x"},
        trust_env=False,
    )

    assert answer.status_code == 415
    assert answer.json()["detail"].endswith(
        'This address takes JSON: curl --data-binary @race.json -H "Authorization: Bearer $TOKEN" '
        f"http://{host_of(running)}/races"
    )


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "GZIP", "gzip, identity"])
def test_a_compressed_body_gets_the_command_that_works(running: Running, coding: str) -> None:
    """`Content-Encoding` is answered 415, not with an error of the XML in it."""
    answer = upload(running, gzip.compress(KML), content_encoding=coding)

    assert answer.status_code == 415
    assert answer.json()["detail"].startswith(
        f"The body is labelled as compressed (Content-Encoding: {coding}); send it without that header. "
    )
    assert f"curl --data-binary @FILE 'http://{host_of(running)}/courses?name=park'" in answer.text


def test_an_uncompressed_body_may_say_so(running: Running) -> None:
    """`Content-Encoding: identity` is no compression."""
    assert upload(running, KML, name="as-it-is", content_encoding="identity").status_code == 201


@pytest.mark.parametrize(
    "body", [quote(KML, safe="").encode(), b"file=" + quote(KML, safe="").encode(), b"file=x&name=park"]
)
def test_a_form_gets_the_command_that_works(running: Running, body: bytes) -> None:
    """`--data-urlencode`, and a form as programs post it, are answered 415."""
    answer = upload(running, body, content_type=FORM)

    assert answer.status_code == 415
    assert answer.json()["detail"].startswith("The body is a form, as curl --data-urlencode sends it. ")
    assert "curl --data-binary @FILE " in answer.text


def test_a_race_as_a_form_gets_the_command_that_works(running: Running) -> None:
    """Form fields instead of JSON are answered 415; broken JSON stays a 400."""
    url = f"{running.address}/races"
    form = httpx.post(url, data={"course": "city-10k", "competitors": "5"}, trust_env=False)
    broken = httpx.post(url, content=b'{"course": ', headers={"Content-Type": FORM}, trust_env=False)

    assert form.status_code == 415
    assert f"This address takes JSON: curl --data-binary @race.json {url}" in form.text
    assert broken.status_code == 400
    assert "not valid JSON" in broken.text


@pytest.mark.parametrize("path", ["/courses?name=park", "/races"])
@pytest.mark.parametrize("name", [b"park.gpx", b"C:\\runs\\My park (1).gpx.gz", b"../race.json"])
def test_a_file_name_gets_the_command_that_works(running: Running, path: str, name: bytes) -> None:
    """Without the @, curl sends the file's name; the answer says so."""
    url = f"{running.address}{path}"
    answer = httpx.post(url, content=name, headers={"Content-Type": FORM}, trust_env=False)

    assert answer.status_code == 415
    assert answer.json()["detail"].startswith("The body is the name of a file, without the @ before it. ")
    assert "curl --data-binary @" in answer.text


@pytest.mark.parametrize("body", [b"{course:city-10k}", b"'{course:city-10k}'", b"{'course': 'city-10k'}"])
def test_quotes_that_the_command_line_changed_are_named(running: Running, body: bytes) -> None:
    """JSON without its quotes, as Windows passes it to curl, is answered with the way that is safe."""
    url = f"{running.address}/races"
    answer = httpx.post(url, content=body, headers={"Content-Type": FORM}, trust_env=False)

    assert answer.status_code == 400
    assert answer.json()["detail"].endswith(
        f"Windows changes quotes in a command; from a file they are safe: curl --data-binary @race.json {url}"
    )


@pytest.mark.parametrize("type_of", [FORM, f"{FORM}; charset=UTF-8"])
def test_line_ends_that_curl_removed_are_named(running: Running, type_of: str) -> None:
    """A file that `curl -d @FILE` damaged is refused with the flag that keeps the line ends."""
    damaged = upload(running, WRAPPED.replace(b"\n", b""), content_type=type_of)
    whole = upload(running, WRAPPED, name=f"wrapped-{len(type_of)}", content_type=type_of)

    assert damaged.status_code == 422
    assert "The body has no line ends: curl -d removes them from a file, this does not: curl" in damaged.text
    assert damaged.json()["errors"][0]["field"] == "file"
    assert whole.status_code == 201


def test_a_file_without_line_ends_is_read(running: Running) -> None:
    """`curl -d @FILE` does no harm to a file whose line ends don't matter."""
    answer = upload(running, KML.replace(b"\n", b""), name="one-line", content_type=FORM)

    assert answer.status_code == 201


def test_json_may_have_a_byte_order_mark(running: Running) -> None:
    """JSON that a Windows editor saved is JSON."""
    body = b"\xef\xbb\xbf" + json.dumps({"course": "city-10k", "competitors": 2}).encode()
    answer = httpx.post(
        f"{running.address}/races", content=body, headers={"Content-Type": FORM}, trust_env=False
    )

    assert answer.status_code == 201


def head(size: int, path: str = "/courses", **headers: str) -> bytes:
    """Return the head of a POST that waits for `100 Continue`."""
    given = {"Host": "x", "Content-Length": str(size), "Expect": "100-continue"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def test_a_client_that_waits_may_send_at_once(running: Running) -> None:
    """`Expect: 100-continue` is answered before the body arrives."""
    with connection(running) as wire:
        wire.sendall(head(len(KML), "/courses?name=expected", Connection="close"))
        first = wire.recv(1000)
        wire.sendall(KML)
        rest = wire.makefile("rb").read()

    assert first == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert rest.startswith(b"HTTP/1.1 201 ")


@pytest.mark.parametrize(
    ("text", "status", "words"),
    [
        (
            head(MAX_BYTES + 1),
            413,
            f"has {MAX_BYTES + 1:,} bytes; this address takes at most {MAX_BYTES:,} bytes (",
        ),
        (head(MAX_BODY + 1, "/races"), 413, f"at most {MAX_BODY:,} bytes (8 MiB)"),
        (head(9, Content_Type="multipart/form-data; boundary=x"), 415, "curl --data-binary @FILE"),
        (head(9, Content_Encoding="gzip"), 415, "curl --data-binary @FILE"),
    ],
)
def test_a_client_that_waits_is_spared_a_refused_body(
    running: Running, text: bytes, status: int, words: str
) -> None:
    """What the head rules out is refused at once, without `100 Continue`."""
    answer = raw(running, text)

    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b"100 Continue" not in answer
    assert words in answer.decode()


@pytest.mark.parametrize("path", ["/races", "/courses"])
def test_a_client_that_sends_too_much_sees_why(running: Running, path: str) -> None:
    """The answer arrives also at a client that first sends all of its body: no reset."""
    size = MAX_BYTES + 5 * 1024 * 1024
    answer = httpx.post(running.address + path, content=b" " * size, trust_env=False)

    assert answer.status_code == 413
    assert f"has {size:,} bytes" in answer.json()["detail"]


def test_a_course_may_be_larger_than_a_race(running: Running) -> None:
    """A course file of more than 8 MiB is read, in chunks of unknown number too."""
    padded = KML.replace(b"</kml>", b"<!--" + b" " * MAX_BODY + b"--></kml>")

    assert upload(running, padded, name="padded").status_code == 201

    def chunks() -> Iterator[bytes]:
        for first in range(0, len(padded), 1_000_000):
            yield padded[first : first + 1_000_000]

    again = httpx.post(f"{running.address}/courses?name=padded", content=chunks(), trust_env=False)
    assert again.status_code == 200


def test_a_day_at_one_point_per_second_fits(running: Running) -> None:
    """A recording of 24 hours, 9.6 MB of GPX, can be uploaded as a course."""
    start = datetime(2026, 5, 1, tzinfo=UTC)
    points = "".join(
        f'<trkpt lat="{51 + nth * 8e-6:.8f}" lon="{nth % 2000 * 1e-5:.8f}"><ele>{100 + nth % 7:.1f}</ele>'
        f"<time>{start + timedelta(seconds=nth):%Y-%m-%dT%H:%M:%SZ}</time></trkpt>\n"
        for nth in range(24 * 3600)
    )
    body = f'<gpx xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>{points}</trkseg></trk></gpx>'
    answer = upload(running, body.encode(), name="a-day")

    assert len(body) == pytest.approx(9.2e6, rel=0.1)
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("path", ["/courses", "/races", "/healthz", "/openapi.json", "/docs", "/"])
def test_head_has_the_headers_of_get(running: Running, path: str) -> None:
    """HEAD is GET without the body."""
    url = running.address + path
    whole, only_head = httpx.get(url, trust_env=False), httpx.head(url, trust_env=False)

    assert (only_head.status_code, only_head.content) == (200, b"")
    for name in ("content-type", "content-length"):
        assert only_head.headers[name] == whole.headers[name]


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /healthz HTTP/1.0\r\n\r\n",
        b"GET /healthz HTTP/1.0\r\nHost: LOCALHOST\r\n\r\n",
        b"GET http://x/healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET HTTP://LOCALHOST:8080/healthz?x=1 HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHOST: LocalHost\r\nAccept-Encoding: gzip, br\r\nConnection: close\r\n\r\n",
        b"\r\nGET /healthz HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\nConnection: close\r\n\r\n",
    ],
)
def test_odd_requests_are_served(running: Running, request_line: bytes) -> None:
    """HTTP/1.0, requests as to a proxy, upper case and superfluous headers are all the same request."""
    answer = raw(running, request_line)

    assert answer.split(b" ", 2)[1] == b"200"
    assert answer.endswith(b'{"status":"ok","reasons":[]}')


def test_an_absolute_address_without_a_path_is_the_start_page(running: Running) -> None:
    """`GET http://x HTTP/1.1` asks for `/`, and the page names the host of the address."""
    answer = raw(running, b"GET http://racecast.example HTTP/1.1\r\nHost: y\r\nConnection: close\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"curl -X POST http://racecast.example/races" in answer


def test_requests_in_a_row_are_answered_in_a_row(running: Running) -> None:
    """Pipelined requests on one connection are answered in their order."""
    paths = [b"/healthz", b"/courses/nowhere", b"/courses/city-10k", b"/healthz"]
    lines = b"".join(b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % path for path in paths[:-1])
    answer = raw(running, lines + b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert re.findall(rb"HTTP/1.1 (\d+) ", answer) == [b"200", b"404", b"200", b"200"]


def test_a_refused_body_does_not_overtake(running: Running) -> None:
    """A refusal waits for the answers to the requests before it."""
    answer = raw(running, b"GET /courses/city-10k HTTP/1.1\r\nHost: x\r\n\r\n" + head(MAX_BYTES + 1))

    assert re.findall(rb"HTTP/1.1 (\d+) ", answer) == [b"200", b"413"]


@pytest.mark.parametrize("path", ["/courses", "/courses/my-park.gpx", "/races"])
def test_curl_upload_is_told_the_command_that_works(running: Running, path: str) -> None:
    """`curl -T` sends PUT, which is not allowed; the answer names what is."""
    answer = httpx.put(running.address + path, content=KML, trust_env=False)

    assert answer.status_code == 405
    assert "POST" in answer.headers["allow"] or path == "/courses/my-park.gpx"
    assert answer.json()["detail"].startswith("PUT is not allowed here; allowed: GET, HEAD")
    command = "@race.json" if path == "/races" else "@FILE"
    url = f"http://{host_of(running)}{path.removesuffix('/my-park.gpx')}"
    assert answer.json()["detail"].endswith(f". Use POST: curl --data-binary {command} {url}")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/courses/"), ("POST", "/races/"), ("GET", "/healthz/")]
)
def test_a_slash_at_the_end_is_named(running: Running, method: str, path: str) -> None:
    """An address with a superfluous slash is unknown, and the message says what to try."""
    answer = httpx.request(method, running.address + path, trust_env=False)

    assert answer.status_code == 404
    assert "try it without the slash at the end" in answer.text


def test_ipv6(tmp_path: Path) -> None:
    """The simulator listens on an IPv6 address as well."""
    with simulator(tmp_path, "--sqlite", str(tmp_path / "race.db"), host="::1") as running:
        answer = running.get("/courses")
        refused = httpx.post(f"{running.address}/races", files={"a": b"b"}, trust_env=False)

    assert answer.status_code == 200
    assert f"curl --data-binary @race.json 'http://{host_of(running)}/races'" in refused.text


def documented_commands() -> list[str]:
    """Return the curl commands of the guides, each on one line."""
    command = re.compile(r"^ +curl (?:.*\n)(?: {6,}.*\n)*", re.MULTILINE)
    found = (block for guide in GUIDES for block in command.findall(guide.read_text()))
    return list(dict.fromkeys(" ".join(block.split()) for block in found))


@pytest.mark.parametrize("command", documented_commands())
def test_documented_commands_work(running: Running, command: str) -> None:
    """Each curl command in the guides is answered with success, sent as curl sends it."""
    words = shlex.split(command)
    (url,) = (urlsplit(word) for word in words if word.startswith("http"))
    data = next((words[nth + 1] for nth, word in enumerate(words) if word in {"-d", "--data-binary"}), None)
    race = {"course": "city-10k", "competitors": 30, "run_id": "RUN_ID", "speed": 1}
    httpx.post(f"{running.address}/races", json=race, trust_env=False)
    body = KML if data and data.startswith("@") else (data or "").encode()
    target = f"{running.address}{url.path}?{url.query}"
    answer = httpx.request(
        "POST" if data else "GET", target, content=body, headers={"Content-Type": FORM}, trust_env=False
    )

    assert answer.status_code in {200, 201}, answer.text


def test_the_document_has_the_sizes() -> None:
    """`/openapi.json` states the size of each body, and 415 for what is no file or JSON."""
    bodies = {
        path: operation
        for path, operations in openapi.document()["paths"].items()
        for operation in operations.values()
        if "requestBody" in operation
    }

    assert {path: operation["requestBody"]["description"] for path, operation in bodies.items()} == {
        "/plans": "At most 8 MiB (8,388,608 bytes).",
        "/start-lists": "At most 8 MiB (8,388,608 bytes).",
        "/races": "At most 8 MiB (8,388,608 bytes).",
        "/": "At most 8 MiB (8,388,608 bytes).",
        "/courses": "At most 16 MiB (16,777,216 bytes).",
    }
    assert all("415" in operation["responses"] for operation in bodies.values())
