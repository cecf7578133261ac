"""What can be asked of a race beside its course, its pace and its time: what makes it like a real one.

Each group is a part of `RaceRequest`, which is the only one that is made. Without any of them a race is
plain: everybody starts at the gun, runs, finishes, and every tracker is exact.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from simulator.race import start_list
from simulator.race.paces import WOMEN_SHARE, PaceModel

MAX_START = 86_400.0
"""Seconds from the gun to the last start at most."""
MAX_EPISODE = 3600.0
"""Seconds that a tracker's fault may last."""


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
"""Makes whole numbers of what are some to JSON, and so to the API's description: 5.0. It stands behind the
limits; before them, it would keep them out of the description."""
Share = Annotated[float, Field(ge=0, le=1)]
Metres = Annotated[float, Field(ge=0, le=1000)]
Episode = Annotated[float, Field(ge=1, le=MAX_EPISODE)]


class Options(BaseModel):
    """What all parts of a request have in common."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class PaceOptions(Options):
    """How fast they are."""

    pace_model: PaceModel = Field(
        default="uniform",
        description="How paces are spread: evenly from fastest to slowest; about the middle of the two "
        "(normal, lognormal); or as published finish times are (parkrun, marathon; fastest and slowest are "
        "not used).",
    )
    fatigue: Literal["none", "split", "wall"] = Field(
        default="none",
        description="How they slow down: not at all; in the second half, the slower the more (split); or "
        "some of them also hit the wall, on courses of 30 km and more (wall).",
    )
    gradient: bool = Field(
        default=False, description="Whether hills cost what they cost; a pace is then one on flat ground."
    )


class StartOptions(Options):
    """How they start."""

    wave_size: Annotated[int, Field(ge=1, le=start_list.MAX_ROWS), WHOLE] | None = Field(
        default=None,
        description="Competitors in a start wave; if the start list has waves, those are it. Default: one "
        "wave.",
    )
    wave_delay: float = Field(
        default=60.0,
        validate_default=True,
        ge=0,
        le=MAX_START,
        description="Seconds from one wave's start to the next.",
    )
    start_flow: Annotated[float, Field(ge=0.1, le=1000)] | None = Field(
        default=None,
        validate_default=True,
        description="Competitors of a wave who cross the start line in a second. Default: all at once.",
    )
    corrals: bool = Field(
        default=False,
        description="Whether those who expect to be faster start further in front, with waves by `wave_size` "
        "or a `start_flow`.",
    )

    @field_validator("wave_delay")
    @classmethod
    def _all_waves_start_in_a_day(cls, wave_delay: float, info: ValidationInfo) -> float:
        if (waves := _waves(info.data)) is not None:
            _check_last_start((waves[0] - 1) * wave_delay, "larger waves or shorter delays")
        return wave_delay

    @field_validator("start_flow")
    @classmethod
    def _all_start_in_a_day(cls, start_flow: float | None, info: ValidationInfo) -> float | None:
        delay, waves = info.data.get("wave_delay"), _waves(info.data)
        if start_flow and delay is not None and waves is not None:
            last = (waves[0] - 1) * delay + (waves[1] - 1) / start_flow
            _check_last_start(last, "larger waves, shorter delays or a faster flow")
        return start_flow


def _waves(known: dict[str, Any]) -> tuple[int, int] | None:
    """Return how many waves there are, and how many start in the largest; None if a field of it is wrong."""
    if not {"start_list", "competitors", "wave_size"} <= known.keys():
        return None
    competitors, size = known["competitors"], known["wave_size"] or known["competitors"]
    if known["start_list"] and (wave := start_list.read(known["start_list"]).wave) is not None:
        return int(wave.max()), int(np.bincount(wave).max())
    return (competitors - 1) // size + 1, min(size, competitors)


def _check_last_start(last: float, remedy: str) -> None:
    if last > MAX_START:
        raise PydanticCustomError(
            "last_start",
            "lets the last one start {last} seconds after the gun; the limit is {limit}: {remedy}",
            {"last": f"{last:,.0f}", "limit": f"{MAX_START:,.0f}", "remedy": remedy},
        )


class EntrantOptions(Options):
    """Who they are."""

    entrants: Literal["numbered", "drawn"] = Field(
        default="numbered",
        description="Whether they are called by number, or have names, age groups and clubs by chance; if "
        "there is a start list, all is as that says.",
    )
    women: Share = Field(default=WOMEN_SHARE, description="The share of women.")


class FateOptions(Options):
    """What happens to them."""

    dns: Share = Field(default=0.0, description="The share who don't start.")
    dnf: Share = Field(
        default=0.0, description="The share who start and don't finish; half of them after a pause."
    )
    disqualified: Share = Field(
        default=0.0,
        validate_default=True,
        description="The share who are disqualified, 1 to 10 minutes after their finish.",
    )
    walking: Share = Field(default=0.0, description="The share who walk from some place on.")
    wrong_turn: Share = Field(
        default=0.0, description="The share who leave the course by 50 to 400 m, and come back."
    )

    @field_validator("disqualified")
    @classmethod
    def _nobody_twice(cls, disqualified: float, info: ValidationInfo) -> float:
        dns, dnf = info.data.get("dns"), info.data.get("dnf")
        if dns is not None and dnf is not None and dns + dnf + disqualified > 1.0 + 1e-9:
            raise PydanticCustomError(
                "fates", "is too much: dns, dnf and disqualified are shares of one field, together at most 1"
            )
        return disqualified


class TrackerOptions(Options):
    """What their trackers do to what they tell.

    A fault's share is the share of the time in which a tracker has it; how long it lasts is its `…_for`.
    """

    gps_error: Metres = Field(
        default=0.0,
        description="GPS error that wanders, metres: its standard deviation to the east and to the north.",
    )
    gps_correlation: float = Field(
        default=60.0, ge=1, le=3600, description="Seconds over which GPS error wanders to 1/e."
    )
    gps_noise: Metres = Field(
        default=0.0,
        description="GPS error that is new in each position, metres, standard deviation as above.",
    )
    lost: Share = Field(default=0.0, description="Positions that are never told: share of the time.")
    lost_for: Episode = Field(default=20.0, description="Seconds.")
    frozen: Share = Field(default=0.0, description="Positions that stay where they were: share of the time.")
    frozen_for: Episode = Field(default=20.0, description="Seconds.")
    late: Share = Field(
        default=0.0,
        description="Positions that are kept and told later, behind newer ones: share of the time.",
    )
    late_for: Episode = Field(default=30.0, description="Seconds.")
    duplicates: Share = Field(default=0.0, description="The share of positions that are told twice.")
    clock_skew: float = Field(
        default=0.0, ge=0, le=3600, description="Seconds by which a tracker's clock is wrong, at most."
    )
    dead_battery: Share = Field(
        default=0.0, description="The share of trackers whose battery is dead before the finish."
    )
    ground_truth: bool = Field(
        default=False, description="Whether positions have the true place too, as trueLat and trueLon."
    )
