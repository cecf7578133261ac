"""How Pinot's own consumers are let in by Kafka: the properties of Java's client, in the config of a table.

Pinot hands a stream's config on to its consumers as it is, so they have the client's own names, without a
prefix. The certificates stand in it themselves: no file has to be on Pinot's machines.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from stream.kafka import KafkaAccess

CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
PASSWORD = re.compile(r'password=\\*"[^"]*"?')
"""In a JAAS config, where no quote is within the quotes; in JSON backslashes are before them."""


def consumer_properties(access: KafkaAccess, username: str, password: str) -> dict[str, str]:
    """The properties for a Kafka that is reached by `access`, by Pinot's own user; none if it is open."""
    if access.kafka_security_protocol == "PLAINTEXT":
        return {}
    properties: dict[str, str] = {"security.protocol": access.kafka_security_protocol}
    if access.kafka_sasl:
        properties["sasl.mechanism"] = access.kafka_sasl_mechanism
        properties["sasl.jaas.config"] = jaas_config(access.kafka_sasl_mechanism, username, password)
    if access.kafka_ca is not None:
        properties["ssl.truststore.type"] = "PEM"
        properties["ssl.truststore.certificates"] = _certificates(access.kafka_ca)
    return properties


def jaas_config(mechanism: str, username: str, password: str) -> str:
    """What Java's client logs in with."""
    module = "scram.ScramLoginModule" if mechanism.startswith("SCRAM") else "plain.PlainLoginModule"
    return (
        f"org.apache.kafka.common.security.{module} required "
        f'username="{_quoted(username)}" password="{_quoted(password)}";'
    )


def hidden(words: str) -> str:
    """Words in which Pinot may repeat a config or a part of it, be it in JSON, without the password."""
    return PASSWORD.sub("password=(hidden)", words)


def _quoted(text: str) -> str:
    """Text as it stands in a JAAS config: what isn't a letter or a digit is written as its octal number.

    Beside quotes, backslashes and line ends that is the dollar sign, which Pinot and Kafka could take for the
    beginning of a variable.
    """
    return re.sub(r"[^\w]|_", lambda found: _octal(found[0]), text)


def _octal(character: str) -> str:
    number = ord(character)
    return f"\\{number:03o}" if number < 0o200 else character


def _certificates(file: Path) -> str:
    """The certificates of a PEM file, without the words or keys that may stand beside them."""
    return "\n".join(CERTIFICATE.findall(file.read_text()))
