"""The one way by which a text that a person typed gets into HTML or JavaScript."""

from __future__ import annotations

import re

_NOT_PLAIN = re.compile(r"[^\w ]|_")


def escape(text: str) -> str:
    """HTML that shows `text` exactly as typed, wherever it is put.

    Every character that isn't a letter, a digit or a space becomes a numeric character reference. So there
    is no list of dangerous characters to get wrong: the result can't end an element, an attribute or a
    script, isn't a `${…}` in the template literals that Folium writes its tooltips into, and holds nothing
    that streamlit-folium's search and replace looks for (it renames `_0a1b…`, for one).
    """
    return _NOT_PLAIN.sub(lambda found: f"&#{ord(found[0])};", text)
