"""Names of geofences and timing points."""

from simulator.course.drawing import CourseError
from simulator.course.survey.limits import MAX_NAME


def check(name: str, where: str) -> None:
    """Raise CourseError if a name is too long."""
    if len(name) > MAX_NAME:
        raise CourseError(f"the name of the {where} has {len(name):,} characters, and {MAX_NAME} are allowed")


def unique(name: str, taken: set[str]) -> str:
    """Return the name, numbered if it is taken, and reserve it."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} {number}"
    taken.add(free)
    return free
