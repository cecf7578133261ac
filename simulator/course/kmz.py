"""Reads KMZ, a zip archive with a KML file, into a `Drawing`.

Archives are untrusted: they are unpacked in memory only, so file names can't escape a folder, and never
beyond `MAX_UNPACKED`, whatever the header claims.
"""

import io
import zipfile
import zlib

from simulator.course import coordinates, kml
from simulator.course.drawing import CourseError, Drawing

MAX_UNPACKED = 20 * 1024 * 1024
"""Maximum bytes of the KML file: the largest allowed line takes 6 MB, and 10 MB as a gx:Track."""
MAX_DIRECTORY = 1024 * 1024
"""Maximum bytes of the archive's directory: about ten thousand pictures."""
MAGIC = b"PK\x03\x04"
"""Signatures at the beginning of a zip archive."""

_ENCRYPTED = 0x1
_PACKINGS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""Accepted compression methods: others are slow, or need as much memory as the archive claims."""
_FORK = "__MACOSX/"
"""Folder of macOS metadata: `__MACOSX/._doc.kml` is not KML."""


def read(data: bytes, source: str = "KMZ") -> Drawing:
    """Read a KMZ file, called `source` in messages: its `doc.kml`, or else the first .kml file in it.

    Raises:
        CourseError: the archive is invalid or encrypted, its KML file is missing or too big, or `kml.read`
            rejects it.
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
    """Reads at most `MAX_DIRECTORY` bytes at once, which cuts off a directory that is too long.

    Zipfile reads the directory in one piece and needs a multiple of its size in memory; the rest can be
    read in small pieces.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        """Return as many bytes as asked for, `MAX_DIRECTORY` at most."""
        return super().read(MAX_DIRECTORY if size is None or size < 0 else min(size, MAX_DIRECTORY))


def _main(archive: zipfile.ZipFile, source: str) -> zipfile.ZipInfo:
    """Return the main document; raises CourseError if it can't be read."""
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
