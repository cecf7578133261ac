"""Limits of start lists, and the report of what is wrong with one."""

from collections.abc import Sequence

MAX_ROWS = 100_000
MAX_LINES = 2 * MAX_ROWS
"""Maximum number of lines, including empty ones."""
MAX_COLUMNS = 1000
MAX_USED = 26
"""Maximum number of columns with known names: they are kept in memory."""
MAX_BIB = 999_999
MAX_WORDS = 120
"""Maximum length of a name, a category or a club, characters."""
MAX_WAVE = 1000
FASTEST, SLOWEST = 60.0, 3600.0
"""Seconds per kilometre."""
MAX_FAULTS = 20
"""Maximum number of faulty lines that are listed; the others are counted."""
SHOWN = 40
"""Maximum length of a quoted cell, characters."""
SHOWN_COLUMNS = 30
"""Maximum number of columns that a message lists."""


class StartListError(ValueError):
    """An invalid start list.

    Attributes:
        reasons: at least one, each continues "the start list".
    """

    def __init__(self, *reasons: str) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


class Report:
    """What was found while a list is read.

    Attributes:
        warnings: sentences about what was corrected, assumed or left out.
    """

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self._faults: list[tuple[int, str]] = []

    def fault(self, line: int, what: str) -> None:
        """Note an invalid line."""
        self._faults.append((line, what))

    def check(self) -> None:
        """Raise StartListError for all faults, in the order of their lines."""
        if not self._faults:
            return
        faults = sorted(self._faults)
        reasons = [f"is invalid in line {line:,}: {what}" for line, what in faults[:MAX_FAULTS]]
        if (more := len(faults) - MAX_FAULTS) > 0:
            reasons.append(f"has {counted(more, 'more invalid cell')}")
        raise StartListError(*reasons)


def counted(count: int, what: str) -> str:
    """Return a number of things; their name is that of one, in English."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def quoted(cell: str) -> str:
    """Return a cell as messages show it: printable, and not too long."""
    shown = cell if len(cell) <= SHOWN else cell[:SHOWN] + "…"
    return '"' + "".join(letter if letter.isprintable() else f"U+{ord(letter):04X}" for letter in shown) + '"'


def listed(names: Sequence[str]) -> str:
    """Return the names as messages list them."""
    more = f" and {len(names) - SHOWN_COLUMNS:,} more" if len(names) > SHOWN_COLUMNS else ""
    return ", ".join(names[:SHOWN_COLUMNS]) + more
