"""`python -m simulator grade`: compares a consumer's answer with the right one.

The exit status is 0 if all rows agree, else 1; and 2 if the answer can't be read.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from simulator.answer_key import grade as grading
from simulator.answer_key.grade import AnswerError, Given
from simulator.answer_key.kinds import KINDS, Kind
from simulator.commands.answers import query_of, stream_of
from simulator.commands.settings import GradeSettings, settings_of

UNREADABLE = 2
"""Exit status if there is no answer to grade."""


def grade(flags: Sequence[str], out: TextIO = sys.stdout) -> None:
    """Write the grade; exits with the status that the module describes."""
    settings = settings_of(GradeSettings, flags)
    kind = KINDS[settings.kind]
    found = grading.grade(kind, _given(kind, settings.answers), stream_of(settings), query_of(settings))
    out.write(found.model_dump_json(indent=2) if settings.json_report else "\n".join(grading.report(found)))
    out.write("\n")
    out.flush()
    if not found.passed:
        raise SystemExit(1)


def _given(kind: Kind, file: Path) -> Given:
    try:
        if file == Path("-"):
            return grading.read(kind, sys.stdin.buffer)
        with file.open("rb") as lines:
            return grading.read(kind, lines)
    except OSError as error:
        why = f"{file} can't be read: {error.strerror}"
    except AnswerError as error:
        why = f"{file}: {error}"
    sys.stderr.write(f"{why}\n")
    raise SystemExit(UNREADABLE)
