"""A Kafka and a Pinot that let nobody in without a password, and speak TLS: for the tests of access.

Each has an open door beside the secured one, on which its parts find each other and the stack is waited for.
"""

from __future__ import annotations

import base64
import ipaddress
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from confluent_kafka.admin import (  # type: ignore[attr-defined]  # they are its API, but not in its __all__
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509.oid import NameOID

from tests.processes import free_port
from tests.stacks import started

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pinot.local.stack import Stack

USER = "racecast"
KAFKA_PASSWORD = 'k4fka "it\'s" \\\\ $' + "{HOME} ä;="
PINOT_PASSWORD = "p1not: 'it's' \\ \"so\""
STORE_PASSWORD = "of-the-key-store"
"""What the servers' key store is locked with; no client needs it."""
BASIC_AUTH = "org.apache.pinot.{}.BasicAuthAccessControlFactory"


@dataclass(frozen=True)
class Secured:
    """A running stack, and where its secured doors are.

    Attributes:
        stack: the stack; its own addresses are the open doors.
        ca: the certificate to trust, a PEM file.
        kafka: "host:port", SASL_SSL with SCRAM-SHA-256.
        controller: https://…
        broker: https://…
    """

    stack: Stack
    ca: Path
    kafka: str
    controller: str
    broker: str

    def variables(self) -> dict[str, str]:
        """The settings that reach all of it, as variables of the environment."""
        return {
            "RACECAST_KAFKA": self.kafka,
            "RACECAST_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "RACECAST_KAFKA_SASL_MECHANISM": "SCRAM-SHA-256",
            "RACECAST_KAFKA_USERNAME": USER,
            "RACECAST_KAFKA_PASSWORD": KAFKA_PASSWORD,
            "RACECAST_KAFKA_CA": str(self.ca),
            "RACECAST_PINOT_CONTROLLER": self.controller,
            "RACECAST_PINOT_BROKER": self.broker,
            "RACECAST_PINOT_USERNAME": USER,
            "RACECAST_PINOT_PASSWORD": PINOT_PASSWORD,
            "RACECAST_PINOT_CA": str(self.ca),
        }


@contextmanager
def secured(folder: Path) -> Iterator[Secured]:
    """Run a secured stack in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    ca, keys = folder / "ca.pem", folder / "server.p12"
    make_certificates(ca, keys)
    kafka, controller, broker = free_port(), free_port(), free_port()
    extra = {
        "kafka.properties": _kafka(kafka, keys),
        "controller.properties": _controller(controller, keys),
        "broker.properties": _broker(broker, keys),
        "server.properties": _server(),
    }
    with started(folder / "stack", extra=extra) as stack:
        _let_in(stack.kafka)
        yield Secured(
            stack,
            ca,
            f"127.0.0.1:{kafka}",
            f"https://127.0.0.1:{controller}",
            f"https://127.0.0.1:{broker}",
        )


def make_certificates(ca: Path, keys: Path) -> None:
    """Write a new CA's certificate (PEM), and a server's key and certificate for 127.0.0.1 (PKCS #12)."""
    ca_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Racecast's tests")])
    server_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a server")])
    now = datetime.now(UTC)

    def certificate(name: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder(ca_name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=2))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
            )
        )

    signs = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    ca_certificate = (
        certificate(ca_name, ca_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(signs, critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    server_certificate = (
        certificate(server_name, server_key)
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    ca.write_bytes(ca_certificate.public_bytes(Encoding.PEM))
    lock = BestAvailableEncryption(STORE_PASSWORD.encode())
    keys.write_bytes(
        serialize_key_and_certificates(b"server", server_key, server_certificate, [ca_certificate], lock)
    )


def _let_in(kafka: str) -> None:
    """Give Kafka, at its open door, the user."""
    scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096)
    user = UserScramCredentialUpsertion(USER, scram, KAFKA_PASSWORD.encode())
    client = AdminClient({"bootstrap.servers": kafka})
    for answer in client.alter_user_scram_credentials([user]).values():
        answer.result(30)


def _kafka(port: int, keys: Path) -> str:
    open_doors = "PLAINTEXT://127.0.0.1:${kafka},CONTROLLER://127.0.0.1:${kafka_controller}"
    secured_door = f"SASL_SSL://127.0.0.1:{port}"
    jaas = "org.apache.kafka.common.security.{}LoginModule required"
    properties = {
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL",
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256",
        "listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config": jaas.format("scram.Scram") + ";",
        "listener.name.sasl_ssl.plain.sasl.jaas.config": f'{jaas.format("plain.Plain")} user_{USER}="plain";',
        "ssl.keystore.location": str(keys),
        "ssl.keystore.type": "PKCS12",
        "ssl.keystore.password": STORE_PASSWORD,
    }
    return (
        f"\nlisteners={open_doors},{secured_door}\n"
        f"advertised.listeners={open_doors.partition(',')[0]},{secured_door}\n" + _lines(properties)
    )


def _controller(port: int, keys: Path) -> str:
    return _lines(
        {
            "controller.admin.access.control.factory.class": BASIC_AUTH.format("controller.api.access"),
            "controller.admin.access.control.principals": USER,
            f"controller.admin.access.control.principals.{USER}.password": PINOT_PASSWORD,
            "pinot.controller.segment.fetcher.auth.token": _token(),
            "controller.access.protocols": "http,https",
            "controller.access.protocols.https.host": "127.0.0.1",
            "controller.access.protocols.https.port": str(port),
            **_tls("controller.tls", keys),
        }
    )


def _broker(port: int, keys: Path) -> str:
    return _lines(
        {
            "pinot.broker.access.control.class": BASIC_AUTH.format("broker.broker"),
            "pinot.broker.access.control.principals": USER,
            f"pinot.broker.access.control.principals.{USER}.password": PINOT_PASSWORD,
            "pinot.broker.client.access.protocols": "http,https",
            "pinot.broker.client.access.protocols.https.host": "127.0.0.1",
            "pinot.broker.client.access.protocols.https.port": str(port),
            **_tls("pinot.broker.tls", keys),
        }
    )


def _server() -> str:
    names = ("segment.fetcher", "segment.uploader", "instance")
    return _lines({f"pinot.server.{name}.auth.token": _token() for name in names})


def _tls(prefix: str, keys: Path) -> dict[str, str]:
    return {
        f"{prefix}.keystore.path": str(keys),
        f"{prefix}.keystore.type": "PKCS12",
        f"{prefix}.keystore.password": STORE_PASSWORD,
    }


def _token() -> str:
    return "Basic " + base64.b64encode(f"{USER}:{PINOT_PASSWORD}".encode()).decode()


def _lines(properties: dict[str, str]) -> str:
    """Properties as Java reads them, a backslash twice, in a template, a dollar sign twice."""
    escaped = {name: value.replace("\\", "\\\\").replace("$", "$$") for name, value in properties.items()}
    return "\n" + "".join(f"{name}={value}\n" for name, value in escaped.items())
