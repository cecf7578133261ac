import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import fastavro
import numpy as np
import pytest

from simulator.publishers import binary
from simulator.publishers.binary import FORMATS, encoding_of
from simulator.publishers.encode import encode, events_of
from simulator.publishers.packed import Avro, Layout, Protobuf, pack
from simulator.race.events import Positions, Streamed, entries_of, passings_until, positions_at, record_of
from simulator.race.race import Race
from stream.contract import TABLES, Topic
from stream.formats import FORMATTED, avro_schema, protobuf_message
from stream.registry import Schemas

MakeRace = Callable[..., Race]
AVRO = fastavro.parse_schema(avro_schema(TABLES["parkrun"]))
MESSAGE: Any = protobuf_message(TABLES["parkrun"])


class Registered(Schemas):
    """Schemas that have ids without a registry."""

    def ids(self) -> dict[Topic, int]:
        """Return made-up ids."""
        return {topic: 259 + nth for nth, topic in enumerate(FORMATTED)}


def by_avros_library(event: dict[str, Any]) -> bytes:
    """Encode an event with fastavro."""
    value = io.BytesIO()
    fastavro.schemaless_writer(value, AVRO, event)
    return value.getvalue()


def by_protobufs_library(event: dict[str, Any]) -> bytes:
    """Encode an event with protobuf."""
    value: bytes = MESSAGE(**event).SerializeToString()
    return value


LIBRARIES = [(Avro(), by_avros_library), (Protobuf(), by_protobufs_library)]


def events(batch: Positions) -> list[dict[str, Any]]:
    """Return the events of positions with the true places."""
    if batch.true_lat is None or batch.true_lon is None:
        return list(events_of(batch))
    places = zip(batch.true_lat.tolist(), batch.true_lon.tolist(), strict=True)
    return [
        event | {"trueLat": lat, "trueLon": lon}
        for event, (lat, lon) in zip(events_of(batch), places, strict=True)
    ]


@pytest.mark.parametrize(("layout", "library"), LIBRARIES)
@pytest.mark.parametrize("ground_truth", [False, True])
def test_positions_have_the_bytes_of_the_library(
    make_race: MakeRace,
    layout: Layout,
    library: Callable[[dict[str, Any]], bytes],
    *,
    ground_truth: bool,
) -> None:
    """A packed position has the bytes that the format's library writes, with and without true places."""
    race = make_race(competitors=300, ground_truth=ground_truth, how_many_get_stopped=0.5)
    for tick in (0, 60, 400, race.last_tick):
        for batch in positions_at(race, tick, 5000):
            published = replace(batch, emitted_at=1_767_258_060_000)

            assert pack(published, layout, b"head") == [b"head" + library(one) for one in events(published)]


@pytest.mark.parametrize(("layout", "library"), LIBRARIES)
def test_all_numbers_are_packed_as_the_library_does(
    make_race: MakeRace, layout: Layout, library: Callable[[dict[str, Any]], bytes]
) -> None:
    """Small, large, equal and negative numbers, and long ids, have the library's bytes."""
    (batch,) = positions_at(make_race(competitors=7), 60, 7)
    numbers = np.array([0, 1, 63, 64, 127, 128, 2**31 - 1])
    odd = replace(
        batch,
        run_id="r" * 64,
        bib=numbers,
        raw_time=numbers[::-1],
        timestamp=numbers * 1000 - 5,
        lat=np.array([0.0, -0.0, 1e-7, -90.0, 90.0, 51.4186953, 5e-324]),
    )

    assert pack(odd, layout, b"") == [library(one) for one in events(odd)]


@pytest.mark.parametrize("schema_type", FORMATS)
def test_values_begin_with_the_id_of_their_schema(make_race: MakeRace, schema_type: Any) -> None:
    """A value has a zero byte, the id and, in Protobuf, the message's index; keys are those of JSON."""
    encoding = encoding_of(Registered("http://registry", schema_type))
    encoding.prepare()
    race = make_race(competitors=30)
    (positions,) = positions_at(race, 60, 5000)
    (starts,) = passings_until(race, 0, 5000)
    (entries,) = entries_of(race, 5000)
    index = b"\0" if schema_type == "PROTOBUF" else b""
    batches: tuple[Streamed, ...] = (positions, starts, entries)
    for number, batch in enumerate(batches, start=3):
        (messages,) = encoding.pieces(batch)

        assert messages.keys == encode(batch).keys
        assert {value[: 5 + len(index)] for value in messages.values} == {bytes((0, 0, 0, 1, number)) + index}


@pytest.mark.parametrize("schema_type", FORMATS)
def test_races_are_json(make_race: MakeRace, schema_type: Any) -> None:
    """The records of races, which are the simulators' log, are JSON in every format."""
    encoding = encoding_of(Registered("http://registry", schema_type))
    encoding.prepare()
    record = record_of(make_race(competitors=3), "running", 1, "{}")

    assert list(encoding.pieces(record)) == [encode(record)]


@pytest.mark.parametrize("schema_type", FORMATS)
def test_batches_are_encoded_in_pieces(
    make_race: MakeRace, schema_type: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pieces are of bounded size and have all events in their order."""
    encoding = encoding_of(Registered("http://registry", schema_type))
    encoding.prepare()
    race = make_race(competitors=30)
    batches: list[Streamed] = [*positions_at(race, 60, 5000), *entries_of(race, 5000)]
    whole = [messages for batch in batches for messages in encoding.pieces(batch)]
    monkeypatch.setattr(binary, "POSITIONS", 7)
    monkeypatch.setattr(binary, "EVENTS", 7)
    for batch, expected in zip(batches, whole, strict=True):
        pieces = list(encoding.pieces(batch))

        assert [len(piece.keys) for piece in pieces] == [7, 7, 7, 7, 2]
        assert [key for piece in pieces for key in piece.keys] == expected.keys
        assert [value for piece in pieces for value in piece.values] == expected.values
