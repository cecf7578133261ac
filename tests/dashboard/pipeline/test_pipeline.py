"""The pipeline page, its sampler and its charts, without Kafka, Pinot and a browser."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from html import unescape

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import context
from dashboard.analytics.activity import Activity
from dashboard.api import RaceApi
from dashboard.pipeline import charts
from dashboard.pipeline.freshness import Age, Freshness
from dashboard.pipeline.sampler import EVERY_S, KEPT_S, MOST_KEPT, Sampler
from dashboard.race.snapshots import Snapshots
from dashboard.settings import Settings
from pinot.health.report import report
from pinot.health.sample import Failure, Races, Sample
from tests.dashboard.at_once import AtOnce
from tests.dashboard.fakes import FakeStore
from tests.dashboard.plain_stream import PlainStream
from tests.dashboard.test_pages import UNREACHABLE
from tests.dashboard.test_pages import text as raw_text
from tests.pinot.samples import NOW, embedded_sample, group, member, race, sample


class Pipeline:
    """What the sampler looks at, and a clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = NOW
        self.looks = 0
        self.found: Callable[[], Sample] = lambda: sample(ago=NOW - self.now)
        self.freshness = Freshness(lambda: self.found().races, clock=lambda: self.now)

    def take(self) -> Sample:
        """Count a look."""
        self.looks += 1
        return self.found()

    def sampler(self) -> Sampler:
        """A sampler without threads."""
        return Sampler(self.take, AtOnce(), lambda: self.now)


@pytest.fixture
def pipeline() -> Iterator[Pipeline]:
    """The pipeline that the page shows."""
    known = Pipeline()
    context.install(
        Settings(),
        Snapshots(FakeStore()),
        RaceApi(UNREACHABLE),
        Activity(PlainStream(), 10),
        known.sampler(),
        known.freshness,
    )
    yield known
    context.uninstall()


def text(shown: AppTest) -> str:
    """All that the page says, without references."""
    return unescape(raw_text(shown))


def page() -> AppTest:
    """The page after it has run."""

    def script() -> None:
        from dashboard.pipeline import page as pipeline_page  # noqa: PLC0415

        pipeline_page.show()

    return AppTest.from_function(script, default_timeout=30).run()


def test_many_viewers_are_one_look() -> None:
    """However many viewers there are, the pipeline is sampled once in two seconds."""
    pipeline = Pipeline()
    sampler = pipeline.sampler()
    for _ in range(20):
        assert len(sampler.look()) == 1
    pipeline.now += EVERY_S - 0.01
    sampler.look()
    assert pipeline.looks == 1
    pipeline.now += 0.01
    assert len(sampler.look()) == 2
    assert pipeline.looks == 2


def test_no_viewers() -> None:
    """Without viewers, nothing is queried."""
    pipeline = Pipeline()
    sampler = pipeline.sampler()
    sampler.look()
    pipeline.now += 3600
    assert pipeline.looks == 1
    assert len(sampler.look()) == 1  # those of an hour ago are not shown
    assert pipeline.looks == 2


def test_memory_is_bounded() -> None:
    """Reports are kept for a quarter of an hour, and no longer, regardless of viewers."""
    pipeline = Pipeline()
    sampler = pipeline.sampler()
    for _ in range(2 * MOST_KEPT):
        sampler.look()
        pipeline.now += EVERY_S
    reports = sampler.look()
    assert len(reports) == MOST_KEPT
    assert reports[-1].taken - reports[0].taken == pytest.approx(KEPT_S, abs=2 * EVERY_S)


def test_clock_set_back() -> None:
    """A clock that is set back doesn't stop the sampling."""
    pipeline = Pipeline()
    sampler = pipeline.sampler()
    sampler.look()
    pipeline.now -= 3600
    sampler.look()
    assert pipeline.looks == 2


def test_hanging_part_delays_no_viewer() -> None:
    """While a sample is being taken, the last report is returned at once, and no other sample is begun."""
    pipeline, hangs = Pipeline(), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        sampler = Sampler(pipeline.take, pool, lambda: pipeline.now)
        assert len(sampler.look(patience_s=30)) == 1
        well = pipeline.found

        def hang() -> Sample:
            assert hangs.wait(30)
            return well()

        pipeline.found = hang
        for _ in range(5):
            pipeline.now += 10
            assert len(sampler.look(patience_s=30)) == 1
        hangs.set()
    assert pipeline.looks == 2
    assert len(sampler._reports) == 2


def test_unexpected_error_is_not_hidden() -> None:
    """An unexpected error of a probe is raised to the viewer; the next sample is taken all the same."""
    pipeline = Pipeline()
    sampler = pipeline.sampler()

    def fail() -> Sample:
        raise ZeroDivisionError

    pipeline.found = fail
    sampler.look()
    pipeline.found = sample
    pipeline.now += EVERY_S
    with pytest.raises(ZeroDivisionError):
        sampler.look()
    assert len(sampler.look()) == 1


def test_page_of_a_pipeline_that_is_well(pipeline: Pipeline) -> None:
    """Each part has a card with its light, word, sentence and figures; topics, tables, simulators follow."""
    said = text(page())
    assert pipeline.looks == 1
    for part in ("Simulator", "Kafka", "Pinot", "End to end"):
        assert f'data-part="{part}" data-light="green"' in said
    assert said.count("<em>Fine</em>") == 4
    assert "Kafka is up and has all 6 topics" in said
    assert '<dd data-figure="age_seconds">0.5 s</dd>' in said
    assert '<tr data-row="parkrun"><th scope="row">parkrun</th><td>2</td><td>200</td>' in said
    assert '<tr data-row="courses">' in said
    assert '<tr data-row="one"><th scope="row">one</th><td>10.0.0.7</td><td>6</td>' in said


def test_charts_come_with_the_second_look(pipeline: Pipeline) -> None:
    """There is no empty chart: until there is a line to draw, the page says that there is no data yet."""
    first = page()
    assert text(first).count("No data yet.") == 2
    assert not first.get("vega_lite_chart")
    for _ in range(2):
        pipeline.now += charts.AGE_STEP_S
        pipeline.freshness.sample()
    page()
    pipeline.now += 2
    second = page()
    assert "No data yet." not in text(second)
    assert len(second.get("vega_lite_chart")) == 2


def test_page_without_kafka_and_pinot(pipeline: Pipeline) -> None:
    """On the embedded store there are its own card and no topics, tables and group of simulators."""
    pipeline.found = embedded_sample
    said = text(page())
    assert 'data-part="Embedded store" data-light="green"' in said
    shown = ("topics", "tables", "simulators")
    for word in ("Kafka", *(f'data-table="{table}"' for table in shown), "Messages", "Pinot"):
        assert word not in said


def test_freshness(pipeline: Pipeline) -> None:
    """The page says how old the newest position was in the last minutes, and for how long it has sampled."""

    def found() -> Sample:
        ago = NOW - pipeline.now
        return sample(races=Races((race(age=ago + 0.5, noted=ago),), pipeline.now), ago=ago)

    pipeline.found = found
    for _ in range(80):
        pipeline.now += 1
        pipeline.freshness.sample()
    said = text(page())
    assert "sampling for the last 80 s" in said
    assert '<th scope="row">1 min</th><td>0.5 s</td><td>0.5 s</td><td>0.5 s</td><td>60 s</td>' in said
    assert '<th scope="row">60 min</th><td>0.5 s</td><td>0.5 s</td><td>0.5 s</td><td>80 s</td>' in said


def test_lights_have_words(pipeline: Pipeline) -> None:
    """Every light has a word of its own."""
    away = Failure("It is unavailable. Start it.")
    pipeline.found = lambda: sample(race(age=8.0), simulator=away, kafka=away)
    said = text(page())
    assert said.count("<em>Trouble</em>") == 2
    assert said.count("<em>Attention</em>") == 1
    assert said.count("<em>Fine</em>") == 1
    pipeline.found = lambda: sample(races=Races((), NOW), simulator=Failure("x. y."))
    pipeline.now += 2
    assert "<em>Idle</em>" in text(page())


def test_hostile_words_are_only_words(pipeline: Pipeline) -> None:
    """What a part says is text, whatever it is."""
    hostile = "<img src=x onerror=alert(1)>"
    pipeline.found = lambda: sample(
        kafka=Failure(f"{hostile}. Start it."), group=group(members=(member(hostile, *range(12)),))
    )
    said = raw_text(page())
    assert "<img" not in said
    assert unescape(said).count(hostile) == 4  # in two sentences and twice in a row


def test_old_report_says_so(pipeline: Pipeline) -> None:
    """A report that isn't new any more is shown with its age."""
    pipeline.found = sample
    page()
    pipeline.now += 30
    said = text(page())
    assert "<span>30 s ago</span>" in said
    assert "These figures are 30 s old" in said


def test_rows_of_the_charts() -> None:
    """A chart has each sample's value, reaches a quarter of an hour back, and has gaps without samples."""
    looks = [sample(ago=age, offset=round(1000 - 10 * age)) for age in (100.0, 98.0, 4.0, 2.0, 0.0)]
    table = charts.rates([report(looks[: place + 1]) for place in range(len(looks))])
    assert table is not None
    parkrun = table[table["line"] == "parkrun"]
    ages = [round(NOW - moment.timestamp()) for moment in parkrun["time"]]
    rates = [None if np.isnan(rate) else round(rate) for rate in parkrun["value"]]
    assert list(zip(ages, rates, strict=True)) == [
        (KEPT_S, None),  # the axis begins here
        (100, None),
        (100, None),  # nothing to compare with
        (98, 20),
        (4, None),  # the gap
        (4, None),
        (2, 20),
        (0, 20),
    ]


def test_chart_stays_the_same() -> None:
    """A chart's specification doesn't change with its data: Streamlit would rebuild it."""
    assert charts.chart(charts.RATES, "%H:%M") is charts.chart(charts.RATES, "%H:%M")
    assert "data" not in charts.chart(charts.AGE, "%H:%M")


def test_freshness_without_a_race() -> None:
    """Without races there is no line, and no chart if there never was one."""
    assert charts.ages([]) is None
    assert charts.ages([Age(NOW - 1, None), Age(NOW, None)]) is None
    table = charts.ages([Age(NOW - 10, 0.0), Age(NOW - 4, 0.5), Age(NOW - 3, 0.7), Age(NOW, None)])
    assert table is not None
    values = table.dropna()
    assert list(zip(values["line"], values["value"], strict=True)) == [
        ("median", 0.0),
        ("maximum", 0.0),
        ("median", 0.6),
        ("maximum", 0.7),
    ]
    assert np.isnan(table["value"].tolist()[-1])
