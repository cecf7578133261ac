"""Finds metrics and labels in a PromQL expression; handles as much of the grammar as our expressions use."""

import re

WORDS = {"and", "or", "unless", "bool", "offset"}
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_SELECTORS = re.compile(r"\{([^}]*)\}")
_RANGES = re.compile(r"\[[^\]]*\]")
_NAME = re.compile(r"(?<![\w.])[a-zA-Z_:][\w:]*(?!\w|\s*\()")


def metrics(expression: str) -> set[str]:
    """Return the names of the metrics, as they are scraped."""
    bare = _RANGES.sub("", _SELECTORS.sub("", _GROUPING.sub("", expression)))
    return set(_NAME.findall(bare)) - WORDS


def labels(expression: str) -> set[str]:
    """Return the names of the labels."""
    selectors = _SELECTORS.findall(expression)
    matched = {name for selector in selectors for name in re.findall(r"(\w+)\s*(?:=|!)", selector)}
    grouped = {name.strip() for group in _GROUPING.findall(expression) for name in group.split(",")}
    return matched | grouped
