"""The labels under which requests are counted."""

import pytest

from simulator.http.request_metrics import Kind, RequestMetrics
from simulator.http.routes import Api


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        (b"GET", b"/races", 200, Kind("GET", "/races", "2xx")),
        (b"HEAD", b"/races", 200, Kind("HEAD", "/races", "2xx")),
        (b"POST", b"/", 201, Kind("POST", "/", "2xx")),
        (b"GET", b"/races/a-1/results.csv", 200, Kind("GET", "/races/{run_id}/results.{suffix}", "2xx")),
        (b"GET", b"/races/%C3%A9", 404, Kind("GET", "/races/{run_id}", "4xx")),
        (b"POST", b"/races/a/pause", 409, Kind("POST", "/races/{run_id}/pause", "4xx")),
        (b"OPTIONS", b"/races", 204, Kind("OPTIONS", "other", "2xx")),
        (b"GET", b"/nothing", 404, Kind("GET", "other", "4xx")),
        (b"GET", b"/races/", 404, Kind("GET", "other", "4xx")),
        (b"GET", b"/races/%ff", 400, Kind("GET", "other", "4xx")),
        (b"DELETE", b"/races/a", 405, Kind("other", "other", "4xx")),
        (b"\xff\xfe", b"*", 501, Kind("other", "other", "5xx")),
    ],
)
def test_a_request_is_of_a_bounded_kind(method: bytes, path: bytes, status: int, kind: Kind) -> None:
    """Method, route and status class have few values, whatever a client sends."""
    request_metrics = RequestMetrics(Api.app.url_map)
    request_metrics.answered(method, path, status, 0.25)

    (family,) = request_metrics.durations.collect()
    sums = {Kind(**s.labels): s.value for s in family.samples if s.name.endswith("_sum")}
    assert sums == {kind: 0.25}
