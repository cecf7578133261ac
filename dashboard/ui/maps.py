"""Folium maps in a page."""

import folium
from streamlit_folium import st_folium


def show_map(drawn: folium.Map, key: str, height_px: int, options: object = None) -> None:
    """Place a map; `key` distinguishes it from all others, whatever they show."""
    size = {"height": height_px, "use_container_width": True}
    st_folium(drawn, key=key, returned_objects=[], feature_group_to_add=options, **size)
