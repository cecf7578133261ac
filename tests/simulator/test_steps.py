"""Work in steps."""

import pytest

from simulator.steps import Steps, done, within


def counting(steps: int) -> Steps[str]:
    """Count up to a number."""
    for nth in range(steps):
        yield (nth + 1) / steps
    return f"counted to {steps}"


@pytest.mark.parametrize("steps", [0, 1, 5])
def test_all_steps_make_what_is_made(steps: int) -> None:
    """Taking all steps returns what the last one makes, also where there are none."""
    assert done(counting(steps)) == f"counted to {steps}"


def test_a_part_of_longer_work_has_its_part_of_the_share() -> None:
    """The shares of a part lie between those of its beginning and its end, and its result is passed on."""
    part = within(0.5, 1.0, counting(4))

    assert [next(part) for _ in range(4)] == [0.625, 0.75, 0.875, 1.0]
    assert done(within(0.5, 1.0, counting(4))) == "counted to 4"
