"""The known courses: shipped and uploaded ones.

It decides which names are free, and does no I/O.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, count

from simulator.course.course import Course
from simulator.course.library import UNNAMED, stem_of
from simulator.course.survey.limits import MAX_SHORT_NAME
from simulator.service.uploads import Upload

UNUSABLE = "an uploaded file that can't be used"


class Catalogue(Mapping[str, "Course"]):
    """The known courses by short name, sorted.

    Args:
        shipped: the courses that come with Racecast.
        uploads: the uploaded ones; those with the name of a shipped course are ignored.
        unusable: names of uploaded files that can't be used, but exist.

    Attributes:
        uploads: the uploaded courses by short name.
    """

    def __init__(
        self,
        shipped: Mapping[str, Course],
        uploads: Mapping[str, Upload] | None = None,
        unusable: Iterable[str] = (),
    ) -> None:
        self._shipped = dict(shipped)
        self.uploads = {name: upload for name, upload in (uploads or {}).items() if name not in shipped}
        self._unusable = {stem_of(file).casefold() for file in unusable}

    def __getitem__(self, name: str) -> Course:
        if (course := self._shipped.get(name)) is not None:
            return course
        return self.uploads[name].course

    def __iter__(self) -> Iterator[str]:
        return iter(sorted([*self._shipped, *self.uploads]))

    def __len__(self) -> int:
        return len(self._shipped) + len(self.uploads)

    def owner(self, name: str) -> str | None:
        """Describe the course that owns a name, as the end of a sentence; None if the name is free.

        Names are case-insensitive: on some disks their files would be the same file.
        """
        folded = name.casefold()
        if folded in map(str.casefold, self._shipped):
            return "a course shipped with Racecast"
        if folded in map(str.casefold, self.uploads):
            return "another uploaded course"
        return UNUSABLE if folded in self._unusable else None

    def add(self, upload: Upload) -> None:
        """Add an upload; its name must be free."""
        self.uploads[upload.course.short_name] = upload

    def remove(self, name: str) -> None:
        """Remove an upload."""
        del self.uploads[name]


def short_name_of(long_name: str, is_free: Callable[[str], bool]) -> str:
    """Derive a short name from a long one, numbered if it is taken."""
    letters = unicodedata.normalize("NFKD", long_name).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", letters).strip("-") or UNNAMED
    tails = chain([""], (f"-{number}" for number in count(2)))
    names = (stem[: MAX_SHORT_NAME - len(tail)].rstrip("-") + tail for tail in tails)
    return next(filter(is_free, names))
