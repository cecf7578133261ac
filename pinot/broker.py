"""SQL to Pinot's broker, and what it says is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulator.pinot_controller import OPEN, Admission, denied, request, shut_out

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_SERVER = "no server has it yet"
"""What is wrong with a table that was made a moment ago."""


def query(broker: str, sql: str, admission: Admission = OPEN, *, patience: float) -> dict[str, Any]:
    """What the broker (a URL) answers within `patience` seconds, as it is.

    Raises:
        PinotError: it doesn't let us in.
        httpx.HTTPError, httpx.InvalidURL: it doesn't answer.
        ValueError: what answers is no broker.
    """
    answer = request("POST", f"{broker}/query/sql", admission=admission, json={"sql": sql}, timeout=patience)
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("exceptions"), list):
        raise ValueError("what answers isn't Pinot's broker")  # noqa: TRY004 - no argument has a wrong type
    if denied(found):
        raise shut_out(answer)
    return found


def trouble(answer: Mapping[str, Any]) -> str:
    """What an answer says is wrong, in one line; empty if nothing is."""
    said = "; ".join(" ".join(str(one["message"]).split())[:200] for one in answer["exceptions"])
    return said or ("" if answer.get("resultTable") else NO_SERVER)
