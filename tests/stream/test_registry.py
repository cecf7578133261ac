"""How the schema registry is reached, and what it accepts, with a real one."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from simulator.commands.settings import ServeSettings
from stream import registry as registry_module
from stream.contract import TABLES
from stream.formats import FORMATTED, SchemaType
from stream.problems import flag_sentences
from stream.registry import FormatAccess, RegistryError, Schemas, subject_of
from tests.stream.new_field import with_heart_rate

TYPES: tuple[SchemaType, ...] = ("AVRO", "PROTOBUF")


def sentences(**settings: Any) -> str:
    """Return the error messages for invalid settings."""
    with pytest.raises(ValidationError) as refused:
        FormatAccess(**settings)
    return flag_sentences(refused.value)


def test_json_needs_no_registry() -> None:
    """Without settings the events are JSON, which has no schemas in a registry."""
    assert FormatAccess().schemas() is None


@pytest.mark.parametrize(("name", "schema_type"), [("avro", "AVRO"), ("protobuf", "PROTOBUF")])
def test_a_format_names_its_schemas(name: Any, schema_type: str) -> None:
    """A format and a registry give the registry's schemas of that format; a final slash does not matter."""
    schemas = FormatAccess(format=name, schema_registry="http://registry:8081/").schemas()

    assert schemas is not None
    assert (schemas.url, schemas.schema_type) == ("http://registry:8081", schema_type)


def test_what_does_not_go_together_is_rejected() -> None:
    """A format needs a registry, a registry a format, and both are checked."""
    assert sentences(format="avro") == "--format avro needs --schema-registry"
    assert sentences(schema_registry="http://registry") == (
        "--schema-registry needs --format avro or protobuf, not json"
    )
    assert sentences(format="avro", schema_registry="registry:8081") == (
        "--schema-registry registry:8081 is not a URL such as http://127.0.0.1:8081"
    )
    assert sentences(format="xml") == "--format must be 'json', 'avro' or 'protobuf'"


def test_the_embedded_store_has_no_formats() -> None:
    """A format needs the publisher to Kafka; the embedded store has columns."""
    access = {"format": "avro", "schema_registry": "http://registry"}
    with pytest.raises(ValidationError) as refused:
        ServeSettings.model_validate(access)

    assert flag_sentences(refused.value) == "--format avro needs --publisher kafka"
    assert ServeSettings.model_validate(access | {"publisher": "kafka"}).schemas() is not None


def test_an_unavailable_registry_is_reported() -> None:
    """A registry that does not respond is named, with what to do."""
    schemas = Schemas("http://127.0.0.1:9", "AVRO")

    assert "http://127.0.0.1:9 does not respond" in str(schemas.trouble())
    with pytest.raises(RegistryError, match=r"start it, or correct --schema-registry"):
        schemas.ids()


@pytest.fixture(params=TYPES)
def schemas(request: pytest.FixtureRequest, registry: str) -> Schemas:
    """Return the schemas of each format in turn, of which the registry has none."""
    schemas = Schemas(registry, request.param)
    for topic in FORMATTED:
        schemas.delete(topic)
    return schemas


def test_registered_schemas_have_ids(schemas: Schemas) -> None:
    """Once the schemas are registered, a publisher finds their ids; registering them again changes none."""
    with pytest.raises(RegistryError, match="schema of parkrun-value: python -m pinot setup"):
        schemas.ids()
    ids = {topic: schemas.register(topic) for topic in FORMATTED}

    assert schemas.trouble() is None
    assert schemas.ids() == ids
    assert {topic: schemas.register(topic) for topic in FORMATTED} == ids
    assert len(set(ids.values())) == len(FORMATTED)


def test_subjects_follow_the_topics_and_are_fully_compatible(schemas: Schemas) -> None:
    """Each topic has a subject named after it, in which old and new readers read all events."""
    for topic in FORMATTED:
        schemas.register(topic)
    subjects = httpx.get(f"{schemas.url}/subjects", trust_env=False).json()
    levels = {
        httpx.get(f"{schemas.url}/config/{subject_of(topic)}", trust_env=False).json()["compatibilityLevel"]
        for topic in FORMATTED
    }

    assert {"parkrun-value", "passings-value", "competitors-value"} <= set(subjects)
    assert levels == {"FULL"}


def test_a_new_field_is_compatible(schemas: Schemas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry accepts a later version of the contract as the next version of the subject."""
    before = schemas.register("passings")
    later = with_heart_rate(tmp_path, "passings")
    monkeypatch.setattr(registry_module, "table_of", later.__getitem__)
    after = schemas.register("passings")
    versions = httpx.get(f"{schemas.url}/subjects/passings-value/versions", trust_env=False).json()

    assert after != before
    assert versions == [1, 2]


def test_a_schema_that_is_not_compatible_is_rejected(
    schemas: Schemas, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version of the contract in which a field has another type is rejected in the registry's words."""
    schemas.register("passings")
    passings = TABLES["passings"]
    fields = {
        name: replace(field, type="string") if name == "lap" else field
        for name, field in passings.fields.items()
    }
    monkeypatch.setattr(registry_module, "table_of", lambda _: replace(passings, fields=fields))
    with pytest.raises(RegistryError, match=r"returned 409 for .*/subjects/passings-value/versions"):
        schemas.register("passings")


def test_another_format_is_rejected_until_the_subject_is_deleted(registry: str) -> None:
    """A subject keeps its format: the error says so, and deleting the subject makes room for another one."""
    avro, protobuf = Schemas(registry, "AVRO"), Schemas(registry, "PROTOBUF")
    protobuf.delete("passings")
    avro.register("passings")
    with pytest.raises(
        RegistryError, match=r"passings-value .* is AVRO, not PROTOBUF: python -m pinot reset"
    ):
        protobuf.register("passings")
    assert protobuf.delete("passings")
    protobuf.register("passings")
    assert protobuf.delete("passings")
    assert not protobuf.delete("passings")
