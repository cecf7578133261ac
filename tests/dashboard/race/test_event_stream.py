import gzip
import zlib

from hypothesis import given
from hypothesis import strategies as st

from dashboard.race.event_stream import BEGIN, comment, compress, event


@given(st.binary())
def test_compressed_text_is_a_gzip_file(text: bytes) -> None:
    """What becomes a piece of a stream is a complete file too."""
    assert gzip.decompress(compress(text)) == text


@given(st.lists(st.text(st.characters(exclude_characters="\n\r", codec="utf-8"))))
def test_a_stream_is_its_events_in_order(lines: list[str]) -> None:
    """Each piece can be read as soon as it has arrived, whatever came before."""
    reader = zlib.decompressobj(31)
    assert reader.decompress(BEGIN) == b""
    for line in lines:
        piece = event("picture", compress(line.encode()))
        assert reader.decompress(piece).decode() == f"event: picture\ndata: {line}\n\n"
        assert reader.decompress(comment()) == b":\n\n"
