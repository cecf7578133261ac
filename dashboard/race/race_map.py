"""The map of a race: static parts by Folium, moving parts by a layer of our own.

The map's HTML is the same on every run of the page, so the browser builds its frame once per race and keeps
it. Moving data bypasses Python's templates and Streamlit: the layer (static/race_layer.js) fetches positions
from the dashboard's routes. The viewer's choices reach it through `MapOptions`.
"""

from collections.abc import Sequence
from typing import Any

import folium
import numpy as np
from folium.elements import JSCSSMixin
from folium.template import Template

from dashboard.race.routes import file_address, race_address
from dashboard.settings import Settings
from dashboard.store.protocol import Course, Fence, Race
from dashboard.ui.escape import escape

_SCRIPTS = {
    "addCourse": ("formatting.js", "course_line.js", "crowd.js", "dots.js", "furniture.js"),
    "addRace": (
        "formatting.js",
        "course_line.js",
        "crowd.js",
        "dots.js",
        "field.js",
        "glide.js",
        "live_feed.js",
        "trails.js",
        "inspector.js",
        "furniture.js",
        "live.js",
        "replay_control.js",
        "replay.js",
        "race_layer.js",
    ),
}
"""The scripts for a function of static/furniture.js, in the order of their dependencies."""
_STYLES = (("leaflet", "leaflet.css"), ("static", "map.css"))

PANES = {"marks": 420, "field": 450}
"""z-indexes above Leaflet's lines (400): the course's markers, then the competitors."""

MAX_ZOOM = 20
ZOOM_STEP = 0.25
FONT_SIZE = "12px"
VIEW_PADDING_PX = (30, 30)
REPLAY_BAR_PX = 58
"""Height of the bar at the map's lower edge (static/map.css), in pixels; the course is fitted above it."""


class _Script(JSCSSMixin):
    """Calls a function of static/furniture.js with the map and the options."""

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "Racecast.{{ this.function }}({{ this._parent.get_name() }}, {{ this.choices|tojson }});"
        "{% endmacro %}"
    )

    def __init__(self, function: str, course: Course | None, **options: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Racecast"
        self.function = function
        self.choices = {
            "line": np.round(course.line, 7).tolist() if course else [],
            "distance": course.distance if course else 0,
            **options,
        }


class MapOptions(folium.FeatureGroup):
    """An empty layer whose script passes the viewer's choices to the live layer.

    streamlit-folium runs a feature group's script in the map's frame only when its text changes. So a choice
    reaches the map without rebuilding it.
    """

    _template = Template(
        "{% macro script(this, kwargs) %}"
        # streamlit-folium removes the last group from the map but keeps all groups in this list.
        "window.feature_group = [];"
        "var {{ this.get_name() }} = L.featureGroup();"
        "window.racecast.control({{ this.choices|tojson }});"
        "{% endmacro %}"
    )

    def __init__(
        self, refresh_ms: int | None, asked: int, *, colour: str = "status", favourites: Sequence[int] = ()
    ) -> None:
        super().__init__()
        self.choices = {
            "refresh": refresh_ms,
            "asked": asked,
            "colour": colour,
            "favourites": list(favourites),
        }


def course_map(course: Course, wanted: Settings) -> folium.Map:
    """The map of a course without a race."""
    return _map("addCourse", course, wanted)


def race_map(race: Race, course: Course | None, wanted: Settings) -> folium.Map:
    """The static parts of the map of a live race.

    Without a course the layer zooms to the first positions.
    """
    return _map("addRace", course, wanted, source="Live", **_of_race(race))


def replay_map(race: Race, course: Course | None, wanted: Settings, end: float) -> folium.Map:
    """The replay map, from the gun to `end` in race seconds."""
    options = {"source": "Replay", "end": end, **_of_race(race)}
    return _map("addRace", course, wanted, bar_px=REPLAY_BAR_PX, **options)


def _of_race(race: Race) -> dict[str, Any]:
    return {"run": race.run_id, "races": race_address(race.run_id), "interval": race.interval}


def _map(
    function: str, course: Course | None, wanted: Settings, *, bar_px: int = 0, **options: Any
) -> folium.Map:
    """A map's static parts and its script, which calls `function`; a bar may cover its lower edge."""
    drawn = folium.Map(location=(0, 0), tiles=None, zoom_start=2, zoom_snap=ZOOM_STEP, font_size=FONT_SIZE)
    # Local copies instead of CDN addresses, on this map only.
    files = [("leaflet", "leaflet.js"), *(("static", name) for name in _SCRIPTS[function])]
    drawn.default_js = [(name, file_address(folder, name)) for folder, name in files]
    drawn.default_css = [(name, file_address(folder, name)) for folder, name in _STYLES]
    for name, height in PANES.items():
        folium.map.CustomPane(name, z_index=height).add_to(drawn)
    if wanted.tiles:
        attribution = escape(wanted.tiles_attribution) or "&nbsp;"  # Folium insists on one
        folium.TileLayer(tiles=wanted.tiles, attr=attribution, max_zoom=MAX_ZOOM).add_to(drawn)
    if course is not None:
        _draw_course(course, drawn)
        right, bottom = VIEW_PADDING_PX
        drawn.fit_bounds(
            _bounds(course), padding_top_left=VIEW_PADDING_PX, padding_bottom_right=(right, bottom + bar_px)
        )
    _Script(function, course, **options).add_to(drawn)
    return drawn


def _draw_course(course: Course, drawn: folium.Map) -> None:
    for number, fence in enumerate(course.fences):
        _fence(fence, number).add_to(drawn)
    line = _lat_lon(course.line)
    for name, weight in (("course-edge", 10), ("course-line", 5)):
        folium.PolyLine(  # type: ignore[no-untyped-call]
            line, class_name=name, weight=weight, opacity=1, interactive=False
        ).add_to(drawn)
    _place(course.start, "Start", "bottom").add_to(drawn)
    _place(course.finish, "Finish", "top").add_to(drawn)


def _fence(fence: Fence, number: int) -> folium.Polygon:
    """A geofence's outline and label; the layer highlights them by their classes."""
    label = folium.Tooltip(
        escape(fence.name),
        permanent=True,
        direction="center",
        class_name=f"fence-label fence-label-{number}",
        pane="marks",
    )
    return folium.Polygon(
        [_lat_lon(ring) for ring in fence.rings],
        class_name=f"fence fence-{number}",
        weight=2,
        fill=True,
        fill_opacity=0.12,
        interactive=False,
        tooltip=label,
    )


def _place(at: tuple[float, float], word: str, side: str) -> folium.CircleMarker:
    """A ring and its label, on opposite sides for start and finish, which are often next to each other.

    Not a Marker: that loads Leaflet's own pin before Folium replaces its icon.
    """
    lon, lat = at
    label = folium.Tooltip(word, permanent=True, direction=side, class_name="place", pane="marks")
    return folium.CircleMarker(
        (lat, lon),
        radius=5,
        weight=3,
        fill=True,
        fill_opacity=1,
        class_name="place",
        pane="marks",
        tooltip=label,
    )


def _bounds(course: Course) -> list[list[float]]:
    """South-west and north-east corner, lat before lon, of the visible area."""
    seen = np.vstack([course.line, course.start, course.finish, *(fence.rings[0] for fence in course.fences)])
    return [_lat_lon(corner[None])[0] for corner in (seen.min(axis=0), seen.max(axis=0))]


def _lat_lon(lon_lat: Any) -> Any:
    return np.round(lon_lat[:, ::-1], 7).tolist()
