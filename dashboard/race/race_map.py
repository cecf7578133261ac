"""The map of a race: static parts by Folium, moving parts by a layer of our own.

The map's HTML is the same on every run of the page, so the browser builds its frame once per race and keeps
it. Moving data bypasses Python's templates and Streamlit: the layer (static/race_layer.js) fetches positions
from the dashboard's routes. The viewer's choices reach it through `MapOptions`.
"""

import math
from collections.abc import Sequence
from typing import Any

import folium
import numpy as np
from folium.elements import JSCSSMixin
from folium.template import Template

from dashboard.race.routes import file_address, race_address
from dashboard.race.sample import sample_of
from dashboard.settings import Settings
from dashboard.store.protocol import Course, Fence, Race
from dashboard.ui.escape import script_json
from dashboard.ui.viewer import Viewer

_COURSE_SCRIPTS = (
    "formatting.js",
    "course_line.js",
    "placement.js",
    "labels.js",
    "arrows.js",
    "gestures.js",
    "whole_course.js",
    "street_map.js",
    "crowd.js",
    "dots.js",
    "density.js",
    "below.js",
    "profile_ground.js",
    "course_profile.js",
)
_SCRIPTS = {
    "addCourse": (*_COURSE_SCRIPTS, "furniture.js"),
    "addRace": (
        *_COURSE_SCRIPTS,
        "sheet.js",
        "pack.js",
        "annotations.js",
        "density_line.js",
        "field.js",
        "glide.js",
        "live_feed.js",
        "names.js",
        "forecasts.js",
        "race_clock.js",
        "trails.js",
        "inspector.js",
        "furniture.js",
        "live.js",
        "replay.js",
        "replay_control.js",
        "timeline.js",
        "profile.js",
        "race_layer.js",
    ),
}
"""The scripts for a function of static/furniture.js, in the order of their dependencies."""
_STYLES = (("leaflet", "leaflet.css"), ("static", "motion.css"), ("static", "map.css"))

PANES = {"field": 450, "marks": 460, "leaders": 470}
"""z-indexes above Leaflet's lines (400): competitors, the course's labels, and the marked competitors."""

ZOOM_STEP = 0.25
FONT_SIZE = "12px"


class _Script(JSCSSMixin):
    """Calls a function of static/furniture.js with the map and the options."""

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "Racecast.{{ this.function }}({{ this._parent.get_name() }}, {{ this.choices }});"
        "{% endmacro %}"
    )

    def __init__(self, function: str, course: Course | None, **options: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Racecast"
        self.function = function
        self.choices = script_json(
            {
                "line": np.round(course.line, 7).tolist() if course else [],
                "distance": course.distance if course else 0,
                **_along(course),
                "bounds": _bounds(course) if course else None,
                "labels": _labels(course) if course else None,
                **options,
            }
        )


class MapOptions(folium.FeatureGroup):
    """An empty layer whose script passes the viewer's choices to the map.

    Without it a map requests no street map.

    streamlit-folium runs a feature group's script in the map's frame only when its text changes. So a choice
    reaches the map without rebuilding it.
    """

    _template = Template(
        "{% macro script(this, kwargs) %}"
        # streamlit-folium removes the last group from the map but keeps all groups in this list.
        "window.feature_group = [];"
        "var {{ this.get_name() }} = L.featureGroup();"
        "Racecast.control({{ this.choices }});"
        "{% endmacro %}"
    )

    def __init__(  # noqa: PLR0913 - a viewer has many choices
        self,
        refresh_ms: int | None = None,
        asked: int = 0,
        *,
        colour: str = "status",
        favourites: Sequence[int] = (),
        follow: int | None = None,
        moment: int | None = None,
        streets: bool = True,
        forecasts: bool = False,
    ) -> None:
        super().__init__()
        self.choices = script_json(
            {
                "refresh": refresh_ms,
                "asked": asked,
                "colour": colour,
                "favourites": list(favourites),
                "follow": follow,
                "moment": moment,
                "streets": streets,
                "forecasts": forecasts,
            }
        )


def course_map(course: Course, wanted: Settings, viewer: Viewer) -> folium.Map:
    """The map of a course without a race."""
    return _map("addCourse", course, wanted, viewer)


def race_map(
    race: Race, course: Course | None, wanted: Settings, viewer: Viewer, *, has_timeline: bool = True
) -> folium.Map:
    """The map of a live race, with the profile and, unless left out, the timeline below it.

    Without a course the layer zooms to the first positions.
    """
    options = {"isLive": True, "end": 0, "hasTimeline": has_timeline, **_of_race(race, course)}
    return _map("addRace", course, wanted, viewer, **options)


def replay_map(race: Race, course: Course | None, wanted: Settings, viewer: Viewer, end: float) -> folium.Map:
    """The replay map, from the gun to `end` in race seconds."""
    options = {"isLive": False, "end": end, "hasTimeline": True, **_of_race(race, course)}
    return _map("addRace", course, wanted, viewer, **options)


def _of_race(race: Race, course: Course | None) -> dict[str, Any]:
    sample = sample_of(race.competitors)
    options = {
        "run": race.run_id,
        "races": race_address(race.run_id),
        "interval": race.interval,
        "speed": race.speed,
        "isSample": sample is not None,
    }
    if race.is_crowded and course is not None and (widths := _widths(race, course)):
        options["density"] = {"widths": widths, "every": 1 if sample is None else sample.step}
    return options


def _widths(race: Race, course: Course) -> list[tuple[float, float | None]]:
    """Where the width of a lap changes, from its start on, and metres; empty if none is known."""
    own = course.widths if course.widths and course.widths[0][0] <= 0 else ((0.0, math.inf), *course.widths)
    widths = [(since, min(wide, race.width)) for since, wide in own]
    if not any(math.isfinite(wide) for _, wide in widths):
        return []
    return [(since, wide if math.isfinite(wide) else None) for since, wide in widths]


def _along(course: Course | None) -> dict[str, Any]:
    """What the profile shows by distance: altitudes, timing points and geofences."""
    if course is None:
        return {"altitudes": None, "points": [], "fences": []}
    return {
        "altitudes": None if course.altitudes is None else np.round(course.altitudes, 1).tolist(),
        "points": [(point.name, round(point.distance, 1)) for point in course.points],
        "fences": [
            (fence.name, [(round(first, 1), round(last, 1)) for first, last in fence.visits])
            for fence in course.fences
        ],
    }


def _map(
    function: str, course: Course | None, wanted: Settings, viewer: Viewer, **options: Any
) -> folium.Map:
    """A map's static parts and its script, which calls `function`."""
    drawn = folium.Map(location=(0, 0), tiles=None, zoom_start=2, zoom_snap=ZOOM_STEP, font_size=FONT_SIZE)
    # Local copies instead of CDN addresses, on this map only.
    files = [("leaflet", "leaflet.js"), *(("static", name) for name in _SCRIPTS[function])]
    drawn.default_js = [(name, file_address(folder, name)) for folder, name in files]
    drawn.default_css = [(name, file_address(folder, name)) for folder, name in _STYLES]
    for name, height in PANES.items():
        folium.map.CustomPane(name, z_index=height).add_to(drawn)
    if course is not None:
        _draw_course(course, drawn)
    _Script(function, course, tiles=_tiles(wanted), viewer=viewer.for_scripts, **options).add_to(drawn)
    return drawn


def _tiles(wanted: Settings) -> dict[str, str] | None:
    if wanted.street_map is None:
        return None
    url, attribution = wanted.street_map
    return {"url": url, "attribution": attribution}


def _draw_course(course: Course, drawn: folium.Map) -> None:
    for number, fence in enumerate(course.fences):
        folium.Polygon(
            [_lat_lon(ring) for ring in fence.rings],
            class_name=f"fence fence-{number}",
            weight=2,
            fill=True,
            fill_opacity=0.12,
            interactive=False,
        ).add_to(drawn)
    line = _lat_lon(course.line)
    for name, weight in (("course-halo", 12), ("course-edge", 9), ("course-line", 6)):
        folium.PolyLine(  # type: ignore[no-untyped-call]
            line, class_name=name, weight=weight, opacity=1, interactive=False
        ).add_to(drawn)


def _labels(course: Course) -> dict[str, Any]:
    """What static/labels.js writes on the map, apart from the kilometres."""
    start, finish = _lat_lon(np.array([course.start, course.finish]))
    return {
        "start": start,
        "finish": finish,
        "fences": [{"name": fence.name, "at": _middle(fence)} for fence in course.fences],
        "points": [{"name": point.name, "distance": point.distance} for point in course.points],
    }


def _middle(fence: Fence) -> list[float]:
    """The centroid of a fence's outer ring, lat before lon; degrees are even enough at this size."""
    ring = fence.rings[0]
    origin = ring.mean(axis=0)
    here, there = ring - origin, np.roll(ring, -1, axis=0) - origin
    cross = here[:, 0] * there[:, 1] - there[:, 0] * here[:, 1]
    area = cross.sum()
    centroid = ((here + there) * cross[:, None]).sum(axis=0) / (3 * area) if area else 0.0
    middle: list[float] = _lat_lon((origin + centroid)[None])[0]
    return middle


def _bounds(course: Course) -> list[list[float]]:
    """South-west and north-east corner, lat before lon, of the visible area."""
    seen = np.vstack([course.line, course.start, course.finish, *(fence.rings[0] for fence in course.fences)])
    return [_lat_lon(corner[None])[0] for corner in (seen.min(axis=0), seen.max(axis=0))]


def _lat_lon(lon_lat: Any) -> Any:
    return np.round(lon_lat[:, ::-1], 7).tolist()
