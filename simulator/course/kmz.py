"""KMZ in, a `Drawing` out: a zip archive with a KML file in it.

The archive comes from a stranger. It is unpacked in memory only, so the names in it lead nowhere, and never
further than `MAX_UNPACKED`, whatever it says of itself.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import TYPE_CHECKING

from simulator.course import coordinates, kml
from simulator.course.drawing import CourseError

if TYPE_CHECKING:
    from simulator.course.drawing import Drawing

MAX_UNPACKED = 20 * 1024 * 1024
"""Bytes of the KML file: the biggest line that is allowed takes 6 MB, and as a gx:Track 10 MB."""
MAX_DIRECTORY = 1024 * 1024
"""Bytes of the archive's list of its files: some ten thousand pictures."""
MAGIC = b"PK\x03\x04"
"""What a zip archive begins with."""

_ENCRYPTED = 0x1
_PACKINGS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""Others unpack slowly, or take as much memory as the archive says."""
_FORK = "__MACOSX/"
"""Where macOS puts what only it can use: `__MACOSX/._doc.kml` is no KML."""


def read(data: bytes, source: str = "KMZ") -> Drawing:
    """Read a KMZ file: its `doc.kml`, or else the first .kml file in it.

    Args:
        data: the file.
        source: what to call it in messages.

    Raises:
        CourseError: it is no archive, a broken or an encrypted one, one without or with too big a KML file,
            or what `kml.read` says of that.
    """
    try:
        with zipfile.ZipFile(_Sparing(data)) as archive:
            main = _main(archive, source)
            name = coordinates.clip(" ".join(main.filename.split()))
            with archive.open(main) as file:
                unpacked = file.read(MAX_UNPACKED + 1)
    except CourseError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError) as error:
        raise CourseError(f"{source} isn't a KMZ file, or a broken one: {error}") from None
    if len(unpacked) > MAX_UNPACKED:
        raise _too_big(name, source)
    return kml.read(unpacked, f"{source}, {name}")


class _Sparing(io.BytesIO):
    """An archive that is read in small pieces: of a list of files that is too long, the end is missing.

    The list takes many times its size in memory, and is read in one piece, wherever the archive says that it
    is; all else can be read in any.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        """Return as many bytes as asked for, `MAX_DIRECTORY` at most."""
        return super().read(MAX_DIRECTORY if size is None or size < 0 else min(size, MAX_DIRECTORY))


def _main(archive: zipfile.ZipFile, source: str) -> zipfile.ZipInfo:
    """Return the main document, as far as the archive says, one that can be read."""
    found = [
        info
        for info in archive.infolist()
        if info.filename.casefold().endswith(".kml") and not info.filename.startswith(_FORK)
    ]
    if not found:
        raise CourseError(f"{source} has no .kml file in it")
    main = next((info for info in found if info.filename.casefold() == "doc.kml"), found[0])
    if main.flag_bits & _ENCRYPTED:
        raise CourseError(f"{source} is encrypted: save it without a password")
    if main.compress_type not in _PACKINGS:
        raise CourseError(f"{source} isn't packed as a KMZ file is: pack it with deflate")
    if main.file_size > MAX_UNPACKED:
        raise _too_big(coordinates.clip(main.filename), source)
    return main


def _too_big(name: str, source: str) -> CourseError:
    return CourseError(f"{source}: {name} in it is bigger than {MAX_UNPACKED // 1024**2} MiB when unpacked")
