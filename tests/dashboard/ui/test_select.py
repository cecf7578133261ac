"""Select boxes whose labels change."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.ui.select import apart


def _page(versions: list[dict[str, str]], heard: list[str]) -> None:
    import streamlit as st  # noqa: PLC0415  (from_function takes only this text)

    from dashboard.ui.select import chosen, select  # noqa: PLC0415

    drawn = select("Race", versions[-1], key="race", on_choice=heard.append)
    st.text(f"{drawn} {chosen('race')}")


class Shown:
    """A page with one box, and what it has heard of choices."""

    def __init__(self) -> None:
        self._versions = [{"a": "Autumn · paused", "b": "Berlin · paused"}]
        self.heard: list[str] = []
        self._page = AppTest.from_function(_page, args=(self._versions, self.heard)).run()

    def send(self, label: str) -> None:
        """Let the browser send a label that it has shown at some time."""
        box: Any = self._page.selectbox[0]
        box.options.append(label)
        box.set_value(label).run()

    @property
    def option(self) -> str:
        """What the page has got, and what the session's state says: always the same."""
        assert not self._page.exception
        drawn, kept = str(self._page.text[0].value).split()
        assert drawn == kept
        return drawn

    def change(self, **labels: str) -> None:
        """Run the page with other labels of these options."""
        self._versions.append(self._versions[-1] | labels)
        self._page.run()


@pytest.fixture
def shown() -> Shown:
    """The page, on which the second option has been chosen."""
    page = Shown()
    assert page.option == "a"
    page.send("Berlin · paused")
    assert (page.option, page.heard) == ("b", ["b"])
    return page


def test_label_changes(shown: Shown) -> None:
    """The choice remains, also if the browser sends the former label: that is no choice."""
    shown.change(b="Berlin · running")
    assert shown.option == "b"
    shown.send("Berlin · paused")
    assert (shown.option, shown.heard) == ("b", ["b"])


def test_choice_by_a_former_label(shown: Shown) -> None:
    """A choice in a list with former labels is of what the list said."""
    shown.change(a="Autumn · running")
    shown.send("Autumn · paused")
    assert (shown.option, shown.heard) == ("a", ["b", "a"])


def test_text_that_never_was_a_label(shown: Shown) -> None:
    """It chooses the first option, as Streamlit does."""
    shown.send("Copenhagen")
    assert shown.option == "a"


def test_apart() -> None:
    """Only labels that occur more than once get their option."""
    assert apart({"a": "Run", "b": "Walk", "c": "Run"}) == {"a": "Run · a", "b": "Walk", "c": "Run · c"}
