"""How crowded a race is, as files."""

import csv
import io
from collections.abc import Callable

import numpy as np
import orjson
import pytest

from simulator.export import crowding, crowding_files
from simulator.export.crowding import AS_ASKED, DENSE_SOURCE, CrowdingQuery
from simulator.http.answers import CrowdingAnswer
from simulator.race.race import Race

MakeRace = Callable[..., Race]
FIELDS = {"competitors": 120, "width": 1.0, "dnf": 0.1, "dns": 0.1, "wave_size": 50, "wave_delay": 30.0}


@pytest.fixture
def race(make_race: MakeRace) -> Race:
    """Return a crowded race."""
    return make_race(crowding="flow", **FIELDS)


def as_json(race: Race, query: CrowdingQuery | None = None) -> CrowdingAnswer:
    """Return the JSON, which has to be what its model says."""
    return CrowdingAnswer.model_validate_json(b"".join(crowding_files.as_json(crowding.of(race, query))))


def test_json_has_sections_minutes_and_competitors(race: Race) -> None:
    """The JSON has what the race loses, by section and minute and by competitor."""
    found = as_json(race)
    assert race.field.lost is not None

    assert found.competitors.bib == list(range(1, 121))
    assert found.competitors.lost_at_start == pytest.approx(race.field.lost.at_start, abs=0.001)
    assert found.competitors.lost_on_course == pytest.approx(race.field.lost.on_course, abs=0.001)
    assert sum(found.minutes.lost) == pytest.approx(sum(found.competitors.lost_on_course), abs=0.5)
    assert sum(map(sum, found.start.waves)) == 108
    assert [section.width for section in found.sections] == [1.0] * len(found.sections)
    assert found.lost.max >= found.lost.mean > 0


def test_csv_has_a_row_for_each_section_and_minute(race: Race) -> None:
    """The CSV has the same numbers as the JSON."""
    text = b"".join(crowding_files.as_csv(crowding.of(race))).decode("utf-8-sig")
    rows, found = list(csv.DictReader(io.StringIO(text))), as_json(race)

    assert tuple(rows[0]) == crowding_files.COLUMNS
    assert [int(row["minute"]) for row in rows] == found.minutes.minute
    assert [float(row["density"]) for row in rows] == found.minutes.density
    assert [float(row["first"]) for row in rows] == [
        found.sections[nth].first for nth in found.minutes.section
    ]


def test_an_unlimited_section_has_no_width(make_race: MakeRace) -> None:
    """Where the width is unknown, it is null in JSON and empty in CSV."""
    race = make_race(crowding="flow", competitors=5)
    text = b"".join(crowding_files.as_csv(crowding.of(race))).decode("utf-8-sig")

    assert {section.width for section in as_json(race).sections} == {None}
    assert {row["width"] for row in csv.DictReader(io.StringIO(text))} == {""}


def test_a_race_without_crowding_shows_how_full_it_is(make_race: MakeRace) -> None:
    """Without crowding nobody loses time, and the density is that of free runners."""
    found = as_json(make_race(**FIELDS))

    assert found.crowding == "none"
    assert found.lost.max == 0
    assert max(found.minutes.density) > max(as_json(make_race(crowding="flow", **FIELDS)).minutes.density)
    assert set(found.minutes.speed_ratio) == {1.0}


def test_a_warning_has_the_source_of_its_level(race: Race) -> None:
    """The default level has its source; another one is that of the request."""
    low = as_json(race, CrowdingQuery(max_density=0.3, max_flow=1000)).warnings
    default = as_json(race, CrowdingQuery(max_flow=1000)).warnings

    assert {warning.source for warning in low} == {AS_ASKED}
    assert all(warning.source == DENSE_SOURCE for warning in default)
    assert all(warning.peak > warning.level == 0.3 for warning in low)


def test_the_json_is_one_object(race: Race) -> None:
    """The pieces are one JSON text, without numbers that JSON lacks."""
    text = b"".join(crowding_files.as_json(crowding.of(race)))

    assert isinstance(orjson.loads(text), dict)
    assert not np.char.count(text, b"NaN").any()
