"""The encodings in which text files come, whatever they say about themselves."""

import gzip
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.course import decoding
from simulator.course.decoding import in_utf8
from simulator.course.drawing import CourseError
from simulator.course.library import load_folder, read_course
from tests.processes import ROOT
from tests.simulator.course.test_packing import archive

GPX = (
    '<gpx creator="made-up">\n<trk><name>Mühle</name>\n<trkseg><trkpt lat="51" lon="0"><ele>1</ele></trkpt>\n'
    '<trkpt lat="51.01" lon="0"><ele>2</ele></trkpt></trkseg></trk></gpx>'
)


def declared(encoding: str) -> str:
    """Return the file with a declaration of its encoding on line 1."""
    return f'<?xml version="1.0" encoding="{encoding}"?>{GPX}'


@pytest.mark.parametrize(
    ("encoding", "label"),
    [
        *(("utf-8", label) for label in ("UTF-8", "utf8", "utf_8", "US-ASCII")),
        *(("utf-8-sig", label) for label in ("UTF-8", "utf-8")),
        *((wide, wide) for wide in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")),
        *((wide, "UTF-8") for wide in ("utf-16", "utf-16-le", "utf-16-be", "utf-32")),
        *(
            (label, label)
            for label in (
                *("ISO-8859-1", "latin1", "windows-1252", "cp1250", "ISO-8859-15", "gb18030"),
                *("cp850", "IBM437"),
            )
        ),
    ],
)
def test_encodings(encoding: str, label: str) -> None:
    """A file is read in its encoding; where its bytes show which that is, the label doesn't matter."""
    course = read_course(declared(label).encode(encoding), "a")
    assert (course.long_name, course.warnings) == ("Mühle", ())


@pytest.mark.parametrize(
    "label",
    [
        "utf-16",
        "UTF-16LE",
        "utf-32",
        "Unicode",
        "utf8mb4",
        "ANSI",
        "ISO-8859-1",
        "ISO-8859-15",
        "windows-1251",
    ],
)
def test_utf8_with_another_label(label: str) -> None:
    """UTF-8 is recognised by its bytes, with a warning that the label is wrong."""
    for encoding in ("utf-8", "utf-8-sig"):
        course = read_course(declared(label).encode(encoding), "a")
        assert course.long_name == "Mühle"
        assert course.warnings == (
            f'The file says that its encoding is "{label}", but it is UTF-8: read as UTF-8',
        )


def test_encodings_that_hide_in_ascii() -> None:
    """A file in an encoding that writes letters as ASCII is rejected: it looks like UTF-8."""
    for label in ("utf-7", "ISO-2022-JP", "hz-gb-2312"):
        with pytest.raises(CourseError, match=f'^a has an unsupported encoding, "{label}": save it in UTF-8'):
            read_course(declared(label).replace("ü", "+APw-").encode(), "a")


@pytest.mark.parametrize(
    ("data", "name", "warning"),
    [
        (GPX.encode("cp1252"), "Mühle", "Line 2: bytes that aren't UTF-8 are read as Windows-1252"),
        *(
            (declared(label).encode("cp1252"), "Mühle", "Line 2: bytes that aren't UTF-8 are read as Windows")
            for label in ("ANSI", "unicode", "x-user-defined")
        ),
        (GPX.encode().replace(b"\xc3\xbc", b"\xc3"), "MÃhle", "Line 2: bytes that aren't UTF-8 are read"),
        (
            GPX.encode().replace(b"hle", b"h\xffle"),
            "Müh\ufffdle",
            "Line 2: bytes that aren't UTF-8 are replaced",
        ),
        (
            GPX.encode().replace(b"hle", b"h\x0ble"),
            "Müh\ufffdle",
            "Line 2: forbidden characters are replaced",
        ),
        (
            GPX.encode().replace(b"hle", b"h&#x0;le"),
            "Müh\ufffdle",
            "Line 2: forbidden characters are replaced",
        ),
        (GPX.encode().replace(b"hle", b"h&#xDE00;le"), "Müh\ufffdle", "Line 2: forbidden"),
        (GPX.encode().replace(b"hle", b"h&#56832;le"), "Müh\ufffdle", "Line 2: forbidden"),
        (
            GPX.replace("made-up", "Müller").encode("latin-1"),
            "Mühle",
            "Lines 1 and 2: bytes that aren't UTF-8",
        ),
        (GPX.replace("\n", "\xe4\n").encode("latin-1"), "Mühle", "Lines 1, 2 and 3: bytes that"),
        (
            b"\n".join([b"\xe4"] * 9) + GPX.encode("latin-1"),
            "Mühle",
            "Lines 1, 2, 3, 4, 5 and more: bytes that",
        ),
    ],
)
def test_bad_bytes_in_text(data: bytes, name: str, warning: str) -> None:
    """They are read if they can be letters, or else replaced; the warning names the line."""
    course = read_course(data, "a")
    assert course.long_name == name
    assert course.warnings[0].startswith(warning)
    assert course.distance == pytest.approx(1112.5, abs=0.1)


@pytest.mark.parametrize("bad", [b"\xff", b"\x0b", b"&#x0;"])
def test_bad_bytes_in_numbers(bad: bytes) -> None:
    """A number with one is never read without it: degrees are rejected, an altitude counts as missing."""
    with pytest.raises(CourseError, match=r"line [34]: .* is not a number"):
        read_course(GPX.encode().replace(b'"51.01"', b'"51.01' + bad + b'"'), "a")
    course = read_course(GPX.encode().replace(b">1<", b">1" + bad + b"<"), "a")
    assert course.alt is not None
    assert set(course.alt) == {2.0}
    assert "An altitude counts as missing: a, line" in course.warnings[1]


@pytest.mark.parametrize("bad", [b"\xff", b"\x0b"])
def test_bad_bytes_in_tags(bad: bytes) -> None:
    """A tag with one is rejected with its line: it would be another tag, and be ignored."""
    for tag in (b"<trkpt", b"</trkpt", b"<trks", b"<ele"):
        with pytest.raises(
            CourseError, match=r"^a, line \d: a tag has invalid characters in it: correct it$"
        ):
            read_course(GPX.encode().replace(tag, tag + bad), "a")


def test_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many forbidden characters as are allowed are replaced, and so many bytes are re-encoded."""
    pattern = [re.compile(b"x")]
    monkeypatch.setattr(decoding, "MAX_FORBIDDEN", 3)
    assert decoding.replaced(b"xxx", pattern, "a", []) == decoding.REPLACEMENT * 3
    with pytest.raises(CourseError, match="more than 3 control characters"):
        decoding.replaced(b"xxxx", pattern, "a", [])
    monkeypatch.setattr(decoding, "MAX_RECODED", 12)
    assert in_utf8("<abcd>".encode("utf-16-le"), "a", []) == b"<abcd>"
    with pytest.raises(CourseError, match="not in UTF-8"):
        in_utf8("<abcde>".encode("utf-16-le"), "a", [])


def test_geojson() -> None:
    """GeoJSON is read in the same encodings, with the same warnings."""
    text = '{"type":"LineString","coordinates":[[0,51],[0,51.01]],"name":"Mühle"}'
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"):
        course = read_course(text.encode(encoding), "a")
        assert (course.long_name, course.warnings) == ("Mühle", ())
    for data, name in (
        (text.encode("latin-1"), "Mühle"),
        (text.encode().replace(b"hle", b"h\xffle"), "Müh\ufffdle"),
        (text.encode().replace(b"hle", b"h\x0ble"), "Müh\ufffdle"),
    ):
        course = read_course(data, "a")
        assert course.long_name == name
        assert course.warnings[0].startswith("Line 1: ")
    with pytest.raises(CourseError, match="line 1, column"):
        read_course(text.encode().replace(b"51.01", b"51.\xff01"), "a")


def test_bare_ampersands() -> None:
    """An ampersand that begins no entity is one: in a name, and in the address of a link."""
    data = GPX.replace("Mühle", "A & B &amp; C&D &#65;").replace("<trk>", "<link href='x?a=1&b=2&c;'/><trk>")
    with pytest.raises(CourseError, match="Entity 'c' not defined"):
        read_course(data.encode(), "a")
    course = read_course(data.replace("&c;", "").encode(), "a")
    assert (course.long_name, course.warnings) == ("A & B & C&D A", ())


@pytest.mark.parametrize("filler", [b"\0" * 500, b"\x1a", b"\n\n"])
def test_what_systems_append(filler: bytes) -> None:
    """The zeros and marks with which some systems end a file are ignored."""
    assert read_course(GPX.encode() + filler, "a").warnings == ()


SHIPPED = load_folder(ROOT / "courses")
LABELS = (
    "UTF-8",
    "utf-16",
    "UTF-16LE",
    "unicode",
    "ISO-8859-1",
    "windows-1252",
    "ascii",
    "utf8mb4",
    "shift_jis",
)
BAD = (b"\xff", b"\xe4", b"\xc3", b"\x00", b"\x0b", b"\x1e", b"&#0;", b"&#xD800;", b"&")


@given(
    name=st.sampled_from(sorted(SHIPPED.courses)),
    label=st.sampled_from(LABELS),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "cp1252"]),
    bad=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.sampled_from(BAD)), max_size=2),
    pack=st.sampled_from([bytes, gzip.compress, lambda data: archive(("a.kml", data))]),
)
def test_shipped_courses_in_other_encodings(
    name: str, label: str, encoding: str, bad: list[tuple[float, bytes]], pack: Callable[[bytes], bytes]
) -> None:
    """Whatever the label, the encoding and the bad bytes, the length is right, or there is a warning."""
    text = SHIPPED.files[name].read_text("utf-8").replace('encoding="UTF-8"', f'encoding="{label}"', 1)
    data = text.encode(encoding, "xmlcharrefreplace")
    for place, piece in bad:
        at = int(place * len(data))
        data = data[:at] + piece + data[at:]
    try:
        course = read_course(pack(data), "a")
    except CourseError:
        # A label that is certainly wrong is no reason to reject a file.
        assert bad or label in {"shift_jis", "utf8mb4", "unicode"}
        return
    known = SHIPPED.courses[name]
    assert course.distance == pytest.approx(known.distance, rel=0.001) or course.warnings != known.warnings
