"""What is unpacked from gzip files and zip archives, and what is refused."""

import gzip
import io
import tracemalloc
import zipfile

import pytest

from simulator.course.drawing import CourseError
from simulator.course.packing import opened, unpacked

GPX = b"<gpx/>"


def archive(*members: tuple[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip archive."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", packing) as file:
        for name, content in members:
            file.writestr(name, content)
    return data.getvalue()


def named(data: bytes, name: str) -> bytes:
    """Return a gzip file that stores the name of the packed file."""
    packed = io.BytesIO()
    with gzip.GzipFile(name, "wb", fileobj=packed) as file:
        file.write(data)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (gzip.compress(GPX), "a"),
        (named(GPX, "other.gpx"), "a"),
        (gzip.compress(GPX[:3]) + gzip.compress(b"") + gzip.compress(GPX[3:]), "a"),
        (gzip.compress(GPX) + bytes(512), "a"),
        (archive(("walk.gpx", GPX)), "a.gz, walk.gpx"),
        (archive(("files/My Walk.GPX", GPX)), "a.gz, files/My Walk.GPX"),
        (archive(("..\\walk.gpx", GPX)), "a.gz, ../walk.gpx"),
        (archive(("x/", b""), ("LICENSE", b"MIT"), ("a.jpg", b"j"), ("walk.gpx", GPX)), "a.gz, walk.gpx"),
        (archive(("__MACOSX/._walk.gpx", b"m"), (".b.gpx", b"x"), ("walk.gpx", GPX)), "a.gz, walk.gpx"),
        (archive(("about.json", b"{}"), ("walk.tcx", GPX)), "a.gz, walk.tcx"),
        (archive(("route.json", GPX)), "a.gz, route.json"),
        (archive(("route", GPX), ("read.me", b"")), "a.gz, route"),
        (archive(("route.txt", GPX), ("a.jpg", b"")), "a.gz, route.txt"),
        (archive(("maps/a.kml", b"x"), ("doc.kml", GPX)), "a.gz, doc.kml"),
        (archive(("doc.kml", GPX), packing=zipfile.ZIP_STORED), "a.gz, doc.kml"),
        (archive(("walk.gpx.gz", gzip.compress(GPX))), "a.gz, walk.gpx"),
        (gzip.compress(archive(("walk.gpx", GPX))), "a, walk.gpx"),
        (archive(("walk.kmz", archive(("doc.kml", GPX)))), "a.gz, walk.kmz, doc.kml"),
        (GPX, "a.gz"),
        (b"", "a.gz"),
    ],
)
def test_unpacked(data: bytes, name: str) -> None:
    """The one file that matters is found, whatever surrounds it, and is named by its way there."""
    content, called = unpacked(data, "a.gz")
    assert (content, called) == (data if name == "a.gz" else GPX, name)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (gzip.compress(GPX)[:-9], "a.gz is an incomplete gzip file: its end is missing"),
        (gzip.compress(GPX) + b"more", "a.gz is a damaged gzip file: Not a gzipped file (b'mo')"),
        (gzip.compress(GPX)[:-5] + b"\1" * 5, "a.gz is a damaged gzip file: CRC check failed"),
        (b"\x1f\x8b\x08", "a.gz is an incomplete gzip file: its end is missing"),
        (archive(("walk.gpx", GPX))[:-9], "a.gz is a damaged zip archive: File is not a zip file"),
        (archive(), "a.gz has no file in it whose name ends in .gpx, .zip: it is empty"),
        (
            archive(("a.bin", b""), ("b\n.ttf", b"")),
            "a.gz has no file in it whose name ends in .gpx, .zip, only a.bin, b .ttf",
        ),
        (
            archive(*((f"{nth}.bin", b"") for nth in range(7))),
            "a.gz has no file in it whose name ends in .gpx, .zip, only 0.bin, 1.bin, 2.bin, 3.bin",
        ),
        (
            archive(("a.gpx", GPX), ("b/c.gpx", GPX)),
            "a.gz has 2 files in it, a.gpx, b/c.gpx: send one",
        ),
        (
            archive(("a.zip", archive(("b.zip", archive(("c.gpx", GPX)))))),
            "a.gz, a.zip, b.zip is packed more than 2 times: unpack it first",
        ),
        (gzip.compress(b"") * 5001, "a.gz consists of more than 5,000 gzip files"),
    ],
)
def test_refused(data: bytes, error: str) -> None:
    """A damaged file, and one without a single file to take, are refused with what is in them."""
    with pytest.raises(CourseError) as caught:
        unpacked(data, "a.gz", {".gpx", ".zip"})
    assert str(caught.value).startswith(error)


def test_several_documents() -> None:
    """The first of several KML files is a KMZ's document, but a guess elsewhere."""
    data = archive(("a.kml", GPX), ("b.kml", b"<kml/>"))
    assert opened(data, "a.kmz").content == GPX
    with pytest.raises(CourseError, match=r"2 files in it, a\.kml, b\.kml: send one"):
        unpacked(data, "a.kmz")


def test_the_file_beside_another() -> None:
    """The archive of a file gives the files beside it, up to the limit of all together."""
    found = opened(archive(("doc.kml", GPX), ("b.kml", b"1234")), "a.kmz", most=10)
    assert found.archive
    assert "b.kml" in found.archive
    assert found.archive.find("./x/../B.kml") == "b.kml"
    assert found.archive.read("b.kml") == b"1234"
    with pytest.raises(CourseError, match=r"^a\.kmz: b\.kml in it is bigger than"):
        found.archive.read("b.kml")


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: archive(("doc.kml", data))])
def test_a_bomb_costs_little(pack: object) -> None:
    """What would unpack to 300 MB is refused at the limit."""
    assert callable(pack)
    bomb = pack(bytes(300_000_000))
    tracemalloc.start()
    with pytest.raises(CourseError, match="bigger than 20 MiB when unpacked"):
        unpacked(bomb, "a")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50_000_000


def test_the_limit() -> None:
    """A file of as many bytes as are allowed is unpacked, and one more is refused."""
    for pack in (gzip.compress, lambda data: archive(("a.gpx", data))):
        assert unpacked(pack(b"x" * 100), "a", most=100)[0] == b"x" * 100
        with pytest.raises(CourseError, match="bigger than"):
            unpacked(pack(b"x" * 101), "a", most=100)


def test_a_bomb_that_lies_is_stopped() -> None:
    """However small the archive says that a file is, no more than the limit is unpacked."""
    data = archive(("doc.kml", b" " * 101))
    with pytest.raises(CourseError, match="damaged"):
        opened(data.replace((101).to_bytes(4, "little"), (50).to_bytes(4, "little")), "a", most=100)


def test_too_many_files() -> None:
    """An archive with a list of more files than any course has is refused before the list is read."""
    with pytest.raises(CourseError, match="Truncated central directory"):
        unpacked(archive(*((f"{nth}.png", b"") for nth in range(20_000))), "a")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_packing(method: int) -> None:
    """Ways of packing that cost what the archive wants are refused."""
    with pytest.raises(CourseError, match="pack it with deflate"):
        unpacked(archive(("doc.kml", GPX), packing=method), "a")
