"""Unpacks gzip files and zip archives of data files.

Both are untrusted: they are unpacked in memory only, so file names can't escape a folder, and never beyond a
limit, whatever their headers claim.
"""

import gzip
import io
import posixpath
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import unquote

from simulator.course import coordinates, formats
from simulator.course.drawing import CourseError

MAX_UNPACKED = 20 * 1024 * 1024
"""Maximum bytes of what is unpacked: the largest allowed line takes as much as GPX with a watch's data."""
MAX_DIRECTORY = 1024 * 1024
"""Maximum bytes of a zip archive's directory: about ten thousand pictures."""
MAX_LAYERS = 2
"""Maximum layers of packing: a zip archive in a gzip file, a KMZ in a zip archive."""
MAX_PARTS = 5000
"""Maximum number of gzip files that are concatenated."""
SHOWN = 5
"""Maximum number of file names in a message."""
ZIP = b"PK\x03\x04"
EMPTY_ZIP = b"PK\x05\x06"
GZIP = b"\x1f\x8b\x08"
PACKED = (ZIP, EMPTY_ZIP, GZIP)
"""Signatures at the beginning of packed files."""
SUFFIXES = frozenset({".kml", ".kmz", ".gpx", ".geojson", ".geojsonl", ".geojsons", ".tcx", ".gz", ".zip"})
"""Suffixes of the files that are sought in an archive."""
JSON = frozenset({".json"})
NONE = frozenset({".xml", ".txt", ""})
"""Suffixes that count if an archive has no file with one of the others."""

_ENCRYPTED = 0x1
_PACKINGS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""Accepted compression methods: others are slow, or need as much memory as the archive claims."""
_FORK = "__MACOSX"
"""Folder of macOS metadata: `__MACOSX/._doc.kml` is not KML."""
_MAIN = "doc.kml"


class Unpacked(NamedTuple):
    """A file that was packed.

    Attributes:
        content: its bytes.
        name: its name for messages, after that of the file that it was in.
        member: its path in `archive`, or "".
        archive: the zip archive that it was in, if any.
    """

    content: bytes
    name: str
    member: str = ""
    archive: "Archive | None" = None


def unpacked(
    data: bytes, source: str, suffixes: Collection[str] = SUFFIXES, most: int = MAX_UNPACKED
) -> tuple[bytes, str]:
    """Return the only file in a gzip file or a zip archive, and its name for messages.

    Other files are returned as they are. Of a KMZ, it is the main document.

    Args:
        data: the file.
        source: its name in messages.
        suffixes: suffixes of the files that are sought in a zip archive, in lower case.
        most: maximum bytes of what is unpacked.

    Raises:
        CourseError: the file is damaged, encrypted or too big, or has no such file in it, or several.
    """
    found = opened(data, source, suffixes, most)
    if found.archive and posixpath.basename(found.member).casefold() != _MAIN:
        found.archive.refuse_several(found.archive.candidates(suffixes))
    return found.content, found.name


def opened(
    data: bytes, source: str, suffixes: Collection[str] = SUFFIXES, most: int = MAX_UNPACKED
) -> Unpacked:
    """Return the only file in a packed one as `unpacked` does, with its archive.

    Of several KML files in an archive it is `doc.kml`, or else the first one, as in a KMZ.
    """
    found = Unpacked(data, source)
    for _ in range(MAX_LAYERS):
        if found.content.startswith(GZIP):
            found = _gunzipped(found.content, found.name, most)
        elif found.content.startswith((ZIP, EMPTY_ZIP)):
            archive = Archive(found.content, found.name, most)
            main = archive.main(suffixes)
            found = Unpacked(archive.read(main), archive.called(main), main, archive)
    if found.content.startswith(PACKED):
        raise CourseError(f"{found.name} is packed more than {MAX_LAYERS} times: unpack it first")
    return found


def _gunzipped(data: bytes, source: str, most: int) -> Unpacked:
    if data.count(GZIP) > MAX_PARTS:
        raise CourseError(f"{source} consists of more than {MAX_PARTS:,} gzip files")
    with _faults(source, "gzip file"), gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise CourseError(f"{source} is bigger than {most // 1024**2} MiB when unpacked")
    return Unpacked(content, source[:-3] if source.casefold().endswith(".gz") else source)


class Archive:
    """A zip archive.

    Args:
        data: the file.
        source: its name in messages.
        most: maximum bytes of all that is unpacked.

    Attributes:
        source: its name in messages.

    Raises:
        CourseError: it is damaged.
    """

    def __init__(self, data: bytes, source: str, most: int = MAX_UNPACKED) -> None:
        self.source = source
        self._most = self._left = most
        with _faults(source, "zip archive"):
            self._file = zipfile.ZipFile(_Sparing(data))
            self._members = {
                info.filename.replace("\\", "/"): info
                for info in self._file.infolist()
                if not info.is_dir() and not _is_hidden(info.filename)
            }
        self._paths = {_normal(name): name for name in self._members}

    def __contains__(self, member: str) -> bool:
        return member in self._members

    def find(self, path: str) -> str | None:
        """Return the path in the archive of a file as it is written in another one; None if there is none."""
        return self._paths.get(_normal(path))

    def candidates(self, suffixes: Collection[str] = SUFFIXES) -> list[str]:
        """Return the paths of files with one of the suffixes, in the archive's order."""
        return [member for member in self._members if _suffix(member) in suffixes]

    def main(self, suffixes: Collection[str] = SUFFIXES) -> str:
        """Return the path of the only file that is sought, or of a KMZ's main document.

        Raises:
            CourseError: there is none, or there are several.
        """
        found = self.candidates(suffixes) or self.candidates(JSON)
        if not found:
            formats.refuse_files(self._members, self.source)
            found = self.candidates(NONE)
        if not found:
            inside = f", only {_listed(self._members)}" if self._members else ": it is empty"
            wanted = ", ".join(sorted(suffixes))
            raise CourseError(f"{self.source} has no file in it whose name ends in {wanted}{inside}")
        documents = [member for member in found if _suffix(member) == ".kml"]
        main = [member for member in documents if member.casefold() == _MAIN]
        if not main and documents != found:
            self.refuse_several(found)
        return (main or found)[0]

    def refuse_several(self, found: Collection[str]) -> None:
        """Raise CourseError if there is more than one file."""
        if len(found) > 1:
            raise CourseError(f"{self.source} has {len(found):,} files in it, {_listed(found)}: send one")

    def called(self, member: str) -> str:
        """Return a file's name for messages."""
        return f"{self.source}, {_shown(member)}"

    def read(self, member: str) -> bytes:
        """Return a file's content; raises CourseError if it can't be unpacked, or too much has been."""
        info = self._members[member]
        if info.flag_bits & _ENCRYPTED:
            raise CourseError(f"{self.source} is encrypted: save it without a password")
        if info.compress_type not in _PACKINGS:
            raise CourseError(f"{self.source} is packed in an unusual way: pack it with deflate")
        content = b""
        if info.file_size <= self._left:
            with _faults(self.source, "zip archive"), self._file.open(info) as file:
                content = file.read(self._left + 1)
        if max(len(content), info.file_size) > self._left:
            most = f"{self._most // 1024**2} MiB"
            raise CourseError(f"{self.source}: {_shown(member)} in it is bigger than {most} when unpacked")
        self._left -= len(content)
        return content


class _Sparing(io.BytesIO):
    """Reads at most `MAX_DIRECTORY` bytes at once, which cuts off a directory that is too long.

    Zipfile reads the directory in one piece and needs a multiple of its size in memory; the rest can be
    read in small pieces.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        """Return as many bytes as asked for, `MAX_DIRECTORY` at most."""
        return super().read(MAX_DIRECTORY if size is None or size < 0 else min(size, MAX_DIRECTORY))


@contextmanager
def _faults(source: str, kind: str) -> Iterator[None]:
    """Turn the errors of a damaged file into a CourseError."""
    try:
        yield
    except EOFError:
        raise CourseError(f"{source} is an incomplete {kind}: its end is missing") from None
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, ValueError, OSError) as error:
        raise CourseError(f"{source} is a damaged {kind}: {error}") from None


def _is_hidden(member: str) -> bool:
    parts = member.replace("\\", "/").split("/")
    return _FORK in parts or parts[-1].startswith(".")


def _normal(path: str) -> str:
    """Return a path in the spelling that all its spellings have in common."""
    return posixpath.normpath(unquote(path)).lstrip("./").casefold()


def _suffix(member: str) -> str:
    return posixpath.splitext(member)[1].casefold()


def _shown(member: str) -> str:
    """Return a path for messages: on one line, shortened."""
    return coordinates.clip(" ".join(member.split()))


def _listed(members: Collection[str]) -> str:
    shown = ", ".join(_shown(member) for member in list(members)[:SHOWN])
    return f"{shown} and {len(members) - SHOWN:,} more" if len(members) > SHOWN else shown
