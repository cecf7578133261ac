"""How Pinot's consumers are let in by Kafka: what is put into a table's config, and what of it is told."""

from __future__ import annotations

import json
import re
from string import Template
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pinot.admin.cluster import Cluster
from pinot.admin.configs import HERE, read_table
from pinot.admin.consumer import consumer_properties, hidden, jaas_config
from pinot.admin.setup import put_table
from pinot.settings import Settings
from stream.contract import TABLES
from stream.kafka import KafkaAccess
from stream.pinot import PinotError
from stream.problems import flag_sentences
from tests.certificates import make_certificates

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECURED: dict[str, Any] = {
    "kafka_security_protocol": "SASL_SSL",
    "kafka_sasl_mechanism": "SCRAM-SHA-256",
    "kafka_username": "anna",
    "kafka_password": "annas-password",
}
JAAS = 'org.apache.kafka.common.security.scram.ScramLoginModule required username="{}" password="{}";'


@pytest.mark.parametrize("table", TABLES)
def test_with_an_open_kafka_a_config_is_the_file(table: str) -> None:
    """Nothing is added to a table's file while Kafka lets everybody in."""
    settings = Settings(kafka="kafka:1")
    consumer = consumer_properties(settings, *settings.pinots_user())
    text = (HERE / "tables" / f"{table}.json").read_text()
    file = json.loads(Template(text).substitute(kafka="kafka:1", replication=1))

    assert read_table(table, kafka="kafka:1", replication=1, consumer=consumer) == file


@pytest.mark.parametrize("table", TABLES)
def test_with_a_secured_kafka_a_stream_is_let_in(table: str) -> None:
    """The properties of Java's client are added to a table's stream under their own names, and no others."""
    consumer = consumer_properties(KafkaAccess(**SECURED), "pinot", "pinots")
    open_config = read_table(table, kafka="kafka:1", replication=1)
    config = read_table(table, kafka="kafka:1", replication=1, consumer=consumer)
    for stream in open_config["ingestionConfig"].get("streamIngestionConfig", {}).get("streamConfigMaps", ()):
        stream.update(
            {
                "security.protocol": "SASL_SSL",
                "sasl.mechanism": "SCRAM-SHA-256",
                "sasl.jaas.config": JAAS.format("pinot", "pinots"),
            }
        )

    assert config == open_config


def test_certificates_stand_in_the_config_without_what_is_beside_them(tmp_path: Path) -> None:
    """Of a PEM file only the certificates are handed on, so Pinot's machines need no file of theirs."""
    ca = tmp_path / "ca.pem"
    make_certificates(ca, tmp_path / "server.p12")
    certificate = ca.read_text().strip()
    key = ec.generate_private_key(ec.SECP256R1())
    beside = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    ca.write_text(f"of the office\n{certificate}\n{beside}")

    assert consumer_properties(KafkaAccess(kafka_security_protocol="SSL", kafka_ca=ca), "", "") == {
        "security.protocol": "SSL",
        "ssl.truststore.type": "PEM",
        "ssl.truststore.certificates": certificate,
    }


def unquoted(text: str) -> str:
    """Return what Java's StreamTokenizer reads from between two quotes."""
    return re.sub(r"\\([0-3][0-7]{2})", lambda found: chr(int(found[1], 8)), text)


@given(st.text(), st.text())
def test_any_password_is_quoted(username: str, password: str) -> None:
    """User and password come out of a JAAS config as they went in, and end or begin nothing in it."""
    config = jaas_config("SCRAM-SHA-512", username, password)
    found = re.fullmatch(r'[\w.]+ required username="([^"\n]*)" password="([^"\n]*)";', config)

    assert found is not None
    assert (unquoted(found[1]), unquoted(found[2])) == (username, password)
    assert "$" not in config


def test_plain_has_a_module_of_its_own() -> None:
    """With the mechanism PLAIN Java's client logs in by the module for it."""
    assert "plain.PlainLoginModule required" in jaas_config("PLAIN", "anna", "x")


def test_pinot_may_have_a_user_of_its_own() -> None:
    """Pinot's consumers log in as the set-up does, unless they have a user of their own."""
    own = {"pinot_kafka_username": "pinot", "pinot_kafka_password": "pinots"}

    assert Settings(**SECURED).pinots_user() == ("anna", "annas-password")
    assert Settings(**(SECURED | own)).pinots_user() == ("pinot", "pinots")


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({**SECURED, "pinot_kafka_username": "pinot"}, "need each other"),
        ({**SECURED, "pinot_kafka_password": "pinots"}, "need each other"),
        ({"pinot_kafka_username": "pinot", "pinot_kafka_password": "pinots"}, "needs --kafka-security-pro"),
    ],
)
def test_pinots_user_needs_password_and_sasl(wrong: dict[str, Any], sentence: str) -> None:
    """A user of Pinot's without a password, or without SASL, is refused."""
    with pytest.raises(ValidationError) as refused:
        Settings(**wrong)

    assert sentence in flag_sentences(refused.value)
    assert "pinots" not in flag_sentences(refused.value)


@pytest.mark.parametrize("times", range(3))
def test_what_pinot_repeats_is_told_without_the_password(times: int) -> None:
    """Of a config that Pinot repeats, as it is or in JSON or in JSON in JSON, the password is left out."""
    consumer = consumer_properties(KafkaAccess(**SECURED), "anna", 'a "quoted" one')
    repeated = consumer["sasl.jaas.config"]
    for _ in range(times):
        repeated = json.dumps(repeated)[1:-1]
    told = hidden(f"bad: {repeated} (400)")

    assert told.startswith("bad: org.apache.kafka.")
    assert told.endswith("password=(hidden); (400)")
    assert "quoted" not in told
    # Of one that is cut off in the middle of the password nothing is left either.
    assert hidden(repeated[:-5]).endswith("password=(hidden)")
    assert hidden("bad (400)") == "bad (400)"


def test_a_user_that_kafka_refuses_is_told_as_pinots(answering: Callable[[int, bytes], str]) -> None:
    """If Pinot can't make a table because Kafka doesn't let it in, the set-up says which user that is."""
    body = b'{"error": "org.apache.kafka.common.errors.SaslAuthenticationException: wrong"}'
    cluster = Cluster(answering(404, body))
    with pytest.raises(PinotError, match=r"wrong; it is .* RACECAST_PINOT_KAFKA_USERNAME"):
        put_table(cluster, read_table("parkrun", kafka="kafka:1", replication=1))


def test_a_refused_config_is_told_without_the_password(answering: Callable[[int, bytes], str]) -> None:
    """If Pinot refuses a table's config and repeats it, the set-up tells why and not the password."""
    consumer = consumer_properties(KafkaAccess(**SECURED), "anna", "annas password")
    config = read_table("parkrun", kafka="kafka:1", replication=1, consumer=consumer)
    body = json.dumps({"error": f"no such thing: {json.dumps(config)}"}).encode()
    cluster = Cluster(answering(404, body))
    with pytest.raises(PinotError, match="404 to /tables: no such thing") as refused:
        put_table(cluster, config)

    assert "(hidden)" in str(refused.value)
    assert "annas" not in str(refused.value)
