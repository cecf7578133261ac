"""How Kafka is reached: which settings go together, and the messages when Kafka rejects the credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import KafkaError
from pydantic import ValidationError
from pydantic_settings import CliApp

from simulator.commands.settings import ServeSettings
from stream.kafka import AuthErrorListener, KafkaAccess
from stream.problems import flag_sentences
from tests.certificates import make_certificates

if TYPE_CHECKING:
    from pathlib import Path

PASSWORD = "a-password-of-nobody"
USER = {"kafka_username": "anna", "kafka_password": PASSWORD}


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    """A file with a certificate to trust."""
    make_certificates(tmp_path / "ca.pem", tmp_path / "server.p12")
    return tmp_path / "ca.pem"


def sentences(**settings: Any) -> str:
    """Return what is told of settings that are refused."""
    with pytest.raises(ValidationError) as refused:
        KafkaAccess(**settings)
    return flag_sentences(refused.value)


def test_an_open_kafka_needs_an_address_alone() -> None:
    """Without further settings a client is told where Kafka is, and that it is open."""
    config = KafkaAccess(kafka="kafka:1").client_config()

    assert config == {"bootstrap.servers": "kafka:1", "security.protocol": "PLAINTEXT"}


def test_a_secured_kafka_is_shown_user_and_password(ca: Path) -> None:
    """With SASL and TLS a client is told mechanism, user, password and whom to trust."""
    secured = {"kafka_security_protocol": "SASL_SSL", "kafka_sasl_mechanism": "SCRAM-SHA-512", "kafka_ca": ca}
    access = KafkaAccess.model_validate(USER | secured)

    assert access.client_config() == {
        "bootstrap.servers": "127.0.0.1:9092",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "anna",
        "sasl.password": PASSWORD,
        "ssl.ca.location": str(ca),
    }


def test_tls_without_a_file_trusts_whom_the_machine_trusts() -> None:
    """With TLS alone nothing is said of users, nor of certificates."""
    config = KafkaAccess(kafka_security_protocol="SSL").client_config()

    assert config == {"bootstrap.servers": "127.0.0.1:9092", "security.protocol": "SSL"}


@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
@pytest.mark.parametrize("left_out", ["kafka_username", "kafka_password"])
def test_sasl_needs_user_and_password(protocol: str, left_out: str) -> None:
    """SASL without a user or without a password is refused, with the names of both."""
    given = {name: value for name, value in USER.items() if name != left_out}

    told = sentences(kafka_security_protocol=protocol, **given)
    assert told == f"{protocol} needs --kafka-username and RACECAST_KAFKA_PASSWORD"


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SSL"])
@pytest.mark.parametrize("given", USER)
def test_a_user_needs_sasl(protocol: str, given: str) -> None:
    """A user or a password that Kafka would never be shown is refused, and the password isn't told."""
    told = sentences(kafka_security_protocol=protocol, **{given: USER[given]})

    assert "needs --kafka-security-protocol SASL_SSL" in told
    assert told.endswith(f"not {protocol}")
    assert PASSWORD not in told


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SASL_PLAINTEXT"])
def test_certificates_need_tls(protocol: str, ca: Path) -> None:
    """A file of certificates without TLS is refused: somebody believes that it is on."""
    user = USER if protocol.startswith("SASL") else {}

    told = sentences(kafka_security_protocol=protocol, kafka_ca=ca, **user)
    assert told == f"--kafka-ca needs --kafka-security-protocol SSL or SASL_SSL, not {protocol}"


def test_certificates_are_looked_at_when_the_settings_are_read(tmp_path: Path) -> None:
    """A file that isn't there, a folder and one without certificates are told, with the path."""
    (tmp_path / "words.txt").write_text("no certificate")
    told = [
        sentences(kafka_security_protocol="SSL", kafka_ca=path)
        for path in (tmp_path / "nowhere.pem", tmp_path, tmp_path / "words.txt")
    ]

    assert told == [
        f"--kafka-ca {tmp_path}/nowhere.pem: No such file or directory",
        f"--kafka-ca {tmp_path}: Is a directory",
        f"--kafka-ca {tmp_path}/words.txt: contains no PEM certificate",
    ]


def test_a_variable_set_to_nothing_names_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """`RACECAST_KAFKA_CA=` is the same as no such variable."""
    monkeypatch.setenv("RACECAST_KAFKA_CA", "")

    assert CliApp.run(ServeSettings, cli_args=[]).kafka_ca is None


def test_the_password_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The password has a variable, and doesn't show when settings are printed."""
    monkeypatch.setenv("RACECAST_KAFKA_PASSWORD", PASSWORD)
    flags = ["--kafka-security-protocol", "SASL_SSL", "--kafka-username", "anna"]
    settings = CliApp.run(ServeSettings, cli_args=flags)

    assert settings.client_config()["sasl.password"] == PASSWORD
    assert PASSWORD not in repr(settings)


@pytest.mark.parametrize(
    ("code", "setting"),
    [(KafkaError._AUTHENTICATION, "RACECAST_KAFKA_PASSWORD"), (KafkaError._SSL, "RACECAST_KAFKA_CA")],
)
def test_a_refusal_names_the_setting(code: int, setting: str) -> None:
    """What librdkafka says of a refusal is told with the setting, without its own way of naming brokers."""
    ear = AuthErrorListener({"bootstrap.servers": "kafka:1"})
    ear(KafkaError(code, "sasl_ssl://kafka:1/bootstrap: Wrong: very (after 3ms in state AUTH_REQ)"))

    assert ear.refusal is not None
    assert ear.refusal.startswith("Kafka at kafka:1 ")
    assert setting in ear.refusal
    assert ear.refusal.endswith(": Wrong: very")


def test_a_broker_that_is_away_has_refused_nobody() -> None:
    """An error that goes by itself is no refusal."""
    ear = AuthErrorListener({"bootstrap.servers": "kafka:1"})
    ear(KafkaError(KafkaError._TRANSPORT, "Connection refused"))

    assert ear.refusal is None
