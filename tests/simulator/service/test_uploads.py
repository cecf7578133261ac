"""The folder of uploads, and the catalogue of courses."""

import os
from pathlib import Path

import pytest

from simulator.course.course import Course
from simulator.service.catalogue import Catalogue, short_name_of
from simulator.service.uploads import UploadFolder, digest_of

PLAIN = (Path(__file__).parents[1] / "course" / "files" / "plain.kml").read_bytes()


def test_a_missing_folder_is_empty(tmp_path: Path) -> None:
    """Without a folder there are no uploads, and reading does not create it."""
    assert UploadFolder(tmp_path / "uploads").load() == ({}, {})
    assert not (tmp_path / "uploads").exists()


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """A stored file is read with the digest of its bytes; other files in the folder are ignored."""
    folder = UploadFolder(tmp_path / "a" / "b")
    folder.write("park", ".kml", PLAIN)
    (tmp_path / "a" / "b" / ".other.kml.part").write_bytes(PLAIN[:100])
    uploads, unusable = folder.load()

    assert {name: upload.digest for name, upload in uploads.items()} == {"park": digest_of(PLAIN)}
    assert uploads["park"].course.short_name == "park"
    assert unusable == {}


def test_an_invalid_file_is_left_out_with_its_message(tmp_path: Path) -> None:
    """An invalid file doesn't affect the others."""
    folder = UploadFolder(tmp_path)
    folder.write("park", ".kml", PLAIN)
    folder.write("bad", ".gpx", b"<gpx>")
    uploads, unusable = folder.load()

    assert list(uploads) == ["park"]
    assert list(unusable) == ["bad.gpx"]
    assert unusable["bad.gpx"].startswith("bad.gpx isn't well-formed XML: ")


def test_a_crash_leaves_no_partial_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file gets its name only once all of it is on the disk."""
    seen: list[list[str]] = []
    synced = os.fsync

    def watched(file: int) -> None:
        seen.append(sorted(path.suffix for path in tmp_path.iterdir()))
        synced(file)

    monkeypatch.setattr(os, "fsync", watched)
    UploadFolder(tmp_path).write("park", ".kml", PLAIN)

    assert seen == [[".part"], [".kml"]]


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk is full, nothing of the file remains."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        UploadFolder(tmp_path).write("park", ".kml", PLAIN)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("there", ["park.kml", "park.gpx"])
def test_a_file_is_never_overwritten(tmp_path: Path, there: str) -> None:
    """If a file with the short name exists in any format, nothing is written."""
    (tmp_path / there).write_text("there")
    with pytest.raises(FileExistsError):
        UploadFolder(tmp_path).write("park", ".kml", PLAIN)
    assert (tmp_path / there).read_text() == "there"


def test_a_shipped_course_takes_precedence_over_an_upload(tmp_path: Path, straight: Course) -> None:
    """The name means the shipped course, and the upload is not counted."""
    folder = UploadFolder(tmp_path)
    for name in ("straight", "park"):
        folder.write(name, ".kml", PLAIN)
    catalogue = Catalogue({"straight": straight}, folder.load()[0])

    assert list(catalogue) == ["park", "straight"]
    assert catalogue["straight"] is straight
    assert list(catalogue.uploads) == ["park"]


def test_names_have_owners(straight: Course) -> None:
    """A name is taken if a course or an unusable file has it, ignoring case."""
    catalogue = Catalogue({"straight": straight}, unusable=["Bad.kml"])

    assert catalogue.owner("STRAIGHT") == "a course shipped with Racecast"
    assert catalogue.owner("bad") == "an uploaded file that can't be used"
    assert catalogue.owner("park") is None


def test_a_derived_name_is_free() -> None:
    """Numbers are tried until one is free, and the name never exceeds the maximum length."""
    taken = {"a" * 64, "a" * 62 + "-2"}

    assert short_name_of("A" * 200, lambda name: name not in taken) == "a" * 62 + "-3"
    assert short_name_of("…", lambda name: name != "course") == "course-2"
