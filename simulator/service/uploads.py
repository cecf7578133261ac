"""The folder of uploaded course files.

Files are written atomically, so that a crash leaves no partial file. The functions block on disk I/O: call
them in a thread, or before the reactor starts.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from simulator.course.course import Course
from simulator.course.drawing import CourseError
from simulator.course.library import SUFFIXES, Library, load_folder, read_course, stem_of


@dataclass(frozen=True)
class Upload:
    """An uploaded course, and the digest of its file."""

    course: Course
    digest: bytes


def digest_of(data: bytes) -> bytes:
    """Return a digest that identifies a file's content."""
    return sha256(data).digest()


class UploadFolder:
    """A folder of uploads.

    Args:
        path: the folder; created with the first file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> tuple[Mapping[str, Upload], Mapping[str, str]]:
        """Return the uploads by short name, and errors of unusable files by file name; raises OSError."""
        library = load_folder(self._path) if self._path.exists() else Library({}, {}, {})
        uploads = {
            name: Upload(course, digest_of(library.files[name].read_bytes()))
            for name, course in library.courses.items()
        }
        return uploads, library.errors

    def names(self) -> set[str]:
        """Return the short names of the files, valid or not; raises OSError."""
        if not self._path.exists():
            return set()
        return {stem_of(path.name) for path in self._path.iterdir() if path.suffix.lower() in SUFFIXES}

    def find(self, name: str) -> Upload | None:
        """Return the upload with a short name; None if there is none that can be used."""
        for path in (self._path / f"{name}{suffix}" for suffix in SUFFIXES):
            try:
                data = path.read_bytes()
                return Upload(read_course(data, path.name), digest_of(data))
            except FileNotFoundError:
                continue
            except (OSError, CourseError):
                return None
        return None

    def write(self, name: str, suffix: str, data: bytes) -> None:
        """Store a file as `NAME.suffix`.

        Raises:
            FileExistsError: there is already a course file with that name, valid or not.
            OSError: the file can't be stored; nothing of it remains.
        """
        self._path.mkdir(parents=True, exist_ok=True)
        for other in SUFFIXES:
            if (self._path / f"{name}{other}").exists():
                raise FileExistsError
        part = self._path / f".{name}{suffix}.{os.getpid()}.part"
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
        """Sync the folder, so that the file's name survives a power failure."""
        folder = os.open(self._path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
