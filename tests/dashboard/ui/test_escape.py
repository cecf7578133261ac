import html
import json
import re

from hypothesis import given
from hypothesis import strategies as st

from dashboard.ui.escape import escape, script_json

VISIBLE = st.text(st.characters(min_codepoint=0x20, exclude_categories=["Cs", "Cc", "Cn"]))


@given(VISIBLE)
def test_shown_as_typed(text: str) -> None:
    """A browser shows what was typed."""
    assert html.unescape(escape(text)) == text


@given(st.text(st.characters()))
def test_nothing_but_letters_and_references(text: str) -> None:
    """Nothing is left that means anything in HTML, JavaScript, Markdown or a template."""
    assert re.fullmatch(r"(?:[^\W_]| |&#\d+;)*", escape(text))


def test_plain_words_stay() -> None:
    """Letters of any script, digits and spaces stay what they are."""
    assert escape("Zürich Марафон 42") == "Zürich Марафон 42"


@given(st.dictionaries(st.text(st.characters()), st.text(st.characters())))
def test_texts_in_scripts(texts: dict[str, str]) -> None:
    """A script gets the same texts, of which a template language finds nothing that it would run."""
    script = script_json({"texts": texts})
    assert json.loads(script) == {"texts": texts}
    assert not re.search(r"\{\{|\{%|\{#|\$\{|<|_|`", script)
