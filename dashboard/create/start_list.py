"""The start list of a race: a file, its first rows as the API reads them, and which column is which."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.api import ApiError, ListPreview, RaceApi
from dashboard.request.inputs import LIST_FIELDS, LIST_MEMORY
from dashboard.ui import formatting, words
from dashboard.ui.escape import templates
from stream import text_files

KINDS = ("csv", "tsv", "txt")
MAX_SHOWN = 40
"""Maximum number of columns of the preview."""

_OPTIONAL = (
    "Optional. A CSV file with a line of column names, as spreadsheets, registration and timing systems "
    "write it. Without one, the race gets as many runners as you choose below."
)
_EXAMPLE = (
    (
        ("bib", "bib"),
        ("name", "name"),
        ("gender", "sex"),
        ("age", "age"),
        ("club", "club"),
        ("goal time", "time"),
    ),
    (("7", "Ann Smith", "F", "41", "City Harriers", "48:30"), ("12", "Bo Larsen", "M", "23", "", "41:00")),
)
"""Columns with their fields, and rows."""


class _File(NamedTuple):
    """A file that was chosen; `warning` is about its encoding."""

    name: str
    text: str
    warning: str


@dataclass
class _Memory:
    """What the page keeps of a start list, also while another page is shown.

    Attributes:
        file: the list.
        as_named: how the API reads it by the names of its columns.
        as_chosen: how the API reads it with other columns, and for which choice.
        nth: counts the files: a new number recreates the field empty.
        refusal: why the file in the field can't be used.
        is_open: whether the list had errors, so the choosers of columns are open, and stay so.
    """

    file: _File | None = None
    as_named: ListPreview | None = None
    as_chosen: tuple[Mapping[str, int], ListPreview] | None = None
    nth: int = 0
    refusal: str = ""
    is_open: bool = False

    def column(self, name: str) -> str:
        """The session state key of a field's column: its number from 1, or 0 for none."""
        return f"race-list-{self.nth}-{name}"


class StartList(NamedTuple):
    """The start list of the race.

    Attributes:
        below: the place for errors.
        text: as it is sent to the API; None if there is none, or it can't be used.
        competitors: how many the list has; None without one.
        is_refused: whether there is a list that can't be used, so that the race can't start.
    """

    below: DeltaGenerator
    text: str | None = None
    competitors: int | None = None
    is_refused: bool = False


def _memory() -> _Memory:
    memory: _Memory = st.session_state.setdefault(LIST_MEMORY, _Memory())
    return memory


def is_given() -> bool:
    """Whether a list was chosen."""
    return _memory().file is not None


def remove() -> None:
    """Forget the list, and empty the field."""
    st.session_state[LIST_MEMORY] = _Memory(nth=_memory().nth + 1)


def choose(api: RaceApi) -> StartList:
    """Draw the field, or the chosen list."""
    memory = _memory()
    if memory.file is None:
        return _offer(memory)
    with st.container(horizontal=True, vertical_alignment="center", key="list-file"):
        words.plain(memory.file.name)
        st.button("Remove the start list", icon=":material/close:", on_click=remove)
    if memory.file.warning:
        words.notice(memory.file.warning, "warning")
    try:
        shown = _read(api, memory, memory.file)
    except ApiError as error:
        words.notice(str(error))
        return StartList(st.container(), is_refused=True)
    _show(shown)
    if shown.columns:
        _columns(memory, shown)
    text = shown.start_list or memory.file.text
    if shown.errors:
        return StartList(st.container(), is_refused=True)
    return StartList(st.container(), text, shown.competitors)


def _offer(memory: _Memory) -> StartList:
    key = f"race-list-file-{memory.nth}"
    file = st.file_uploader(
        "Start list",
        type=list(KINDS),
        key=key,
        on_change=lambda: _take(key),
        label_visibility="collapsed",
    )
    if file is None:
        words.hint(_OPTIONAL)
        words.plain("For example:")
        _table("Example of a start list", *_EXAMPLE)
        return StartList(st.container())
    words.notice(memory.refusal)
    return StartList(st.container(), is_refused=True)


def _take(key: str) -> None:
    memory = _memory()
    file = st.session_state[key]
    if file is None:
        return
    try:
        text, warning = text_files.decode(file.getvalue())
    except text_files.TextError as error:
        memory.refusal = f"{file.name} {error}."
    else:
        remove()
        _memory().file = _File(file.name, text, warning)


def _read(api: RaceApi, memory: _Memory, file: _File) -> ListPreview:
    """How the API reads the list; asked again when other columns are chosen. Raises `ApiError`."""
    if memory.as_named is None:
        memory.as_named = api.preview_list(file.text, {})
    chosen = {name: number for name, number in _numbers(memory).items() if number != _guessed(memory, name)}
    if not chosen:
        return memory.as_named
    if memory.as_chosen is None or memory.as_chosen[0] != chosen:
        memory.as_chosen = chosen, api.preview_list(file.text, chosen)
    return memory.as_chosen[1]


def _guessed(memory: _Memory, name: str) -> int:
    """The number of the column that is a field's by its name, 0 for none."""
    return memory.as_named.numbers().get(name, 0) if memory.as_named else 0


def _numbers(memory: _Memory) -> dict[str, int]:
    """The number of each field's column, 0 for none."""
    return {name: st.session_state.get(memory.column(name), _guessed(memory, name)) for name in LIST_FIELDS}


def _show(shown: ListPreview) -> None:
    for error in shown.errors:
        words.notice(f"The start list {error}.")
    if not shown.errors:
        counts = (
            (shown.competitors, "competitor", "competitors"),
            (shown.waves, "wave", "waves"),
            (shown.categories, "category", "categories"),
            (shown.clubs, "club", "clubs"),
        )
        words.facts(*(formatting.counted(count, one, many) for count, one, many in counts if count))
    if shown.columns:
        columns = [(column.name, column.field) for column in shown.columns[:MAX_SHOWN]]
        _table("First rows of the start list", columns, [row[:MAX_SHOWN] for row in shown.rows])
    if shown.warnings:
        with st.expander("Notes on this start list", expanded=True):
            words.notes(shown.warnings)


def _table(title: str, columns: Iterable[tuple[str, str]], rows: Iterable[Iterable[str]]) -> None:
    """Draw the columns, each with its name and field, above rows."""
    named = [(name, LIST_FIELDS.get(field, "")) for name, field in columns]
    page = templates("dashboard.create").get_template("start_list.html")
    st.html(page.render(title=title, columns=named, rows=rows))


def _columns(memory: _Memory, shown: ListPreview) -> None:
    """Draw a chooser for each field's column."""
    memory.is_open |= bool(shown.errors)
    names = {number: f"{number}: {column.name}" for number, column in enumerate(shown.columns, start=1)}
    names[0] = "None"
    with (
        st.expander("Which column is which", icon=":material/view_column:", expanded=memory.is_open),
        st.container(horizontal=True, key="fields-columns"),
    ):
        for name, label in LIST_FIELDS.items():
            with st.container():
                st.selectbox(
                    label,
                    sorted(names),
                    index=_guessed(memory, name),
                    format_func=names.__getitem__,
                    key=memory.column(name),
                    on_change=_take_from_others,
                    args=(memory, name),
                    persist_state="session",
                )


def _take_from_others(memory: _Memory, name: str) -> None:
    """A column has one field: the one that it was chosen for last."""
    numbers = _numbers(memory)
    for other, number in numbers.items():
        if other != name and number and number == numbers[name]:
            st.session_state[memory.column(other)] = 0
