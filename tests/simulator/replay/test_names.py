import time

import numpy as np
import pytest

from simulator.replay.fixes import Recorded
from simulator.replay.names import entries


def listed(*tracks: tuple[str, str]) -> dict[int, str]:
    """Return the names by bib of tracks with a name each and their files' names."""
    nothing = np.zeros(2)
    _, start_list = entries([Recorded(name, file, 1, nothing, nothing, nothing) for name, file in tracks], [])
    return dict(zip(start_list.bib.tolist(), start_list.name, strict=True))


@pytest.mark.parametrize(
    ("name", "bib", "person"),
    [
        ("17 Anna Smith", 17, "Anna Smith"),
        ("17. Anna Smith", 17, "Anna Smith"),
        ("17 - Anna-Lena Smith", 17, "Anna-Lena Smith"),
        ("17: Anna O'Brien", 17, "Anna O'Brien"),
        ("Anna Smith (17)", 17, "Anna Smith"),
        ("Anna Smith [17]", 17, "Anna Smith"),
        ("Anna Smith #17", 17, "Anna Smith"),
        ("Anna Smith 17", 17, "Anna Smith"),
        ("Bib 17", 17, "Runner 17"),
        ("bib17", 17, "Runner 17"),
        ("#17", 17, "Runner 17"),
        ("17", 17, "Runner 17"),
        ("Runner 17", 17, "Runner 17"),
        ("Startnummer 17 Max Müller", 17, "Max Müller"),
        ("Dossard 17", 17, "Runner 17"),
        ("Nr. 17 Łukasz", 17, "Łukasz"),
        ("007 James", 7, "James"),
        ("17 Miles Davis", 17, "Miles Davis"),
        ("2024 Anna Smith", 2024, "Anna Smith"),
        ("2024-05-12 17 Anna Smith", 17, "Anna Smith"),
        ("2\u202eX", 2, "X"),
        ("Anna Smith", 1, "Anna Smith"),
        ("Anna Smith 2024-05-12", 1, "Anna Smith"),
        ("0 Zero", 1, "0 Zero"),
        ("", 1, "Runner 1"),
        ("1234567890", 1, "Runner 1"),
        ("12-MAY-25 08:59:30", 1, "Runner 1"),
        ("2024-05-12 Morning Run", 1, "Morning Run"),
        ("10 km Sunday", 1, "10 km Sunday"),
        ("2024 Berlin Marathon", 1, "2024 Berlin Marathon"),
        ("Track 001", 1, "Track 001"),
        ("17 \u2013 Anna Smith", 17, "Anna Smith"),
        ("[17] Anna Smith", 17, "Anna Smith"),
        ("17_Smith_Anna", 17, "Smith Anna"),
        ("Jean-Paul", 1, "Jean-Paul"),
        ("Bib No. 17 - Anna Smith", 17, "Anna Smith"),
        ("Start-Nr. 17 Anna", 17, "Anna"),
        ("Dossard n° 17 Élodie Dupré", 17, "Élodie Dupré"),
        ("Dorsal nº 17", 17, "Runner 17"),
        ("Numer startowy 17 Łukasz", 17, "Łukasz"),
        ("Номер 17 Иван", 17, "Иван"),
        ("ゼッケン17 田中", 17, "田中"),
        ("17田中太郎", 17, "田中太郎"),
        ("Runner 17 Anna Smith", 17, "Anna Smith"),
        ("Läuferin 17", 17, "Runner 17"),
        ("Anna Smith 10k", 1, "Anna Smith"),
        ("10k - Anna Smith - 17", 17, "Anna Smith"),
        ("Wave 1 - 17 Anna", 17, "Anna"),
        ("Anna Smith - Morning Run", 1, "Anna Smith"),
        ("17 Maria Carrera", 17, "Maria Carrera"),
        ("Anna Smith 1970", 1, "Anna Smith"),
        ("Anna Smith 2017", 2017, "Anna Smith"),
        ("Anna Smith 25m30s", 1, "Anna Smith"),
        ("parkrun #523", 1, "parkrun #523"),
        ("5 Mile Race", 1, "5 Mile Race"),
    ],
)
def test_bibs_and_names_of_tracks(name: str, bib: int, person: str) -> None:
    """Dates, distances, years of events, counters and long numbers are no bibs."""
    assert listed((name, "race.gpx")) == {bib: person}


@pytest.mark.parametrize(
    ("file", "bib", "person"),
    [
        ("17 Anna Smith.gpx", 17, "Anna Smith"),
        ("17_anna-smith.gpx", 17, "Anna Smith"),
        ("17-Anna-Smith.GPX", 17, "Anna Smith"),
        ("2024-05-12_17_anna_smith.gpx", 17, "Anna Smith"),
        ("17 Anna Smith (1).gpx", 17, "Anna Smith"),
        ("17 Anne-Marie Dupont.gpx.gz", 17, "Anne-Marie Dupont"),
        ("races.zip/sunday/17 Anna.tcx", 17, "Anna"),
        ("17.kml", 17, "Runner 17"),
        ("17_run.gpx", 17, "Runner 17"),
        ("anna.smith.gpx", 1, "Anna Smith"),
        ("activity_1234567890.gpx", 1, "Runner 1"),
        ("17AnnaSmith.gpx", 17, "AnnaSmith"),
        ("anna_smith_17.gpx", 17, "Anna Smith"),
        ("Wave1_17_Anna.gpx.txt", 17, "Anna"),
        ("5k_17_Anna.gpx", 17, "Anna"),
        ("Anna_Smith_-_Morning_Run.gpx", 1, "Anna Smith"),
        ("17 Anna Smith - Kopie.gpx", 17, "Anna Smith"),
        ("Copy of 17 Anna Smith.gpx", 17, "Anna Smith"),
        ("17 Anna Smith/activity_1234567890.gpx", 17, "Anna Smith"),
        ("race.zip/17 Anna/Morning_Run.gpx", 17, "Anna"),
        ("20240512_085930.gpx", 1, "Runner 1"),
    ],
)
def test_bibs_and_names_of_files(file: str, bib: int, person: str) -> None:
    """A file's name counts if the track in it has none."""
    assert listed(("", file)) == {bib: person}


@pytest.mark.parametrize(
    "title",
    [
        "Morning Run",
        "Afternoon Run",
        "Running",
        "10k",
        "Track 001",
        "ACTIVE LOG: 12 MAY 2025 08:59",
        "Current Track: 12 MAY 2025 08:59",
        "Lauf am Morgen",
        "Abendlauf",
        "Course à pied le matin",
        "Carrera de mañana",
        "Corsa mattutina",
        "Corrida matinal",
        "Ochtendloop",
        "Morgenløb",
        "Poranny bieg",
        "Утренний забег",
        "朝のランニング",
        "晨间跑步",
        "아침 러닝",
        "Crystal Palace Parkrun",
        "2025-05-04T08:59:30Z",
        "1234567890",
        "5/4/25 9:00 AM",
        "Sun May  4 09:00:00 2025",
        "2025年5月4日",
        "Fenix 6",
        "Correr",
        "Sabah Koşusu",
        "晨跑",
        "10K PB!",
        "Lap 3",
        "Anna's Morning Run",
    ],
)
def test_titles_of_recorders_give_way_to_the_files_name(title: str) -> None:
    """What a recorder calls an activity is no name of a competitor."""
    assert listed((title, "Anna Smith.gpx")) == {1: "Anna Smith"}
    assert listed((title, "17 Anna Smith.gpx")) == {17: "Anna Smith"}


def test_a_bib_and_a_name_complete_each_other() -> None:
    """The file may have the one and the track the other; the track's own name comes first."""
    assert listed(("Anna Smith", "17.gpx"), ("23", "Ben.gpx"), ("Cleo", "31 Someone.gpx")) == {
        17: "Anna Smith",
        23: "Ben",
        31: "Someone",
    }
    assert listed(("7 Runner", "1.gpx"), ("8 Sunday", "2.gpx")) == {2: "Runner 2", 7: "Runner 7"}
    assert listed(("Anna Smith", "race.gpx"), ("5 Dan", "6 Eve.gpx")) == {1: "Anna Smith", 5: "Dan"}


def test_names_that_repeat_give_way_to_the_files_names() -> None:
    """In one file they remain, with the date."""
    assert listed(("Us", "Ann.gpx"), ("Us", "Ben.gpx")) == {1: "Ann", 2: "Ben"}
    assert listed(("Parkrun", "w.gpx"), ("Parkrun", "w.gpx")) == {
        1: "Parkrun 1970-01-01",
        2: "Parkrun 1970-01-01",
    }


def test_a_folder_says_something_about_its_only_track() -> None:
    """The name of a wave's folder is no competitor's name."""
    assert listed(("Run", "17 Ann/1.gpx"), ("Run", "8 Ben/activity.gpx"), ("Run", "Wave 3/activity.gpx")) == {
        1: "Run 1970-01-01",
        8: "Ben",
        17: "Ann",
    }
    assert listed(("", "women/a1.gpx"), ("", "women/b1.gpx")) == {1: "A1", 2: "B1"}


def test_names_of_the_largest_length_take_little_time() -> None:
    """Whatever they consist of, 20 names take less than a second."""
    begin = time.process_time()
    for text in ("1 " * 500, "a" * 1000, "no " * 333, "a-" * 500, "1" * 1000, "( " * 500, "start" * 200):
        listed(*[(text, f"{text[:255]}.gpx")] * 3)
    assert time.process_time() - begin < 1.0


def test_a_bib_that_is_taken_is_reported() -> None:
    """The second gets the lowest free one; those without a bib as well."""
    nothing, warnings = np.zeros(2), list[str]()
    names = ["17 Anna", "Ben", "17 Cleo", "2 Dan"]
    order, found = entries([Recorded(name, "f", 9, nothing, nothing, nothing) for name in names], warnings)

    assert dict(zip(found.bib.tolist(), found.name, strict=True)) == {
        1: "Ben",
        2: "Dan",
        3: "Cleo",
        17: "Anna",
    }
    assert order.tolist() == [1, 3, 2, 0]
    assert warnings == ["f, line 9 (17 Cleo): bib 17 is taken: it gets a free one"]
