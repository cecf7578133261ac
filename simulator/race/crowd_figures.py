"""The figures of the crowding model, and their sources.

Peckover, Raineri and Scanlan (2022, Sports 10(9), 132, doi:10.3390/sports10090132) measured start corrals of
the Sunshine Coast Marathon on video. In 2019, without controls, they found 1.48 to 3.01 runners per square
metre and 102 to 152 runners per minute and metre of width; in 2021, with another corral design and wave
starts, 0.52 to 1.20 and 36 to 59. At the ends of these ranges, flow divided by density is 0.8 to 1.15 m/s: in
a corral, runners walk.
"""

SPECIFIC_FLOW = 127.0
"""Runners per minute and metre of width who get through when more want to: the middle of the 102 to 152 that
Peckover et al. (2022) measured without controls, where only the width held runners back."""
JAM_DENSITY = 3.0
"""Runners per square metre in a crowd that stands: the most that Altenburg advises in a start pen ("Managing
participant flows", Race Directors HQ, 2021), and the densest that Peckover et al. (2022) measured (3.01)."""
WALK = 1.4
"""Metres per second to which a crowd may slow down before fewer get through: adults walk at this speed
(Bohannon and Williams Andrews 2011, Physiotherapy 97, 182-189). At the default flow it means 1.5 runners per
square metre, where the densities without controls begin."""

DENSE = 1.20
"""Runners per square metre: the densest that Peckover et al. (2022) measured with controls."""
FAST = 102.0
"""Runners per minute and metre: the least that Peckover et al. (2022) measured without controls."""


def wave_speed(flow: float, jam: float) -> float:
    """Return the speed, in m/s, at which a gap moves back through a queue.

    The fundamental diagram is a trapezoid: up to capacity, runners are free; at capacity they may slow down
    to a walk; in a denser crowd the flow falls in proportion, to zero at `jam`.

    Args:
        flow: capacity, runners per second and metre of width.
        jam: runners per square metre; more than `flow / WALK`.
    """
    return flow / (jam - flow / WALK)
