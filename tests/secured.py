"""A Kafka and a Pinot with authentication and TLS, for the tests of secured clusters.

Each also has an unsecured listener for its own parts and for the start of the stack.
"""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from confluent_kafka.admin import (  # type: ignore[attr-defined]  # public API, but missing in __all__
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from pinot.local.stack import Stack
from tests.certificates import STORE_PASSWORD, make_certificates
from tests.processes import free_port
from tests.stacks import started

USER, PINOTS_USER = "racecast", "pinot's own"
KAFKA_PASSWORD = "k4fka, it's ä \\ one"
PLAIN_PASSWORD = "shown-as-it-is"
"""The password of USER with the mechanism PLAIN."""
PINOTS_PASSWORD = 'p "quoted" \\n $' + "{env:HOME} ü;='"
"""The password of Pinot's consumers, with characters that are special to JAAS, Pinot and Kafka."""
PINOT_PASSWORD = "p1not: 'it's' \\ \"so\""
BASIC_AUTH = "org.apache.pinot.{}.BasicAuthAccessControlFactory"


@dataclass(frozen=True)
class Secured:
    """A running stack and the addresses of its secured listeners.

    Attributes:
        stack: the stack; its addresses are those of the unsecured listeners.
        ca: PEM file of the CA certificate.
        kafka: "host:port", SASL_SSL with SCRAM-SHA-256.
        controller: URL of the controller, "https://host:port".
        broker: URL of the broker, "https://host:port".
    """

    stack: Stack
    ca: Path
    kafka: str
    controller: str
    broker: str

    def variables(self) -> dict[str, str]:
        """Return the settings for clients as environment variables."""
        return {
            "RACECAST_KAFKA": self.kafka,
            "RACECAST_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "RACECAST_KAFKA_SASL_MECHANISM": "SCRAM-SHA-256",
            "RACECAST_KAFKA_USERNAME": USER,
            "RACECAST_KAFKA_PASSWORD": KAFKA_PASSWORD,
            "RACECAST_KAFKA_CA": str(self.ca),
            "RACECAST_PINOT_KAFKA_USERNAME": PINOTS_USER,
            "RACECAST_PINOT_KAFKA_PASSWORD": PINOTS_PASSWORD,
            "RACECAST_PINOT_CONTROLLER": self.controller,
            "RACECAST_PINOT_BROKER": self.broker,
            "RACECAST_PINOT_USERNAME": USER,
            "RACECAST_PINOT_PASSWORD": PINOT_PASSWORD,
            "RACECAST_PINOT_CA": str(self.ca),
        }

    def add_user(self, user: str, password: str) -> None:
        """Add a user to Kafka, through its unsecured listener."""
        scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096)
        client = AdminClient({**self.stack.kafka_access, "log_level": 0})
        users: list[Any] = [UserScramCredentialUpsertion(user, scram, password.encode())]
        for future in client.alter_user_scram_credentials(users).values():
            future.result(30)


@contextmanager
def secured(folder: Path) -> Iterator[Secured]:
    """Run a secured stack in `folder`."""
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
        urls = (f"https://127.0.0.1:{port}" for port in (controller, broker))
        cluster = Secured(stack, ca, f"127.0.0.1:{kafka}", *urls)
        cluster.add_user(USER, KAFKA_PASSWORD)
        cluster.add_user(PINOTS_USER, PINOTS_PASSWORD)
        yield cluster


def _kafka(port: int, keys: Path) -> str:
    plain_listeners = "PLAINTEXT://127.0.0.1:${kafka},CONTROLLER://127.0.0.1:${kafka_controller}"
    secured_listener = f"SASL_SSL://127.0.0.1:{port}"
    modules = "org.apache.kafka.common.security"
    plain, scram = (f"{modules}.{name}LoginModule required" for name in ("plain.Plain", "scram.Scram"))
    properties = {
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL",
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256",
        "listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config": f"{scram};",
        "listener.name.sasl_ssl.plain.sasl.jaas.config": f"{plain} user_{USER}={PLAIN_PASSWORD};",
        "ssl.keystore.location": str(keys),
        "ssl.keystore.type": "PKCS12",
        "ssl.keystore.password": STORE_PASSWORD,
    }
    return (
        f"\nlisteners={plain_listeners},{secured_listener}\n"
        f"advertised.listeners={plain_listeners.partition(',')[0]},{secured_listener}\n" + _lines(properties)
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
    """Format Java properties for the configuration template, with backslashes and dollar signs doubled."""
    escaped = {name: value.replace("\\", "\\\\").replace("$", "$$") for name, value in properties.items()}
    return "\n" + "".join(f"{name}={value}\n" for name, value in escaped.items())
