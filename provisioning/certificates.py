"""An X.509 authority with P-256 keys, and the certificates it issues for TLS."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


@dataclass(frozen=True, slots=True)
class Authority:
    """A self-signed authority; `certificate` is what others trust."""

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    certificate: x509.Certificate

    @property
    def pem(self) -> bytes:
        """The certificate, for the files of everybody who trusts this authority."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def issue_client(
        self, name: str, key: ec.EllipticCurvePublicKey, not_before: datetime, not_after: datetime
    ) -> bytes:
        """Returns a client certificate (PEM); its common name becomes the user name and client id at the broker."""
        usage = ExtendedKeyUsageOID.CLIENT_AUTH
        return self._issue(name, key, usage, not_before, not_after).public_bytes(serialization.Encoding.PEM)

    def issue_server(
        self, hosts: tuple[str, ...], key: ec.EllipticCurvePublicKey, not_before: datetime, not_after: datetime
    ) -> bytes:
        """Returns a server certificate (PEM) for host names and IP addresses."""
        alternative = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
        issued = self._issue(hosts[0], key, ExtendedKeyUsageOID.SERVER_AUTH, not_before, not_after, alternative)
        return issued.public_bytes(serialization.Encoding.PEM)

    def revocation_list(
        self, revoked: Iterable[tuple[int, datetime]], not_before: datetime, next_update: datetime, number: int
    ) -> bytes:
        """Returns the list (PEM) of serials that count no more; from `next_update` on it counts no more itself.

        Each serial has its moment. `number` has to rise from list to list (RFC 5280, section 5.2.3).
        """
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(not_before)
            .next_update(next_update)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .add_extension(x509.CRLNumber(number), critical=False)
        )
        for serial, since in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def _issue(
        self,
        name: str,
        key: ec.EllipticCurvePublicKey,
        usage: x509.ObjectIdentifier,
        not_before: datetime,
        not_after: datetime,
        alternative: x509.SubjectAlternativeName | None = None,
    ) -> x509.Certificate:
        own = self.key.public_key()
        builder = (
            _builder(_name(name), self.certificate.subject, key, not_before, not_after)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(own), critical=False)
        )
        if alternative is not None:
            builder = builder.add_extension(alternative, critical=False)
        return builder.sign(self.key, hashes.SHA256())


def create_authority(name: str, not_before: datetime, not_after: datetime) -> Authority:
    """Makes a new authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        _builder(_name(name), _name(name), key.public_key(), not_before, not_after)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
    )
    return Authority(key, builder.sign(key, hashes.SHA256()))


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    not_before: datetime,
    not_after: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
