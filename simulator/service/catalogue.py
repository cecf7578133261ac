"""The courses that races can be run on: those that come with Racecast, and those that were uploaded.

It knows names and no disk: who may have which name is decided here, and nowhere else.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from itertools import chain, count
from pathlib import PurePath
from typing import TYPE_CHECKING

from simulator.course.survey.limits import MAX_SHORT_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from simulator.course.course import Course
    from simulator.service.uploads import Upload

UNNAMED = "course"
"""The short name of a course whose own name has nothing that a short name can have."""

UNUSABLE = "a file among the uploads that can't be used"


class Catalogue(Mapping[str, "Course"]):
    """The known courses by short name, in that order.

    Args:
        shipped: the courses that come with Racecast.
        uploads: those that were uploaded; one that has a shipped one's name is not known.
        unusable: the files among the uploads that can't be used, and nevertheless are there.
    """

    def __init__(
        self,
        shipped: Mapping[str, Course],
        uploads: Mapping[str, Upload] | None = None,
        unusable: Iterable[str] = (),
    ) -> None:
        self._shipped = dict(shipped)
        self._uploads = {name: upload for name, upload in (uploads or {}).items() if name not in shipped}
        self._unusable = {PurePath(file).stem.casefold() for file in unusable}

    def __getitem__(self, name: str) -> Course:
        if (course := self._shipped.get(name)) is not None:
            return course
        return self._uploads[name].course

    def __iter__(self) -> Iterator[str]:
        return iter(sorted([*self._shipped, *self._uploads]))

    def __len__(self) -> int:
        return len(self._shipped) + len(self._uploads)

    @property
    def uploads(self) -> Mapping[str, Upload]:
        """The courses that were uploaded, by short name."""
        return self._uploads

    def owner(self, name: str) -> str | None:
        """Say whose a name is, as the end of a sentence; None if it is free.

        Names that differ in capitals only are one name: on some disks their files would be one file.
        """
        folded = name.casefold()
        if folded in map(str.casefold, self._shipped):
            return "a course that comes with Racecast"
        if folded in map(str.casefold, self._uploads):
            return "another course that was uploaded"
        return UNUSABLE if folded in self._unusable else None

    def add(self, upload: Upload) -> None:
        """Take in an upload under its course's name, which has to be free."""
        self._uploads[upload.course.short_name] = upload

    def remove(self, name: str) -> None:
        """Forget an upload."""
        del self._uploads[name]


def short_name_of(long_name: str, is_free: Callable[[str], bool]) -> str:
    """Return a short name made of a long one, numbered if it isn't free."""
    letters = unicodedata.normalize("NFKD", long_name).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", letters).strip("-") or UNNAMED
    tails = chain([""], (f"-{number}" for number in count(2)))
    names = (stem[: MAX_SHORT_NAME - len(tail)].rstrip("-") + tail for tail in tails)
    return next(filter(is_free, names))
