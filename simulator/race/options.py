"""Options that make a race realistic, beyond its course, pace and time.

Each group is a base class of `RaceRequest`, the only one that is instantiated. By default a race is plain:
all competitors start at the gun, run and finish, and every tracker is exact.
"""

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from simulator.course.survey.limits import WIDTHS
from simulator.race import start_list
from simulator.race.crowd_figures import JAM_DENSITY, SPECIFIC_FLOW, WALK
from simulator.race.cut_off_times import CutOffTimes
from simulator.race.paces import PaceModel
from stream.cut_offs import Since
from stream.results import WAVE_DELAY
from stream.running import WOMEN_SHARE

MAX_COMPETITORS = 1_000_000
"""Maximum number of competitors of a race; a start list has fewer."""
MAX_START = 86_400.0
"""Maximum seconds from the gun to the last start."""
MAX_EPISODE = 3600.0
"""Maximum duration of a tracker fault, seconds."""
MAX_REPEATS = 10
"""Maximum mean number of reads of one pass by one line of a mat."""
MAX_READER_SKEW = 3600.0
"""Maximum constant error of a reader's clock, seconds."""
MAX_READER_DRIFT = 1000.0
"""Maximum drift of a reader's clock, parts per million; quartz clocks have less than 100."""
DENSER = 1.1
"""A standing queue is at least this many times as dense as a crowd that walks at capacity."""


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
"""Accepts 5.0 as an integer, as JSON Schema does. It comes after the limits in `Annotated`; before them, it
would hide them from the OpenAPI document."""
Share = Annotated[float, Field(ge=0, le=1)]
Metres = Annotated[float, Field(ge=0, le=1000)]
Wide = Annotated[float, Field(ge=WIDTHS[0], le=WIDTHS[1])]
Episode = Annotated[float, Field(ge=1, le=MAX_EPISODE)]


class Options(BaseModel):
    """Base of all parts of a request."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class PaceOptions(Options):
    """Paces."""

    pace_model: PaceModel = Field(
        default="uniform",
        description="Distribution of paces: even from fastest to slowest (uniform); around the middle of the "
        "two (normal, lognormal); or that of published finish times (parkrun, marathon; fastest and slowest "
        "are not used).",
    )
    fatigue: Literal["none", "split", "wall"] = Field(
        default="none",
        description="How competitors slow down: not at all (none); in the second half, slower runners more "
        "(split); as split, and some also hit the wall, on courses of 30 km and more (wall).",
    )
    gradient: bool = Field(
        default=False,
        description="Whether hills affect paces, which then apply to flat ground. Needs altitudes.",
    )


class StartOptions(Options):
    """The start."""

    wave_size: Annotated[int, Field(ge=1, le=MAX_COMPETITORS), WHOLE] | None = Field(
        default=None,
        description="Competitors per start wave; waves in the start list take precedence. Default: one wave.",
    )
    wave_delay: float = Field(
        default=WAVE_DELAY,
        validate_default=True,
        ge=0,
        le=MAX_START,
        description="Seconds between the starts of two waves.",
    )
    start_flow: Annotated[float, Field(ge=0.1, le=1000)] | None = Field(
        default=None,
        validate_default=True,
        description="Competitors per second who cross the start line, in each wave. Default: all at once.",
    )
    corrals: bool = Field(
        default=False,
        description="Whether competitors with a faster expected pace start further in front; needs "
        "`wave_size`, `start_flow` or `crowding`.",
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


class CrowdingOptions(Options):
    """Crowding."""

    crowding: Literal["none", "flow"] = Field(
        default="none",
        description="Whether competitors hold each other up where the start or the course is narrow (flow).",
    )
    start_width: Wide | None = Field(
        default=None,
        description="Width of the start line, metres. Default: that of the course.",
    )
    width: Wide | None = Field(
        default=None,
        description="Maximum width of the whole course, metres. Default: that of the course file, which is "
        "unlimited where it has none.",
    )
    specific_flow: Annotated[float, Field(ge=10, le=400)] = Field(
        default=SPECIFIC_FLOW,
        description="Competitors who pass per minute and metre of width at most.",
    )
    jam_density: Annotated[float, Field(ge=0.5, le=10)] = Field(
        default=JAM_DENSITY,
        validate_default=True,
        description="Competitors per square metre in a queue that stands; more than pass at a walk.",
    )

    @field_validator("jam_density")
    @classmethod
    def _a_queue_is_denser_than_a_walk(cls, jam_density: float, info: ValidationInfo) -> float:
        flow = info.data.get("specific_flow")
        if flow is not None and jam_density < (least := DENSER * flow / 60.0 / WALK):
            raise PydanticCustomError(
                "jam_density",
                "must be at least {least} at this specific_flow: a queue is denser than a crowd that walks",
                {"least": f"{least:.2f}"},
            )
        return jam_density

    @field_validator("jam_density")
    @classmethod
    def _all_cross_the_line_in_a_day(cls, jam_density: float, info: ValidationInfo) -> float:
        known = info.data
        widths = [wide for wide in (known.get("start_width"), known.get("width")) if wide is not None]
        waves, delay, flow = _waves(known), known.get("wave_delay"), known.get("specific_flow")
        if known.get("crowding") == "flow" and widths and waves and delay is not None and flow:
            seconds = (waves[0] - 1) * delay + known["competitors"] * 60.0 / (flow * min(widths))
            _check_last_start(seconds, "a wider start")
        return jam_density


def _waves(known: dict[str, Any]) -> tuple[int, int] | None:
    """Return the number of waves and the size of the largest; None if one of their fields is invalid."""
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
            "would start the last competitor {last} seconds after the gun; the limit is {limit}: {remedy}",
            {"last": f"{last:,.0f}", "limit": f"{MAX_START:,.0f}", "remedy": remedy},
        )


class EntrantOptions(Options):
    """The competitors."""

    entrants: Literal["numbered", "drawn"] = Field(
        default="numbered",
        description="Competitors are numbered, or have random names, age groups and clubs (drawn). A start "
        "list takes precedence.",
    )
    women: Share = Field(
        default=WOMEN_SHARE, description="Share of women; categories in a start list take precedence."
    )


class FateOptions(Options):
    """Fates of competitors."""

    dns: Share = Field(default=0.0, description="Share who are on the start list and don't start.")
    dnf: Share = Field(
        default=0.0, description="Share who start but don't finish; half of them give up after a pause."
    )
    disqualified: Share = Field(
        default=0.0,
        validate_default=True,
        description="Share who are disqualified, 1 to 10 minutes after their finish.",
    )
    walking: Share = Field(default=0.0, description="Share who walk at 1.4 m/s from some point on.")
    wrong_turn: Share = Field(
        default=0.0, description="Share who take a wrong turn of 50 to 400 m and come back."
    )

    @field_validator("disqualified")
    @classmethod
    def _fates_are_exclusive(cls, disqualified: float, info: ValidationInfo) -> float:
        dns, dnf = info.data.get("dns"), info.data.get("dnf")
        if dns is not None and dnf is not None and dns + dnf + disqualified > 1.0 + 1e-9:
            raise PydanticCustomError(
                "fates", "is too large: dns, dnf and disqualified must add up to at most 1"
            )
        return disqualified


class CutOffOptions(Options):
    """Time limits."""

    cut_offs: CutOffTimes | None = Field(
        default=None,
        description="Time limits by the name of a timing point, as the results name it, or finish. As text, "
        "5 km = 0:40:00; finish = 1:30:00, or as an object with seconds or h:mm:ss. Competitors who are late "
        "at a point are stopped there; when the finish closes, all who are still on the course are stopped.",
    )
    cut_offs_from: Since = Field(
        default="gun",
        description="The time limits count from the first gun, or from the gun of the own wave.",
    )


class TrackerOptions(Options):
    """Faults of the competitors' trackers.

    A fault's share is the share of time for which a tracker has it; `…_for` is the length of an episode.
    """

    gps_error: Metres = Field(
        default=0.0,
        description="Drifting GPS error: standard deviation to the east and to the north, metres.",
    )
    gps_correlation: float = Field(
        default=60.0, ge=1, le=3600, description="Correlation time of the GPS error (decay to 1/e), seconds."
    )
    gps_noise: Metres = Field(
        default=0.0,
        description="Independent GPS error of each position: standard deviation as above, metres.",
    )
    lost: Share = Field(default=0.0, description="Share of time in which positions are lost.")
    lost_for: Episode = Field(default=20.0, description="Length of such an episode, seconds.")
    frozen: Share = Field(default=0.0, description="Share of time in which positions are frozen.")
    frozen_for: Episode = Field(default=20.0, description="Length of such an episode, seconds.")
    late: Share = Field(
        default=0.0,
        description="Share of time in which positions are delayed and published later, after newer ones.",
    )
    late_for: Episode = Field(default=30.0, description="Length of such an episode, seconds.")
    duplicates: Share = Field(default=0.0, description="Share of positions that are published twice.")
    clock_skew: float = Field(
        default=0.0, ge=0, le=3600, description="Maximum constant error of a tracker's clock, seconds."
    )
    dead_battery: Share = Field(
        default=0.0, description="Share of trackers whose battery dies before the finish."
    )
    ground_truth: bool = Field(
        default=False, description="Whether positions also carry the true place, as trueLat and trueLon."
    )


class MatOptions(Options):
    """Raw reads of the timing mats, and faults in them: passings are the truth."""

    chip_reads: bool = Field(
        default=False, description="Whether the mats' raw reads of chips are published, too, as topic reads."
    )
    read_repeats: Annotated[int, Field(ge=1, le=MAX_REPEATS), WHOLE] = Field(
        default=1, description="Mean number of reads of a chip by one line of a mat, each time it passes."
    )
    missed_passes: Share = Field(default=0.0, description="Share of passes that neither line reads.")
    missed_by_line: Share = Field(
        default=0.0, description="Share of passes that a line does not read, each line independently."
    )
    stray_reads: Share = Field(
        default=0.0,
        description="Share of competitors whose chip is read near a mat that they don't pass at that moment: "
        "at some mat and time, and near the finish after their own.",
    )
    reader_skew: float = Field(
        default=0.0,
        ge=0,
        le=MAX_READER_SKEW,
        description="Maximum constant error of a reader's clock, seconds.",
    )
    reader_drift: float = Field(
        default=0.0,
        ge=0,
        le=MAX_READER_DRIFT,
        description="Maximum drift of a reader's clock, parts per million.",
    )
