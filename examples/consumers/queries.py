"""Files with several queries, each below a line `-- name: …`."""

import re
from pathlib import Path

_NAMED = re.compile(r"^-- name: (\w+)\n(.*?)(?=^-- name:|\Z)", re.MULTILINE | re.DOTALL)


def queries_beside(module: str) -> dict[str, str]:
    """Return the queries by name in the `.sql` file that is named like a module's file."""
    return dict(_NAMED.findall(Path(module).with_suffix(".sql").read_text(encoding="utf-8")))
