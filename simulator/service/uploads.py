"""The folder of uploaded course files: how they get there and out again.

A file is there whole or not at all, whenever the process ends. What is in a file and whose name it may have
is for others to know. Everything here waits for the disk: it is called in a thread, or before the start.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from simulator.course.library import READERS, Library, load_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from simulator.course.course import Course


@dataclass(frozen=True)
class Upload:
    """A course that was uploaded, and the fingerprint of its file."""

    course: Course
    digest: bytes


def digest_of(data: bytes) -> bytes:
    """Return what tells a file from another one."""
    return sha256(data).digest()


class UploadFolder:
    """A folder of uploads.

    Args:
        path: the folder; it is made when the first file is written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> tuple[Mapping[str, Upload], Mapping[str, str]]:
        """Return the uploads by short name; and by file name why those left out can't be used.

        Raises:
            OSError: the folder is there and can't be read.
        """
        library = load_folder(self._path) if self._path.exists() else Library({}, {}, {})
        uploads = {
            name: Upload(course, digest_of(library.files[name].read_bytes()))
            for name, course in library.courses.items()
        }
        return uploads, library.errors

    def write(self, name: str, suffix: str, data: bytes) -> None:
        """Keep a file as `NAME.suffix`.

        Raises:
            FileExistsError: there is a course file of that name, though perhaps none that can be used.
            OSError: the disk doesn't take it; nothing is left of it.
        """
        self._path.mkdir(parents=True, exist_ok=True)
        for other in READERS:
            if (self._path / f"{name}{other}").exists():
                raise FileExistsError
        part = self._path / f".{name}{suffix}.part"
        try:
            with part.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.rename(self._path / f"{name}{suffix}")
        except OSError:
            part.unlink(missing_ok=True)
            raise
        self._sync()

    def _sync(self) -> None:
        """See to it that the file's name outlives a power cut as well."""
        folder = os.open(self._path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
