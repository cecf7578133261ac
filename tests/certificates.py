"""Certificates for the TLS tests: a new CA, and a server certificate signed by it."""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509.oid import NameOID

STORE_PASSWORD = "of-the-key-store"
"""Password of the servers' key store."""
CURVE = ec.SECP256R1()
CA_KEY_USAGE = x509.KeyUsage(
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


def make_certificates(ca: Path, keys: Path) -> None:
    """Write a new CA's certificate (PEM), and a server's key and certificate for 127.0.0.1 (PKCS #12)."""
    ca_key, server_key = ec.generate_private_key(CURVE), ec.generate_private_key(CURVE)
    ca_certificate = (
        _signed_by("Racecast's tests", ca_key.public_key(), ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(CA_KEY_USAGE, critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    server_certificate = (
        _signed_by("a server", server_key.public_key(), ca_key.public_key())
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    ca.write_bytes(ca_certificate.public_bytes(Encoding.PEM))
    encryption = BestAvailableEncryption(STORE_PASSWORD.encode())
    keys.write_bytes(
        serialize_key_and_certificates(
            b"server", server_key, server_certificate, [ca_certificate], encryption
        )
    )


def _signed_by(
    subject: str, key: ec.EllipticCurvePublicKey, ca_key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    """Return a builder with the fields of both certificates, valid from yesterday until tomorrow."""
    today = datetime.now(UTC)
    own, ca = x509.SubjectKeyIdentifier, x509.AuthorityKeyIdentifier
    return (
        x509.CertificateBuilder(_name("Racecast's tests"), _name(subject), key, x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(own.from_public_key(key), critical=False)
        .add_extension(ca.from_issuer_public_key(ca_key), critical=False)
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
