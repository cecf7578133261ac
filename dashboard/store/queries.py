"""Queries in .sql files: `-- name: WORD` begins each. Parameters are in the database's own notation."""

import re
from collections.abc import Mapping
from pathlib import Path

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


def read_queries(path: Path) -> Mapping[str, str]:
    """The queries of a file by name."""
    _, *parts = _NAME.split(path.read_text())
    return dict(zip(parts[::2], parts[1::2], strict=True))
