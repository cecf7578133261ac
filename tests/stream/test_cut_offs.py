"""Cut-offs as readers of the stream see them."""

import numpy as np
import pytest

from stream.cut_offs import CutOff, CutOffs, names_of, reason

LIMITS = (
    CutOff("5 km", "5 km", 1, 5000.00049, 2400.0),
    CutOff("Bridge (2)", "Bridge", 2, 8000.0, 3600.5),
    CutOff("finish", "Finish", 1, 10000.0, 5400.0),
)


@pytest.mark.parametrize("since", ["gun", "wave"])
def test_what_is_published_is_read(since: str) -> None:
    """The columns of a race give its cut-offs again, with distances to the millimetre."""
    written = CutOffs(LIMITS, "wave" if since == "wave" else "gun")
    read = CutOffs.read(written.text(), since)

    assert read is not None
    assert list(read.limits) == written.published()
    assert read.limits[0].distance == 5000.0
    assert read.since == since
    assert CutOffs.read("", "") is None
    assert CutOffs.read("[]", "gun") is None


@pytest.mark.parametrize(
    ("status", "distance", "elapsed", "stopped"),
    [
        ("dnf", 5000.0, 2400.001, 0),
        ("dnf", 5000.0, 2400.0, -1),  # in time; gave up there
        ("dnf", 5000.001, 2400.001, -1),
        ("running", 5000.0, 2400.001, -1),
        ("finished", 10000.0, 5400.0, -1),
        ("dnf", 8000.0, 3600.501, 1),
        ("dnf", 9123.4, 5400.0, 2),
        ("dnf", 8000.0, 5400.0, 2),  # on the course when it closed
        ("dnf", 9123.4, 5399.999, -1),
        ("dns", 0.0, 0.0, -1),
    ],
)
def test_who_was_stopped(status: str, distance: float, elapsed: float, stopped: int) -> None:
    """Place and time alone distinguish those who were stopped from those who gave up."""
    columns = np.array([status]), np.array([distance]), np.array([elapsed])

    assert CutOffs(LIMITS).reached(*columns, np.array([0.0])).tolist() == [stopped]
    # 10 minutes later in the second wave.
    later = np.array([status]), np.array([distance]), np.array([elapsed + 600.0])
    assert CutOffs(LIMITS, "wave").reached(*later, np.array([600.0])).tolist() == [stopped]


def test_who_pauses_at_a_point_when_the_course_closes() -> None:
    """At a point that someone has reached in time, the closing of the course is the reason."""
    limits = CutOffs((CutOff("5 km", "5 km", 1, 5000.0, 2400.0), LIMITS[-1]))
    columns = np.array(["dnf"]), np.array([5000.0]), np.array([5400.0])

    assert limits.reached(*columns, np.zeros(1)).tolist() == [1]


def test_reasons_in_words() -> None:
    """The reason names the point, or says that the course has closed."""
    names = CutOffs(LIMITS).names(np.array([0, 1, 2, -1]))

    assert list(map(reason, names)) == ["cut-off at 5 km", "cut-off at Bridge (2)", "course closed", ""]


def test_no_split_has_the_finish_name() -> None:
    """Splits have the names of the results; one that is named as the finish gets another."""
    assert names_of([("5 km", 1), ("Bridge", 2), ("finish", 1)]) == ("5 km", "Bridge (2)", "finish (split)")
