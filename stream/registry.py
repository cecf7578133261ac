"""The schema registry: the settings to reach it, and a client of its HTTP API (Confluent's, version 1).

The set-up registers the schemas; publishers only look up their ids. Subjects are named after topics
(`TopicNameStrategy`), and their compatibility is `FULL`: old readers read new events, and new readers old
ones. No field is ever removed, and a new one is optional, so each schema fits all earlier ones.
"""

from http import HTTPStatus
from typing import Any, Self

import httpx
from pydantic import BaseModel, Field, model_validator

from stream.contract import Topic, table_of
from stream.formats import FORMATTED, SCHEMA_TEXTS, Format, SchemaType
from stream.settings import Url, contradiction

COMPATIBILITY = "FULL"
REQUEST_SECONDS = 5.0
CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"


class RegistryError(RuntimeError):
    """The registry is unavailable, rejects a schema or lacks one; the text says what to do."""


class FormatAccess(BaseModel):
    """Mixin: the format of the events in Kafka, for every process that writes or sets up topics."""

    format: Format = Field(
        default="json",
        description="Format of the events in Kafka. avro and protobuf are in the Confluent wire format.",
    )
    schema_registry: Url = Field(
        default="",
        description="URL of the schema registry, which has Confluent's API; for --format avro and protobuf.",
    )

    @model_validator(mode="after")
    def _format_agrees(self) -> Self:
        if self.format != "json" and not self.schema_registry:
            raise contradiction("--format {format} needs --schema-registry", format=self.format)
        if self.format == "json" and self.schema_registry:
            raise contradiction("--schema-registry needs --format avro or protobuf, not json")
        if self.schema_registry and not self.schema_registry.startswith(("http://", "https://")):
            raise contradiction(
                "--schema-registry {url} is not a URL such as http://127.0.0.1:8081", url=self.schema_registry
            )
        return self

    def schemas(self) -> "Schemas | None":
        """Return the format's schemas; None for JSON, which has none."""
        if self.format == "json":
            return None
        return Schemas(self.schema_registry, "AVRO" if self.format == "avro" else "PROTOBUF")


def subject_of(topic: str) -> str:
    """Return the subject of the values of a topic."""
    return f"{topic}-value"


class Schemas:
    """The schemas of one format in the registry at `url`.

    Every method but `trouble` raises RegistryError if the registry is unavailable or rejects the request.
    """

    def __init__(self, url: str, schema_type: SchemaType) -> None:
        self.url = url
        self.schema_type = schema_type

    def trouble(self) -> str | None:
        """Return why the registry does not respond, or None if it does."""
        try:
            self._answer("GET", "/subjects")
        except RegistryError as error:
            return str(error)
        return None

    def register(self, topic: Topic) -> int:
        """Register the schema of a topic's events, and return its id. Safe to repeat."""
        subject = subject_of(topic)
        self._check_format(subject)
        self._answer("PUT", f"/config/{subject}", {"compatibility": COMPATIBILITY})
        answer = self._answer("POST", f"/subjects/{subject}/versions", self._schema(topic))
        return int(answer.json()["id"])

    def ids(self) -> dict[Topic, int]:
        """Return the ids of the registered schemas of all topics that have the format."""
        return {topic: self._id_of(topic) for topic in FORMATTED}

    def delete(self, topic: Topic) -> bool:
        """Delete a topic's subject, so that its events can have another format; return whether it existed."""
        path = f"/subjects/{subject_of(topic)}"
        was_there = self._ask("GET", f"{path}/versions").status_code != HTTPStatus.NOT_FOUND
        if was_there:
            # A registry forgets the format only with the second request, and takes it only after the first.
            self._answer("DELETE", path)
            self._answer("DELETE", f"{path}?permanent=true")
        return was_there

    def _check_format(self, subject: str) -> None:
        """Raise RegistryError if a subject has schemas of another format: registries do not mix them."""
        newest = self._ask("GET", f"/subjects/{subject}/versions/latest")
        if newest.status_code == HTTPStatus.NOT_FOUND:
            return
        found = self._checked(newest).json().get("schemaType", "AVRO")
        if found != self.schema_type:
            raise RegistryError(
                f"{subject} in the schema registry at {self.url} is {found}, not {self.schema_type}: "
                "python -m pinot reset, which deletes all events, changes the format"
            )

    def _id_of(self, topic: Topic) -> int:
        subject = subject_of(topic)
        answer = self._ask("POST", f"/subjects/{subject}", self._schema(topic))
        if answer.status_code == HTTPStatus.NOT_FOUND:
            raise RegistryError(
                f"the schema registry at {self.url} lacks this version's {self.schema_type} schema of "
                f"{subject}: python -m pinot setup with the same --format and --schema-registry registers it"
            )
        return int(self._checked(answer).json()["id"])

    def _schema(self, topic: Topic) -> dict[str, str]:
        text = SCHEMA_TEXTS[self.schema_type](table_of(topic))
        # The API's default is AVRO, and older registries know nothing else.
        return {"schema": text} | ({} if self.schema_type == "AVRO" else {"schemaType": self.schema_type})

    def _answer(self, method: str, path: str, content: object = None) -> httpx.Response:
        return self._checked(self._ask(method, path, content))

    def _ask(self, method: str, path: str, content: object = None) -> httpx.Response:
        rest: dict[str, Any] = {} if content is None else {"json": content}
        headers = {"Content-Type": CONTENT_TYPE}
        try:
            return httpx.request(
                method, self.url + path, headers=headers, timeout=REQUEST_SECONDS, trust_env=False, **rest
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise RegistryError(
                f"the schema registry at {self.url} does not respond ({error}): start it, or correct "
                "--schema-registry"
            ) from error

    def _checked(self, answer: httpx.Response) -> httpx.Response:
        if answer.is_success:
            return answer
        path, why = answer.request.url.path, answer.text.strip()
        raise RegistryError(
            f"the schema registry at {self.url} returned {answer.status_code} for {path}: {why}"
        )
