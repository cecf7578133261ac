"""A SQLite file with a finished race: its last positions and all passings, without the history."""

import time
from contextlib import closing
from pathlib import Path

from simulator.commands.settings import EPOCH
from simulator.course.library import load_folder
from simulator.engine.engine import BATCH
from simulator.publishers.sqlite import INSERTS
from simulator.publishers.sqlite_file import open_file
from simulator.race.events import (
    Batch,
    CourseRecord,
    Passed,
    entries_of,
    positions_of_all,
    record_of,
)
from simulator.race.race import BEFORE_THE_START, Race
from simulator.race.request import RaceRequest

RUN_ID = "ended"


def fill(path: Path, course_name: str, competitors: int) -> int:
    """Write the race; return the number of its passings."""
    course = load_folder(Path("courses")).courses[course_name]
    request = RaceRequest(
        course=course_name,
        competitors=competitors,
        pace_model="marathon",
        entrants="drawn",
        start_flow=20.0,
        dnf=0.01,
    ).resolved(run_id=RUN_ID, name="Ended", seed=1, start_at=EPOCH)
    race = Race(course, request)
    last = race.last_tick
    found = race.passings(BEFORE_THE_START, race.time_of(last))
    bibs = race.entrants.bib[found.who]
    passed = Passed(RUN_ID, race.start_ms, race.points, bibs, found.point, found.elapsed, found.distance)
    now = int(time.time() * 1000)
    record = record_of(race, "finished", now, request.model_dump_json(), delivered_until=race.time_of(last))
    batches: list[Batch] = [CourseRecord(course), record, *entries_of(race, BATCH), passed]
    with closing(open_file(path)) as file:
        file.execute("BEGIN")
        for batch in [*batches, positions_of_all(race, last)]:
            newest, *_history = INSERTS[type(batch)]
            file.executemany(newest, batch.rows())
        file.execute("COMMIT")
    return len(passed)
