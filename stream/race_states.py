"""Race states and transitions: one table for the engine, the API and the dashboard.

A step changes the state. Users request three of them (actions). The engine takes the others: `start` at the
gun, `reschedule` when a race is resumed before its gun, `finish` when the last tick is delivered.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

RaceState = Literal["scheduled", "running", "paused", "finished", "cancelled"]
Action = Literal["pause", "resume", "cancel"]
Step = Literal["start", "pause", "resume", "reschedule", "cancel", "finish"]

ACTIONS: tuple[Action, ...] = get_args(Action)
TRANSITIONS: Mapping[RaceState, Mapping[Step, RaceState]] = MappingProxyType(
    {
        "scheduled": {"start": "running", "pause": "paused", "cancel": "cancelled"},
        "running": {"pause": "paused", "cancel": "cancelled", "finish": "finished"},
        # A race paused while its last tick is being delivered still finishes.
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
STANDING = frozenset({"paused", "cancelled"})
"""The states in which the race clock was stopped by a user."""


def actions(state: str) -> tuple[Action, ...]:
    """Return the actions allowed in a state; none if the state is unknown."""
    steps = next((steps for known, steps in TRANSITIONS.items() if known == state), {})
    return tuple(action for action in ACTIONS if action in steps)


def states_that_allow(step: Step) -> tuple[RaceState, ...]:
    """Return the states that allow a step."""
    return tuple(state for state, steps in TRANSITIONS.items() if step in steps)
