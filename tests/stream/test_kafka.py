"""How Kafka is reached: which settings go together, and the messages when Kafka rejects the credentials."""

from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError
from pydantic import ValidationError
from pydantic_settings import CliApp

from simulator.commands.settings import ServeSettings
from stream.kafka import AuthErrorListener, KafkaAccess
from stream.problems import flag_sentences
from tests.certificates import make_certificates

PASSWORD = "an-unused-password"
USER = {"kafka_username": "anna", "kafka_password": PASSWORD}


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    """A file with a certificate to trust."""
    make_certificates(tmp_path / "ca.pem", tmp_path / "server.p12")
    return tmp_path / "ca.pem"


def sentences(**settings: Any) -> str:
    """Return the error messages for invalid settings."""
    with pytest.raises(ValidationError) as refused:
        KafkaAccess(**settings)
    return flag_sentences(refused.value)


def test_an_open_kafka_needs_only_an_address() -> None:
    """Without further settings a client has the address and no authentication."""
    config = KafkaAccess(kafka="kafka:1").client_config()

    assert config == {"bootstrap.servers": "kafka:1", "security.protocol": "PLAINTEXT"}


def test_a_secured_kafka_gets_user_and_password(ca: Path) -> None:
    """With SASL and TLS a client has mechanism, user, password and the certificates to trust."""
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


def test_tls_without_a_file_trusts_the_systems_certificates() -> None:
    """With TLS alone the configuration has neither users nor certificates."""
    config = KafkaAccess(kafka_security_protocol="SSL").client_config()

    assert config == {"bootstrap.servers": "127.0.0.1:9092", "security.protocol": "SSL"}


@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
@pytest.mark.parametrize("left_out", ["kafka_username", "kafka_password"])
def test_sasl_needs_user_and_password(protocol: str, left_out: str) -> None:
    """SASL without a user or without a password is rejected; the message names both settings."""
    given = {name: value for name, value in USER.items() if name != left_out}

    message = sentences(kafka_security_protocol=protocol, **given)
    assert message == f"{protocol} needs --kafka-username and RACECAST_KAFKA_PASSWORD"


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SSL"])
@pytest.mark.parametrize("given", USER)
def test_a_user_needs_sasl(protocol: str, given: str) -> None:
    """A user or a password without SASL is rejected; the message does not contain the password."""
    message = sentences(kafka_security_protocol=protocol, **{given: USER[given]})

    assert "needs --kafka-security-protocol SASL_SSL" in message
    assert message.endswith(f"not {protocol}")
    assert PASSWORD not in message


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SASL_PLAINTEXT"])
def test_certificates_need_tls(protocol: str, ca: Path) -> None:
    """A file of certificates without TLS is rejected, because TLS was probably intended."""
    user = USER if protocol.startswith("SASL") else {}

    message = sentences(kafka_security_protocol=protocol, kafka_ca=ca, **user)
    assert message == f"--kafka-ca needs --kafka-security-protocol SSL or SASL_SSL, not {protocol}"


def test_certificates_are_checked_when_the_settings_are_read(tmp_path: Path) -> None:
    """A missing file, a folder and a file without certificates are rejected, with the path."""
    (tmp_path / "words.txt").write_text("no certificate")
    messages = [
        sentences(kafka_security_protocol="SSL", kafka_ca=path)
        for path in (tmp_path / "nowhere.pem", tmp_path, tmp_path / "words.txt")
    ]

    assert messages == [
        f"--kafka-ca {tmp_path}/nowhere.pem: No such file or directory",
        f"--kafka-ca {tmp_path}: Is a directory",
        f"--kafka-ca {tmp_path}/words.txt: contains no PEM certificate",
    ]


def test_an_empty_variable_means_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """`RACECAST_KAFKA_CA=` has the same effect as no such variable."""
    monkeypatch.setenv("RACECAST_KAFKA_CA", "")

    assert CliApp.run(ServeSettings, cli_args=[]).kafka_ca is None


def test_the_password_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The password has a variable, and printed settings do not contain it."""
    monkeypatch.setenv("RACECAST_KAFKA_PASSWORD", PASSWORD)
    flags = ["--kafka-security-protocol", "SASL_SSL", "--kafka-username", "anna"]
    settings = CliApp.run(ServeSettings, cli_args=flags)

    assert settings.client_config()["sasl.password"] == PASSWORD
    assert PASSWORD not in repr(settings)


@pytest.mark.parametrize(
    ("code", "setting"),
    [(KafkaError._AUTHENTICATION, "RACECAST_KAFKA_PASSWORD"), (KafkaError._SSL, "RACECAST_KAFKA_CA")],
)
def test_an_authentication_error_names_the_setting(code: int, setting: str) -> None:
    """The message has the setting and librdkafka's reason, without its prefix and duration."""
    listener = AuthErrorListener({"bootstrap.servers": "kafka:1"})
    listener(KafkaError(code, "sasl_ssl://kafka:1/bootstrap: Wrong: very (after 3ms in state AUTH_REQ)"))

    assert listener.refusal is not None
    assert listener.refusal.startswith("Kafka at kafka:1 ")
    assert setting in listener.refusal
    assert listener.refusal.endswith(": Wrong: very")


def test_an_unavailable_broker_is_no_authentication_error() -> None:
    """A transport error is not recorded."""
    listener = AuthErrorListener({"bootstrap.servers": "kafka:1"})
    listener(KafkaError(KafkaError._TRANSPORT, "Connection refused"))

    assert listener.refusal is None
