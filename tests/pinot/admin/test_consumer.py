"""Credentials for Pinot's Kafka consumers: their properties in a table's config, and hiding the password."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from string import Template
from typing import Any

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

SECURED: dict[str, Any] = {
    "kafka_security_protocol": "SASL_SSL",
    "kafka_sasl_mechanism": "SCRAM-SHA-256",
    "kafka_username": "anna",
    "kafka_password": "annas-password",
}
JAAS = 'org.apache.kafka.common.security.scram.ScramLoginModule required username="{}" password="{}";'


@pytest.mark.parametrize("table", TABLES)
def test_with_an_open_kafka_a_config_is_the_file(table: str) -> None:
    """Without authentication nothing is added to a table's file."""
    settings = Settings(kafka="kafka:1")
    consumer = consumer_properties(settings, *settings.pinots_user())
    text = (HERE / "tables" / f"{table}.json").read_text()
    file = json.loads(Template(text).substitute(kafka="kafka:1", replication=1, retention_days=7))

    assert read_table(table, kafka="kafka:1", replication=1, stream=consumer) == file


@pytest.mark.parametrize("table", TABLES)
def test_with_a_secured_kafka_a_stream_has_credentials(table: str) -> None:
    """Exactly the Java client's properties are added to a table's stream config."""
    consumer = consumer_properties(KafkaAccess(**SECURED), "pinot", "pinots")
    open_config = read_table(table, kafka="kafka:1", replication=1)
    config = read_table(table, kafka="kafka:1", replication=1, stream=consumer)
    for stream in open_config["ingestionConfig"].get("streamIngestionConfig", {}).get("streamConfigMaps", ()):
        stream.update(
            {
                "security.protocol": "SASL_SSL",
                "sasl.mechanism": "SCRAM-SHA-256",
                "sasl.jaas.config": JAAS.format("pinot", "pinots"),
            }
        )

    assert config == open_config


def test_certificates_are_inline(tmp_path: Path) -> None:
    """Only the certificates of a PEM file are in the config."""
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
    """Return what Java's StreamTokenizer reads between two quotes."""
    return re.sub(r"\\([0-3][0-7]{2})", lambda found: chr(int(found[1], 8)), text)


@given(st.text(), st.text())
def test_any_password_is_quoted(username: str, password: str) -> None:
    """Any user and password survive the JAAS config unchanged and cannot break out of it."""
    config = jaas_config("SCRAM-SHA-512", username, password)
    found = re.fullmatch(r'[\w.]+ required username="([^"\n]*)" password="([^"\n]*)";', config)

    assert found is not None
    assert (unquoted(found[1]), unquoted(found[2])) == (username, password)
    assert "$" not in config


def test_plain_has_its_own_module() -> None:
    """With the mechanism PLAIN the Java client uses its login module."""
    assert "plain.PlainLoginModule required" in jaas_config("PLAIN", "anna", "x")


def test_pinot_may_have_its_own_user() -> None:
    """Pinot's consumers use the set-up's user unless they have their own."""
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
    """A user for Pinot without a password, or without SASL, is rejected."""
    with pytest.raises(ValidationError) as refused:
        Settings(**wrong)

    assert sentence in flag_sentences(refused.value)
    assert "pinots" not in flag_sentences(refused.value)


@pytest.mark.parametrize("times", range(3))
def test_the_password_is_hidden(times: int) -> None:
    """The password is removed from a config that Pinot quotes, plain, as JSON, or as JSON in JSON."""
    consumer = consumer_properties(KafkaAccess(**SECURED), "anna", 'a "quoted" one')
    repeated = consumer["sasl.jaas.config"]
    for _ in range(times):
        repeated = json.dumps(repeated)[1:-1]
    message = hidden(f"bad: {repeated} (400)")

    assert message.startswith("bad: org.apache.kafka.")
    assert message.endswith("password=(hidden); (400)")
    assert "quoted" not in message
    # Even if the config is truncated in the middle of the password.
    assert hidden(repeated[:-5]).endswith("password=(hidden)")
    assert hidden("bad (400)") == "bad (400)"


def test_rejected_credentials_name_pinots_user(answering: Callable[[int, bytes], str]) -> None:
    """If Kafka rejects Pinot's credentials, the set-up names the user's settings."""
    body = b'{"error": "org.apache.kafka.common.errors.SaslAuthenticationException: wrong"}'
    cluster = Cluster(answering(404, body))
    with pytest.raises(PinotError, match=r"wrong; check .* RACECAST_PINOT_KAFKA_USERNAME"):
        put_table(cluster, read_table("parkrun", kafka="kafka:1", replication=1))


def test_a_rejected_config_hides_the_password(answering: Callable[[int, bytes], str]) -> None:
    """If Pinot rejects a table's config and quotes it, the set-up reports why without the password."""
    consumer = consumer_properties(KafkaAccess(**SECURED), "anna", "annas password")
    config = read_table("parkrun", kafka="kafka:1", replication=1, stream=consumer)
    body = json.dumps({"error": f"no such thing: {json.dumps(config)}"}).encode()
    cluster = Cluster(answering(404, body))
    with pytest.raises(PinotError, match="404 for /tables: no such thing") as refused:
        put_table(cluster, config)

    assert "(hidden)" in str(refused.value)
    assert "annas" not in str(refused.value)
