"""A changed table configuration, on a real Kafka and a real Pinot."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pinot.admin.configs import read_table
from pinot.local.stack import Stack
from tests.pinot.conftest import Row
from tests.pinot.tables import Copy

LZ4, ZSTANDARD = 3, 2
"""Pinot's numbers of the codecs, in a column's header."""


@pytest.fixture
def table(stack: Stack) -> Iterator[Copy]:
    """A copy of the table of positions, in which Pinot chooses the compression of columns."""
    table = Copy(stack, "parkrun", fieldConfigList=[])
    yield table
    table.drop()


def codec(segment: Path, column: str) -> int:
    """Return the codec of a column without a dictionary, from the header of its values."""
    places = dict(line.split(" = ") for line in (segment / "v3" / "index_map").read_text().splitlines())
    start = int(places[f"{column}.forward_index.startOffset"])
    header = (segment / "v3" / "columns.psf").read_bytes()[start + 8 :]  # after a marker
    return int.from_bytes(header[20:24])


def test_next_segments_have_the_changed_configuration(
    table: Copy, stack: Stack, position: Callable[..., Row]
) -> None:
    """The set-up changes a table's compression and rows per segment while it keeps all its rows.

    Segments written before keep their compression.
    """
    old = [position(bib, second) for second in range(3) for bib in range(20)]
    new = [position(bib, second) for second in range(3, 5) for bib in range(20)]
    table.send(table.name, old)
    table.wait_for_rows(len(old))
    table.config["fieldConfigList"] = read_table("parkrun", kafka="", replication=1)["fieldConfigList"]
    (stream,) = table.config["ingestionConfig"]["streamIngestionConfig"]["streamConfigMaps"]
    stream["realtime.segment.flush.threshold.rows"] = "4000"
    table.set_up()

    cluster = table.counter.cluster
    table.wait_for_rows(len(old))
    limits = {
        cluster.segment(table.name, name)["segment.flush.threshold.size"]
        for name in cluster.consumers(table.name)
    }
    assert limits == {"2000"}
    table.send(table.name, new)
    table.wait_for_rows(len(old) + len(new))
    table.renew()
    table.wait_for_rows(len(old) + len(new))
    table.wait_until(f"select count(*), sum(rawTime) from {table.name}", [[20, 80]])
    folder = stack.folder / "server" / f"{table.name}_REALTIME"
    codecs = {
        sequence: {codec(segment, "location") for segment in folder.glob(f"{table.name}__*__{sequence}__*")}
        for sequence in (0, 1)
    }
    assert codecs == {0: {LZ4}, 1: {ZSTANDARD}}
