"""What the KMZ reader takes out of an archive, and what it refuses."""

import pytest

from simulator.course import kmz, xml
from simulator.course.drawing import CourseError, Drawing
from simulator.course.packing import opened
from simulator.course.survey import limits
from tests.simulator.course.test_packing import archive

KML = b"<kml><Document><name>%s</name></Document></kml>"


def read(data: bytes, source: str = "KMZ") -> Drawing:
    """Read a KMZ file."""
    return kmz.read(opened(data, source))


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
    assert read(archive(*members)).name == "wanted"


def test_what_is_wrong_names_the_document() -> None:
    """An error in the document gives its name in the archive, short and on one line."""
    with pytest.raises(CourseError, match=r"^x\.kmz, a b\.kml isn't well-formed XML"):
        read(archive(("a\nb.kml", b"<kml>")), "x.kmz")
    with pytest.raises(CourseError) as caught:
        read(archive(("x" * 1000 + ".kml", b"<kml>")))
    assert len(str(caught.value)) < 250


LINE = b"<LineString><coordinates>0,51 0,51.01</coordinates></LineString>"
LINKED = b"<kml><Placemark><name>Way</name>" + LINE + b"</Placemark></kml>"


def links(*names: str) -> bytes:
    """Return a KML file that links to others."""
    link = "<NetworkLink><Link><href>{}</href></Link></NetworkLink>"
    return f"<kml><Document>{''.join(map(link.format, names))}</Document></kml>".encode()


@pytest.mark.parametrize(
    ("main", "href", "member"),
    [
        ("doc.kml", "layers/a.kml", "layers/a.kml"),
        ("doc.kml", " ./layers/a.kml\n", "layers/a.kml"),
        ("doc.kml", "/layers/a.kml", "layers/a.kml"),
        ("doc.kml", "layers\\a.kml", "layers/a.kml"),
        ("doc.kml", "layers/a.kml", "layers\\a.kml"),
        ("doc.kml", "Layers/A.KML", "layers/a.kml"),
        ("doc.kml", "two%20words.kml", "two words.kml"),
        ("doc.kml", "two words.kml", "two%20words.kml"),
        ("doc.kml", "f%C3%BCr.kml", "für.kml"),
        ("doc.kml", "a.kml?x=1#y", "a.kml"),
        ("doc.kml", "a#1.kml", "a#1.kml"),
        ("files/doc.kml", "a.kml", "files/a.kml"),
        ("files/doc.kml", "../layers/./a.kml", "layers/a.kml"),
        ("doc.kml", "../../a.kml", "a.kml"),
    ],
)
def test_a_link_into_the_archive_is_followed(main: str, href: str, member: str) -> None:
    """The file to which a link leads is read, however its path is written."""
    drawing = read(archive((main, links(href)), (member, LINKED)))
    assert [line.where for line in drawing.lines] == ["LineString at line 1 (Way)"]
    assert drawing.warnings == []


@pytest.mark.parametrize(
    "href", ["http://x/a.kml", "//x/a.kml", "file:///a.kml", "C:\\a.kml", "b.kml", "", "a.png"]
)
def test_a_link_to_elsewhere_is_a_warning(href: str) -> None:
    """A link out of the archive, or to what isn't in it or isn't KML, isn't followed."""
    drawing = read(archive(("doc.kml", links(href)), ("a.kml", LINKED), ("a.png", b"")))
    assert drawing.lines == []
    assert drawing.warnings == [
        "The NetworkLink at line 1 isn't followed: save what it links to",
        "Not read, because doc.kml doesn't link to it: a.kml",
    ]


def test_links_of_linked_files() -> None:
    """Links lead on from their own file, and each file is read once; a warning names the file."""
    members = {
        "doc.kml": links("a/b.kml", "c.kml"),
        "a/b.kml": links("../c.kml", "b.kml", "/doc.kml", "d.kml"),
        "a/d.kml": LINKED,
        "c.kml": links("http://x").replace(b"<Doc", LINE + b"<Doc"),
    }
    drawing = read(archive(*members.items()))
    assert len(drawing.lines) == 2
    assert drawing.warnings == ["c.kml: The NetworkLink at line 1 isn't followed: save what it links to"]


def test_limits_of_linked_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """The files that are linked have together no more in them than one file may have."""
    files = [(f"{nth}.kml", LINKED) for nth in range(kmz.MAX_DOCUMENTS)]
    most = links(*(name for name, _ in files[:-1]))
    assert len(read(archive(("doc.kml", most), *files)).lines) == kmz.MAX_DOCUMENTS - 1
    too_many = archive(("doc.kml", links(*(name for name, _ in files))), *files)
    for module, limit, value, why in (
        (kmz, "MAX_DOCUMENTS", 100, "100 files that are linked"),
        (limits, "MAX_FILE_POINTS", 9, "9 points in its files together"),
        (limits, "MAX_SHAPES", 9, "9 lines, rings and markers in its files together"),
        (xml, "MAX_MARKS", 1_000, "1,000 tags and attributes in its files together"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(kmz, "MAX_DOCUMENTS", 1_000)
            patch.setattr(module, limit, value)
            with pytest.raises(CourseError, match=f"^KMZ has more than {why}"):
                read(too_many)


def test_a_document_that_is_not_linked() -> None:
    """Files beside the main document to which nothing links are named in a warning."""
    names = ("doc.kml", "a.kml", "b.kml", "c.kml", "d.kml")
    drawing = read(archive(*((name, LINKED) for name in names)))
    assert drawing.warnings == [
        "Not read, because doc.kml doesn't link to it: a.kml, b.kml, c.kml and 1 more"
    ]
