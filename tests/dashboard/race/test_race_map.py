import re
from dataclasses import replace

import pytest
from streamlit_folium import _get_feature_group_string, _get_map_string, get_full_id

from dashboard.race.race_map import MapOptions, course_map, race_map, replay_map
from dashboard.settings import Settings
from dashboard.store.protocol import Fence
from dashboard.ui.escape import escape
from tests.dashboard.fakes import COURSE, race

PLAIN = Settings()


def script(settings: Settings = PLAIN, **other: str) -> str:
    """The script of a race's map as streamlit-folium sends it to the browser."""
    drawn = race_map(race(**other), COURSE, settings)
    drawn.get_root().render()
    return str(_get_map_string(drawn))


def test_same_text_every_time() -> None:
    """The map is the same text on every run of the page: another text would be another frame."""
    assert script() == script()


def test_nothing_from_elsewhere() -> None:
    """Without tiles the map names no other host."""
    drawn = race_map(race(), COURSE, PLAIN)
    addresses = [address for _, address in [*drawn.default_js, *drawn.default_css]]
    assert all(address.startswith("../../racecast/") for address in addresses)
    assert not re.search(r"https?://|//cdn", script())


def test_tiles_if_wanted() -> None:
    """A tile layer can be switched on, with its attribution shown as given."""
    found = script(Settings(tiles="http://tiles.example/{z}/{x}/{y}.png", tiles_attribution="<b>`${me}`"))
    assert "http://tiles.example/{z}/{x}/{y}.png" in found
    assert "${" not in found
    assert "<b>" not in found


def test_lat_before_lon_for_folium() -> None:
    """Folium is given lat, lon; our layer lon, lat."""
    found = script()
    assert "[[51.0, 0.0], [51.01, 0.02], [51.0, 0.04]]" in found
    assert '"line": [[0.0, 51.0], [0.02, 51.01], [0.04, 51.0]]' in found


def test_fence_is_drawn_with_its_name() -> None:
    """A geofence has its name on the map, escaped, and a class by which it can light up."""
    hostile = replace(COURSE, fences=(Fence("${x}<b>`", COURSE.fences[0].rings),))
    drawn = course_map(hostile, PLAIN)
    drawn.get_root().render()
    found = str(_get_map_string(drawn))
    assert "fence fence-0" in found
    assert "fence-label fence-label-0" in found
    assert escape("${x}<b>`") in found
    assert "${x}" not in found


def test_replay_knows_its_end() -> None:
    """A replay's map has the race's end and the interval between its payloads."""
    drawn = replay_map(race(interval=7.5), COURSE, PLAIN, 3000.0)
    drawn.get_root().render()
    found = str(_get_map_string(drawn))
    assert '"end": 3000.0, "interval": 7.5' in found
    assert '"source": "Replay"' in found


def test_race_without_course() -> None:
    """A race on a course that the store doesn't have still gets its map."""
    drawn = race_map(race(), None, PLAIN)
    drawn.get_root().render()
    assert '"line": []' in _get_map_string(drawn)


@pytest.mark.parametrize(("refresh", "said"), [(1000, "1000"), (None, "null")])
def test_wishes_reach_the_layer(refresh: int | None, said: str) -> None:
    """The viewer's choices are a script beside the map's, so that the map itself stays the same text."""
    drawn = race_map(race(), COURSE, PLAIN)
    drawn.get_root().render()
    before = _get_map_string(drawn)
    wishes = _get_feature_group_string([MapOptions(refresh, 3, favourites=[7])][0], drawn)
    assert f'"asked": 3, "colour": "status", "favourites": [7], "refresh": {said}}});' in wishes
    assert get_full_id(drawn) == "map_div"
    assert before == script()
