"""A race replayed on the map at any speed; the control bar belongs to the map (static/replay.js)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamlit_folium import st_folium

from dashboard import context
from dashboard.race.race_map import replay_map
from dashboard.race.standing import end_of
from dashboard.settings import Settings

if TYPE_CHECKING:
    from dashboard.race.snapshots import Snapshot

HEIGHT_PX = 520


def show(snapshot: Snapshot) -> None:
    """Draw the map with the replay's bar, from the gun to the newest tick."""
    race = snapshot.race
    st_folium(
        replay_map(race, snapshot.course, context.get(Settings), end_of(race, snapshot.standing)),
        key=f"replay-{race.run_id}",
        height=HEIGHT_PX,
        use_container_width=True,
        returned_objects=[],
    )
