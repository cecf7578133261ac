"""The only way user-supplied text gets into HTML or JavaScript."""

import json
import re
from typing import Any

import jinja2
from markupsafe import Markup

_NOT_PLAIN = re.compile(r"[^\w ]|_")
_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_NOT_PLAIN_IN_JSON = re.compile(r"[^A-Za-z0-9 ./:-]")


def escape(text: str) -> str:
    """HTML that shows `text` exactly as typed, in any context.

    Every character other than letters, digits and spaces becomes a numeric character reference, so there is
    no list of dangerous characters to get wrong. The result cannot end an element, an attribute or a script.
    It contains no `${…}`, which the template literals of Folium's tooltips would evaluate, and nothing that
    streamlit-folium's search and replace matches (it renames `_0a1b…`, for example).
    """
    return _NOT_PLAIN.sub(lambda found: f"&#{ord(found[0])};", text)


def script_json(value: Any) -> str:
    r"""JSON for a script that Folium renders, with the same texts in any context.

    Folium compiles the script as a Jinja template once more, so `{{ … }}` in a name would be run on the
    server. Every character of a text other than letters, digits, spaces and `./:-` becomes an escape such as
    `\u007b`, so there is no list of dangerous characters to get wrong.
    """
    return _JSON_STRING.sub(
        lambda found: f'"{_escaped(json.loads(found[0]))}"', json.dumps(value, sort_keys=True)
    )


def _escaped(text: str) -> str:
    return _NOT_PLAIN_IN_JSON.sub(
        lambda found: "".join(f"\\u{unit}" for unit in re.findall("....", _utf16(found[0]))), text
    )


def _utf16(character: str) -> str:
    return character.encode("utf-16-be", "surrogatepass").hex()


def templates(package: str) -> jinja2.Environment:
    """The templates of a package, in which every value is escaped by `escape`."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader(package),
        autoescape=True,
        finalize=lambda value: Markup(escape(str(value))),  # noqa: S704 - it is escaped
        trim_blocks=True,
        lstrip_blocks=True,
    )
