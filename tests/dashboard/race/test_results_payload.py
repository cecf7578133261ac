import gzip
from typing import Any

import numpy as np
import orjson

from dashboard.race import finish_list, results_payload
from dashboard.race.split_times import SplitTimes
from dashboard.store.protocol import STATUSES
from tests.dashboard.fakes import Passing, Row, at, passings, race
from tests.dashboard.race.test_finish_list import LENGTH, NOW, PASSED, found


def body(results: finish_list.Results, names: int = 0) -> dict[str, Any]:
    """What a browser reads."""
    payload: dict[str, Any] = orjson.loads(
        gzip.decompress(results_payload.encode(results, race(), names=names, is_final=False).body)
    )
    return payload


def test_columns() -> None:
    """Rows are in finish order, with places, times, gaps and splits; null is what there is not."""
    said = body(found(), names=4)
    assert (said["rank"], said["names"], said["statuses"]) == ("gun", 4, list(STATUSES))
    assert (said["status"], said["final"]) == ("running", False)
    assert said["splits"] == [{"name": "1 km", "metres": 1000.0}, {"name": "2 km", "metres": 2000.0}]
    columns = said["columns"]
    assert [STATUSES[number] for number in columns.pop("status")] == [
        "finished",
        "finished",
        "paused",
        "running",
        "dnf",
    ]
    assert columns == {
        "competitor": [2, 1, 5, 3, 4],
        "place": [1, 2, 0, 0, 0],
        "gun": [1000.5, 1010.0, None, None, None],
        "chip": [1000.5, 990.0, None, None, None],
        "gap": [0.0, 9.5, None, None, None],
        "distance": [2500.0, 2500.0, 2100.0, 1800.0, 900.0],
        "split_0": [400.0, 400.0, None, 600.0, None],
        "split_1": [802.0, 790.0, None, None, None],
    }


def test_all_finishers() -> None:
    """However many there are, all are in the payload."""
    now: list[Row] = [(bib, LENGTH, "finished", 1000.0 + bib) for bib in range(1, 10_001)]
    assert len(body(found(now, []))["columns"]["place"]) == 10_000


def test_long_course_has_few_columns() -> None:
    """On a long course every so many splits are sent, so that the list can be read."""
    passed: list[Passing] = [(1, "split", f"{km} km", 1, 1000.0 * km, 200.0 * km) for km in range(1, 43)]
    names = [split["name"] for split in body(found(passed=passed))["splits"]]
    assert names == ["1 km", "6 km", "11 km", "16 km", "21 km", "26 km", "31 km", "36 km", "41 km"]


def test_version() -> None:
    """The version changes with the results, the time that places go by, the names, and when it is final."""
    splits = SplitTimes()
    splits.add(passings(PASSED))
    by_chip = finish_list.results(at(*NOW), splits, np.zeros(len(NOW)), "chip")
    versions = [
        results_payload.encode(results, race(), names=names, is_final=is_final).version
        for results, names, is_final in (
            (found(), 4, False),
            (found(), 4, False),
            (found(), 5, False),
            (by_chip, 4, False),
            (found(NOW[1:]), 4, False),
            (found(), 4, True),
        )
    ]
    assert versions[0] == versions[1]
    assert len(set(versions[1:])) == 5
