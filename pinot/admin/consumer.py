"""Credentials for Pinot's Kafka consumers: properties of the Java client, in a table's config.

Pinot passes a stream's config to its consumers unchanged, so the names have no prefix. The certificates are
inline: Pinot's machines need no file.
"""

import re

from stream.kafka import KafkaAccess

CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
PASSWORD = re.compile(r'password=\\*"[^"]*"?')
"""In a JAAS config, whose passwords contain no quotes; in JSON, quotes have backslashes."""


def consumer_properties(access: KafkaAccess, username: str, password: str) -> dict[str, str]:
    """Return the properties to reach Kafka as Pinot's user; none for a Kafka without TLS and SASL."""
    if access.kafka_security_protocol == "PLAINTEXT":
        return {}
    properties: dict[str, str] = {"security.protocol": access.kafka_security_protocol}
    if access.kafka_sasl:
        properties["sasl.mechanism"] = access.kafka_sasl_mechanism
        properties["sasl.jaas.config"] = jaas_config(access.kafka_sasl_mechanism, username, password)
    if access.kafka_ca is not None:
        properties["ssl.truststore.type"] = "PEM"
        # Without comments and keys.
        properties["ssl.truststore.certificates"] = "\n".join(
            CERTIFICATE.findall(access.kafka_ca.read_text())
        )
    return properties


def jaas_config(mechanism: str, username: str, password: str) -> str:
    """Return the JAAS config of the Java client."""
    module = "scram.ScramLoginModule" if mechanism.startswith("SCRAM") else "plain.PlainLoginModule"
    return (
        f"org.apache.kafka.common.security.{module} required "
        f'username="{_quoted(username)}" password="{_quoted(password)}";'
    )


def hidden(words: str) -> str:
    """Remove the password from a message that may quote a config, plain or as JSON."""
    return PASSWORD.sub("password=(hidden)", words)


def _quoted(text: str) -> str:
    """Escape a string for a JAAS config: ASCII characters but letters and digits become octal escapes.

    This includes the dollar sign, which Pinot and Kafka could take as the start of a variable.
    """
    return re.sub(r"(?![A-Za-z0-9])[\x00-\x7f]", lambda found: f"\\{ord(found[0]):03o}", text)
