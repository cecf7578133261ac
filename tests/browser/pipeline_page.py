"""The pipeline page, as tests read it."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PATIENCE_MS

LIGHTS = {"green": "Fine", "amber": "Attention", "red": "Trouble", "grey": "Idle"}


class PipelinePage:
    """The pipeline page at a dashboard's address, opened in `page`."""

    def __init__(self, page: Page, dashboard: str) -> None:
        self._page = page
        page.goto(f"{dashboard}/pipeline")

    def part(self, name: str) -> Locator:
        """A part's card."""
        return self._page.locator(f"[data-part='{name}']")

    def expect_light(
        self, part: str, light: str, sentence: str = "", *, within_s: float = PATIENCE_MS / 1000
    ) -> None:
        """Wait until a part has a light, its word, and a sentence in which these words are."""
        expect(self.part(part)).to_have_attribute("data-light", light, timeout=1000 * within_s)
        expect(self.part(part).locator("em")).to_have_text(LIGHTS[light])
        expect(self.part(part).locator("p")).to_contain_text(sentence)

    def expect_figure(self, part: str, key: str, text: str) -> None:
        """Wait until a part's figure is this."""
        expect(self.part(part).locator(f"[data-figure='{key}']")).to_have_text(text)

    def expect_cell(self, table: str, row: str, column: str, text: str | re.Pattern[str]) -> None:
        """Wait until a cell of a table is this."""
        inside = self._page.locator(f"[data-table='{table}']")
        place = inside.locator("thead th").all_text_contents().index(column)
        expect(inside.locator(f"[data-row='{row}'] > *").nth(place)).to_have_text(text)

    def cells(self, table: str) -> list[tuple[int, int]]:
        """Return where a table's cells are: left and right in pixels, the same if a cell is not shown."""
        found: list[tuple[int, int]] = self._page.locator(f"[data-table='{table}'] :is(th, td)").evaluate_all(
            "cells => cells.map((one) => one.getBoundingClientRect()).map((box) => [box.left, box.right])"
        )
        return found

    def expect_charts(self, count: int) -> None:
        """Wait until so many charts are drawn, and nothing says that there is no data."""
        expect(self._page.locator("[data-testid=stVegaLiteChart] :is(canvas, svg)")).to_have_count(count)
        expect(self._page.get_by_text("No data yet.")).to_have_count(0)

    def wait_for_look(self) -> None:
        """Wait until the figures are measured again."""
        facts = self._page.locator(".facts span").first
        measured = facts.inner_text()
        expect(facts).not_to_have_text(measured)

    def places(self) -> list[tuple[int, int, int, int]]:
        """Where everything on the page is: left, top, width and height in pixels."""
        found: list[tuple[int, int, int, int]] = self._page.evaluate(
            """() => [...document.querySelectorAll('.part, [data-testid=stVegaLiteChart], .plain-table')]
                .map((one) => one.getBoundingClientRect())
                .map((box) => [box.left, box.top, box.width, box.height].map(Math.round))"""
        )
        return found

    def width(self) -> int:
        """How wide all of it is."""
        pixels: int = self._page.evaluate("() => document.documentElement.scrollWidth")
        return pixels
