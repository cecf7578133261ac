"""The states of a race and what can happen in each: one table for the engine, the API and the page.

A step changes the state. Three steps are actions, which users request; the engine takes the others: `start`
at the gun, `reschedule` when a race is resumed before its gun, `finish` when its last tick is delivered.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping

RaceState = Literal["scheduled", "running", "paused", "finished", "cancelled"]
Action = Literal["pause", "resume", "cancel"]
Step = Literal["start", "pause", "resume", "reschedule", "cancel", "finish"]

ACTIONS: tuple[Action, ...] = get_args(Action)
TRANSITIONS: Mapping[RaceState, Mapping[Step, RaceState]] = MappingProxyType(
    {
        "scheduled": {"start": "running", "pause": "paused", "cancel": "cancelled"},
        "running": {"pause": "paused", "cancel": "cancelled", "finish": "finished"},
        # A race that is paused while its last tick is being delivered finishes all the same.
        "paused": {
            "resume": "running",
            "reschedule": "scheduled",
            "cancel": "cancelled",
            "finish": "finished",
        },
        "finished": {},
        "cancelled": {},
    }
)
RACE_STATES = tuple(TRANSITIONS)
ENDED = frozenset(state for state, steps in TRANSITIONS.items() if not steps)
"""The final states."""


def actions(state: str) -> tuple[Action, ...]:
    """Return what a user can do to a race in a state; nothing if the state is unknown."""
    steps = next((steps for known, steps in TRANSITIONS.items() if known == state), {})
    return tuple(action for action in ACTIONS if action in steps)


def states_that_allow(step: Step) -> tuple[RaceState, ...]:
    """Return the states in which a step is possible."""
    return tuple(state for state, steps in TRANSITIONS.items() if step in steps)
