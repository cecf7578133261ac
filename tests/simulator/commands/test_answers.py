"""`python -m simulator answers` and `grade`."""

import io
import json
from pathlib import Path

import pytest

from simulator.commands.answers import answers
from simulator.commands.grade import UNREADABLE, grade

RACE = ["--course", "courses/crystal-palace.kml", "--competitors", "5", "--seed", "5", "--interval", "30"]


def answered(*flags: str) -> bytes:
    """Return what `answers` writes."""
    out = io.BytesIO()
    answers([*flags, *RACE], out)
    return out.getvalue()


def test_a_right_answer_passes(tmp_path: Path) -> None:
    """What `answers` writes, `grade` accepts with the same flags."""
    file, out = tmp_path / "windows.ndjson", io.StringIO()
    file.write_bytes(answered("windows", "--window", "600"))

    grade(["windows", str(file), *RACE, "--window", "600"], out)

    assert out.getvalue().startswith("windows: 100 % right")


def test_a_wrong_answer_has_exit_status_1(tmp_path: Path) -> None:
    """With other flags the answer is another one; the report is for people or for programs."""
    file, out = tmp_path / "windows.ndjson", io.StringIO()
    file.write_bytes(answered("windows", "--window", "600"))

    with pytest.raises(SystemExit) as ended:
        grade(["windows", str(file), *RACE, "--window", "300", "--json-report"], out)

    assert ended.value.code == 1
    assert json.loads(out.getvalue())["percent"] < 100


@pytest.mark.parametrize("text", [None, "nonsense\n"])
def test_an_unreadable_answer_has_exit_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None
) -> None:
    """A file that is missing or not JSON is no wrong answer."""
    file = tmp_path / "order.ndjson"
    if text is not None:
        file.write_text(text)

    with pytest.raises(SystemExit) as ended:
        grade(["order", str(file), *RACE])

    assert ended.value.code == UNREADABLE
    assert str(file) in capsys.readouterr().err


def test_the_schema_of_a_row_is_written() -> None:
    """`--json-schema` writes the form of a line instead of the answer."""
    schema = json.loads(answered("order", "--json-schema"))

    assert schema["key"] == ["competitorId"]
    assert set(schema["required"]) == {"competitorId", "place", "status", "gunTime", "chipTime"}


def test_an_unknown_kind_is_rejected() -> None:
    """The message lists the kinds."""
    with pytest.raises(SystemExit) as ended:
        answered("sums")

    assert "windows" in str(ended.value.code)
