import json
import math
import re
from dataclasses import replace
from typing import Any

import pytest
from streamlit_folium import _get_feature_group_string, _get_map_string, get_full_id

from dashboard.race.race_map import PANES, MapOptions, course_map, race_map, replay_map
from dashboard.race.sample import sample_of
from dashboard.settings import NO_TILES, OSM_TILES, Settings
from dashboard.store.protocol import Course, Fence, PointOnCourse
from tests.dashboard.fakes import COURSE, VIEWER, race

PLAIN = Settings(tiles=NO_TILES)


def script(settings: Settings = PLAIN, **other: str) -> str:
    """The script of a race's map as streamlit-folium sends it to the browser."""
    drawn = race_map(race(**other), COURSE, settings, VIEWER)
    drawn.get_root().render()
    return str(_get_map_string(drawn))


def test_same_text_every_time() -> None:
    """The map is the same text on every run of the page: another text would be another frame."""
    assert script() == script()


def test_nothing_from_elsewhere() -> None:
    """Without tiles the map names no other host."""
    drawn = race_map(race(), COURSE, PLAIN, VIEWER)
    addresses = [address for _, address in [*drawn.default_js, *drawn.default_css]]
    assert all(address.startswith("../../racecast/") for address in addresses)
    assert not re.search(r"https?://|//cdn", script())


def test_street_map_has_its_attribution() -> None:
    """OpenStreetMap's tiles are the default, with its attribution; other tiles have the one that is set."""
    tiles = _options(Settings())["tiles"]
    assert tiles == {"url": OSM_TILES, "attribution": "© OpenStreetMap contributors"}
    own = "http://tiles.example/{z}/{x}/{y}.png"
    assert _options(Settings(tiles=own))["tiles"] == {"url": own, "attribution": ""}
    attributed = _options(Settings(tiles=own, tiles_attribution="<b>`${me}`"))["tiles"]
    assert attributed == {"url": own, "attribution": "<b>`${me}`"}


def _options(settings: Settings) -> dict[str, Any]:
    """What the map's script receives."""
    found = re.search(r"Racecast\.addRace\(map_div, (\{.*\})\);", script(settings))
    assert found is not None
    options: dict[str, Any] = json.loads(found[1])
    return options


def test_lat_before_lon_for_folium() -> None:
    """Folium is given lat, lon; our layer lon, lat."""
    found = script()
    assert "[[51.0, 0.0], [51.01, 0.02], [51.0, 0.04]]" in found
    assert '"line": [[0.0, 51.0], [0.02, 51.01], [0.04, 51.0]]' in found


def test_labels_reach_the_layer_as_data() -> None:
    """Names of geofences and timing points are data for the layer, and nothing in them is run."""
    hostile = replace(
        COURSE,
        fences=(Fence("{{ 7 * 7 }}{% raw %}${x}</script><b>`_0a1b 🏃", COURSE.fences[0].rings),),
        points=(PointOnCourse("Bridge", 2500.0),),
    )
    drawn = course_map(hostile, PLAIN, VIEWER)
    drawn.get_root().render()
    found = str(_get_map_string(drawn))
    assert "fence fence-0" in found
    assert "</script>" not in found
    options = re.search(r"Racecast\.addCourse\(map_div, (\{.*\})\);", found)
    assert options is not None
    assert json.loads(options[1])["labels"] == {
        "start": [51.0, 0.0],
        "finish": [51.0, 0.04],
        "fences": [{"name": "{{ 7 * 7 }}{% raw %}${x}</script><b>`_0a1b 🏃", "at": [51.0066667, 0.0166667]}],
        "points": [{"name": "Bridge", "distance": 2500.0}],
    }


def test_labels_are_above_the_crowd_and_below_the_leaders() -> None:
    """A dense field leaves the labels readable, and no label hides a leader."""
    assert PANES["field"] < PANES["marks"] < PANES["leaders"]


def test_view_is_that_of_the_whole_course() -> None:
    """The map shows all of the course and its geofences, south-west and north-east corner."""
    assert _options(PLAIN)["bounds"] == [[51.0, 0.0], [51.02, 0.04]]


def test_replay_knows_its_end() -> None:
    """A replay's map has the race's end and the interval between its payloads."""
    drawn = replay_map(race(interval=7.5), COURSE, PLAIN, VIEWER, 3000.0)
    drawn.get_root().render()
    found = str(_get_map_string(drawn))
    assert '"end": 3000.0' in found
    assert '"interval": 7.5, "isLive": false' in found


def test_race_without_course() -> None:
    """A race on a course that the store doesn't have still gets its map."""
    drawn = race_map(race(), None, PLAIN, VIEWER)
    drawn.get_root().render()
    assert '"line": []' in _get_map_string(drawn)


@pytest.mark.parametrize(("refresh", "said"), [(1000, "1000"), (None, "null")])
def test_wishes_reach_the_layer(refresh: int | None, said: str) -> None:
    """The viewer's choices are a script beside the map's, so that the map itself stays the same text."""
    drawn = race_map(race(), COURSE, PLAIN, VIEWER)
    drawn.get_root().render()
    before = _get_map_string(drawn)
    options = MapOptions(refresh, 3, favourites=[7], follow=9, moment=95, forecasts=True)
    choices = (
        '"asked": 3, "colour": "status", "favourites": [7], "follow": 9, "forecasts": true, "moment": 95, '
        f'"refresh": {said}, "streets": true'
    )
    assert f"{choices}}});" in _get_feature_group_string(options, drawn)
    assert get_full_id(drawn) == "map_div"
    assert before == script()


def _density(course: Course = COURSE, **other: Any) -> Any:
    """What a race's map is coloured by, or None."""
    drawn = race_map(race(is_crowded=True, **other), course, PLAIN, VIEWER)
    drawn.get_root().render()
    found = re.search(r"Racecast\.addRace\(map_div, (\{.*\})\);", str(_get_map_string(drawn)))
    assert found is not None
    return json.loads(found[1]).get("density")


NARROW = replace(COURSE, widths=((0.0, 8.0), (1000.0, math.inf), (2000.0, 4.0)))


def test_density_of_a_race_with_crowding() -> None:
    """With crowding the map has the widths of the course, from the start on; null is unlimited."""
    assert _density(NARROW) == {"widths": [[0.0, 8.0], [1000.0, None], [2000.0, 4.0]], "every": 1}
    later = replace(COURSE, widths=((300.0, 8.0),))
    assert _density(later) == {"widths": [[0.0, None], [300.0, 8.0]], "every": 1}


def test_density_of_a_replay() -> None:
    """The replay has the same widths as the live map."""
    drawn = replay_map(race(is_crowded=True), NARROW, PLAIN, VIEWER, 3000.0)
    drawn.get_root().render()
    assert '"density": {"every": 1, "widths": [[0.0, 8.0], [1000.0, null], [2000.0, 4.0]]}' in str(
        _get_map_string(drawn)
    )


def test_the_narrower_width_counts() -> None:
    """The race's own width holds where the course is wider or its width is unknown."""
    assert _density(NARROW, width=6.0)["widths"] == [[0.0, 6.0], [1000.0, 6.0], [2000.0, 4.0]]
    assert _density(width=6.0)["widths"] == [[0.0, 6.0]]


def test_density_of_a_sample_is_scaled() -> None:
    """Each competitor of a sample stands for as many as it is one of; up to 50,000 it is all."""
    assert _density(NARROW, competitors=50_000)["every"] == 1
    assert _density(NARROW, competitors=50_001)["every"] == sample_of(50_001).step  # type: ignore[union-attr]


def test_no_density_without_crowding_or_widths() -> None:
    """Then the map's text is as it was before there was crowding."""
    assert _density() is None
    assert "density" not in script().replace("density.js", "").replace("density_line.js", "")
    drawn = race_map(race(), NARROW, PLAIN, VIEWER)
    drawn.get_root().render()
    assert str(_get_map_string(drawn)) == script()
