import gzip
import io
import zipfile
from pathlib import Path

import pytest

from simulator.replay import files
from simulator.replay.recording import RecordingError
from tests.simulator.replay.gpx_files import gpx

RUN = gpx(("", [(0.1, 50.0, 0.0), (0.1, 50.001, 60.0)]))
FIT = b"\x0e\x10\x00\x00\x00\x00\x00\x00.FIT"


def zipped(**members: bytes) -> bytes:
    """Return a zip archive; an underscore in a name is a dot."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)
    return packed.getvalue()


def tracks_in(folder: Path, **content: bytes) -> tuple[list[str], list[str]]:
    """Return the sources of the tracks in a folder with files, and the warnings."""
    for name, data in content.items():
        (folder / name.replace("_", ".")).write_bytes(data)
    warnings: list[str] = []
    found = files.tracks_in(files.found([folder], warnings), warnings)
    return [track.source for track in found], warnings


def test_a_folder_loses_only_the_unusable_files(tmp_path: Path) -> None:
    """Each is named with its reason; folders in it and other files are named together."""
    (tmp_path / "sub").mkdir()
    sources, warnings = tracks_in(
        tmp_path,
        a_gpx=RUN,
        b_gpx_gz=gzip.compress(RUN),
        c_fit_gz=gzip.compress(FIT),
        d_gpx=RUN[:-20],
        e_gpx_gz=gzip.compress(RUN)[:-9],
        f_zip=zipped(),
        g_csv=b"a,b",
        h_json=b"{}",
        i_gpx=b"",
    )

    assert sources == ["a.gpx", "b.gpx"]
    assert warnings[0] == "left out, not recordings: g.csv, h.json, sub/"
    assert [warning.split(":")[1][:28] for warning in warnings[1:]] == [
        " c.fit is FIT, which isn't re",
        " d.gpx isn't well-formed XML",
        " e.gpx.gz is an incomplete g",
        " f.zip has no recording in i",
        " i.gpx isn't a recording",
    ] or len(warnings) == 6


def test_folders_of_waves_and_competitors_are_searched(tmp_path: Path) -> None:
    """They are if the folder has no recordings itself; a source is the path from the folder on."""
    for name in ("wave 1/17 Ann/run.gpx", "wave 1/8 Ben/run.gpx.txt", "wave 2/c.xml", "a/b/c/d/too-deep.gpx"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(RUN)
    (tmp_path / "wave 2" / "photo.jpg").touch()
    sources, warnings = tracks_in(tmp_path, results_csv=b"")

    assert sources == ["wave 1/17 Ann/run.gpx", "wave 1/8 Ben/run.gpx.txt", "wave 2/c.xml"]
    assert warnings == ["left out, not recordings: a/, results.csv, wave 2/photo.jpg"]


def test_archives_are_like_folders(tmp_path: Path) -> None:
    """All tracks in a zip archive are read, those in a KMZ from its main document."""
    kml = (
        b'<kml xmlns:gx="g"><Placemark><gx:Track><when>2025-05-04T09:00:00Z</when>'
        b"<when>2025-05-04T09:01:00Z</when><gx:coord>0.1 50 0</gx:coord><gx:coord>0.1 50.001 0</gx:coord>"
        b"</gx:Track></Placemark></kml>"
    )
    sources, warnings = tracks_in(
        tmp_path,
        a_zip=zipped(x_gpx=RUN, y_gpx_gz=gzip.compress(RUN), z_fit=FIT),
        b_kmz=zipped(doc_kml=kml, other_kml=b"<kml/>"),
    )

    assert sources == ["a.zip/x.gpx", "a.zip/y.gpx", "b.kmz"]
    assert [warning[:44] for warning in warnings] == ["left out: a.zip/z.fit is FIT, which isn't re"]


def test_event_files_count_if_there_are_no_tracks(tmp_path: Path) -> None:
    """A folder has either; of several files each keeps its place."""
    (tmp_path / "b.ndjson").touch()
    (tmp_path / "a.jsonl").touch()
    assert [file.name for file in files.found([tmp_path], [])] == ["a.jsonl", "b.ndjson"]


def test_what_cannot_be_used_at_all_is_refused(tmp_path: Path) -> None:
    """The message names the files and the reasons."""
    with pytest.raises(RecordingError, match="no such file or folder: nowhere"):
        files.found([Path("nowhere")], [])
    (tmp_path / "activities").mkdir()
    with pytest.raises(RecordingError, match=r"no \.fit, .* file in .*: activities/$"):
        files.found([tmp_path], [])
    with pytest.raises(RecordingError, match=r"a.fit is FIT.*; b.gpx, line 2: its points have no times"):
        tracks_in(tmp_path, a_fit=FIT, b_gpx=gpx(("", [(0.1, 50.0, None)])))


@pytest.mark.parametrize("excess", [0, 1])
def test_the_size_of_files_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, excess: int) -> None:
    """A file of the limit is read; a larger one, or one that is larger unpacked, is refused."""
    monkeypatch.setattr(files, "MAX_FILE", len(RUN) - excess)
    if not excess:
        assert tracks_in(tmp_path, a_gpx=RUN, b_gpx_gz=gzip.compress(RUN)) == (["a.gpx", "b.gpx"], [])
        return
    with pytest.raises(RecordingError, match=r"a.gpx is larger than 0 MiB; b.gpx.gz is bigger than 0 MiB"):
        tracks_in(tmp_path, a_gpx=RUN, b_gpx_gz=gzip.compress(RUN))
