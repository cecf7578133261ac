"""Server-sent events, compressed once for all viewers.

A stream is one gzip file without an end. Its pieces are cut out of complete gzip files: `compress` ends the
data on a byte boundary, and they refer to nothing before them, so they can follow any others.
"""

import zlib
from typing import Final

GZIP_LEVEL = 1
"""gzip level; 9 takes ten times as long to save another 10 %."""

_GZIP: Final = 31
"""zlib's window bits for the gzip format."""
_ENDS: Final = 10
"""Bytes of the header of a gzip file, and of the empty last block and the checksums at its end."""

HEADERS: Final = {
    "Content-Type": "text/event-stream",
    "Content-Encoding": "gzip",
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",  # nginx would collect events before it passes them on
}


def compress(text: bytes) -> bytes:
    """A gzip file of this text, which can become a piece of a stream too."""
    compressor = zlib.compressobj(GZIP_LEVEL, wbits=_GZIP)
    return compressor.compress(text) + compressor.flush(zlib.Z_FULL_FLUSH) + compressor.flush()


def event(name: str, compressed: bytes) -> bytes:
    """The piece of a stream that is an event with this data: one line of text, compressed by `compress`."""
    return _piece(compress(f"event: {name}\ndata: ".encode())) + _piece(compressed) + _END_OF_EVENT


def comment() -> bytes:
    """The piece of a stream that readers skip: only proxies see that it lives."""
    return _piece(compress(b":\n\n"))


def _piece(compressed: bytes) -> bytes:
    return compressed[_ENDS:-_ENDS]


BEGIN: Final = compress(b"")[:_ENDS]
"""Begins a stream."""
_END_OF_EVENT: Final = _piece(compress(b"\n\n"))
