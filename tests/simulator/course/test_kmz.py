"""What the KMZ reader takes out of an archive, and what it refuses."""

import io
import tracemalloc
import zipfile

import pytest

from simulator.course import kmz
from simulator.course.drawing import CourseError

KML = b"<kml><Document><name>%s</name></Document></kml>"


def archive(*members: tuple[str, bytes]) -> bytes:
    """Return a zip archive."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members:
            file.writestr(name, content)
    return data.getvalue()


@pytest.mark.parametrize(
    "names",
    [
        ["a.kml", "doc.kml"],
        ["DOC.KML", "a.kml"],
        ["x.png", "b/doc.kml", "a.kml"],
        ["__MACOSX/a.kml", "b.kml"],
    ],
)
def test_main_document(names: list[str]) -> None:
    """The main document is doc.kml, or else the first KML file that isn't for macOS alone."""
    wanted = {"doc.kml", "DOC.KML", "b/doc.kml", "b.kml"}
    members = [(name, KML % (b"wanted" if name in wanted else b"other")) for name in names]
    assert kmz.read(archive(*members)).name == "wanted"


def test_what_is_wrong_names_the_document() -> None:
    """An error in the document gives its name in the archive, short and on one line."""
    with pytest.raises(CourseError, match=r"^x\.kmz, a b\.kml isn't well-formed XML"):
        kmz.read(archive(("a\nb.kml", b"<kml>")), "x.kmz")
    with pytest.raises(CourseError) as caught:
        kmz.read(archive(("x" * 1000 + ".kml", b"<kml>")))
    assert len(str(caught.value)) < 250


def test_a_bomb_costs_nothing() -> None:
    """A document that would unpack to a gigabyte is refused by what the archive says of it."""
    bomb = archive(("doc.kml", bytes(1024**3)))
    tracemalloc.start()
    with pytest.raises(CourseError, match="bigger than 20 MiB"):
        kmz.read(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_a_bomb_that_lies_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """However small the archive says that a document is, no more than the limit is unpacked."""
    monkeypatch.setattr(kmz, "MAX_UNPACKED", 100)
    data = archive(("doc.kml", b" " * 101))
    with pytest.raises(CourseError, match="bigger than"):
        kmz.read(data)
    with pytest.raises(CourseError, match="a broken one"):
        kmz.read(data.replace((101).to_bytes(4, "little"), (50).to_bytes(4, "little")))


def test_too_many_files() -> None:
    """An archive with a list of more files than any course has is refused before the list is read."""
    with pytest.raises(CourseError, match="Truncated central directory"):
        kmz.read(archive(*((f"{nth}.png", b"") for nth in range(20_000))))


def test_not_packed() -> None:
    """A document that is not packed at all is taken."""
    assert kmz.read(packed(zipfile.ZIP_STORED)).name == "A"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_packing(method: int) -> None:
    """Ways of packing that no KMZ has, and that cost what the archive wants, are refused."""
    with pytest.raises(CourseError, match="pack it with deflate"):
        kmz.read(packed(method))


def packed(method: int) -> bytes:
    """Return an archive packed in one way."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as file:
        file.writestr("doc.kml", KML % b"A")
    return data.getvalue()
