"""The only way user-supplied text gets into HTML or JavaScript."""

import re

import jinja2
from markupsafe import Markup

_NOT_PLAIN = re.compile(r"[^\w ]|_")


def escape(text: str) -> str:
    """HTML that shows `text` exactly as typed, in any context.

    Every character other than letters, digits and spaces becomes a numeric character reference, so there is
    no list of dangerous characters to get wrong. The result cannot end an element, an attribute or a script.
    It contains no `${…}`, which the template literals of Folium's tooltips would evaluate, and nothing that
    streamlit-folium's search and replace matches (it renames `_0a1b…`, for example).
    """
    return _NOT_PLAIN.sub(lambda found: f"&#{ord(found[0])};", text)


def templates(package: str) -> jinja2.Environment:
    """The templates of a package, in which every value is escaped by `escape`."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader(package),
        autoescape=True,
        finalize=lambda value: Markup(escape(str(value))),  # noqa: S704 - it is escaped
        trim_blocks=True,
        lstrip_blocks=True,
    )
