"""Enrolment: what terminal and authority hand each other, by file or over the network.

A *token* names one terminal and the root whose word it is to take. The terminal makes its keys and a *request*: its
public keys under a signature by the new result key, vouched for by the token's secret (the first time) or by the
result key of before (a rotation). The authority answers with a *bundle*: the root's statement of who belongs to the
authority, and the identity that the issuing key gave to this very request.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Annotated, Self, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import Field, StringConstraints, model_validator

from device.wire.envelope import Envelope, EnvelopeError, Kind, SigningKey, key_id, open_envelope, sign
from device.wire.fields import (
    Binary,
    Claims,
    ClaimsError,
    Counter,
    Name,
    Sha256,
    TerminalId,
    UnixTime,
    decode_base64url,
    encode_base64url,
)

Document = TypeVar("Document", bound=Claims)
MAX_DOCUMENT_BYTES = 48 * 1024
_TOKEN_MARK = "likeness-token-1."  # noqa: S105 - what a token begins with
_MAX_TOKEN_CHARACTERS = 1024

RawKey = Annotated[Binary, Field(min_length=32, max_length=32)]
"""An Ed25519 or X25519 public key, raw."""
KeyId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]
Pem = Annotated[str, StringConstraints(max_length=4096, pattern=r"^-----BEGIN CERTIFICATE-----\n")]
Host = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.:-]{1,253}$")]


class EnrolmentError(ValueError):
    """A token, request or bundle is not to be trusted; one line that says why and what to do."""


class Server(Claims):
    """Where the authority answers over the network; `pin` is the SHA-256 of its certificate (DER)."""

    host: Host
    port: Annotated[int, Field(ge=1, le=65535)]
    pin: Sha256


class Token(Claims):
    """A one-time token: whoever holds `secret` may enrol `terminal` once, until `expires`."""

    terminal: TerminalId
    id: Annotated[Binary, Field(min_length=8, max_length=8)]
    secret: Annotated[Binary, Field(min_length=16, max_length=16)] = Field(repr=False)
    expires: UnixTime
    root: KeyId
    server: Server | None = None

    def text(self) -> str:
        """The token as it stands in its file."""
        return _TOKEN_MARK + encode_base64url(self.write())

    def proof(self, request: Envelope) -> bytes:
        """What shows that the request comes from whoever holds the token, and tells nobody the secret."""
        return token_proof(self.secret, request.sha256)


class EnrolmentClaims(Claims):
    """What a terminal asks to be known by; `csr` (DER) is signed with the TLS key, the whole with the result key."""

    iss: TerminalId
    csr: Annotated[Binary, Field(max_length=2048)]
    unsealing: RawKey


class ApprovalClaims(Claims):
    """The word of the result key of before for a new request."""

    iss: TerminalId
    request: Sha256


class TokenProof(Claims):
    """Which token vouches, and the proof that the terminal holds it."""

    id: Annotated[Binary, Field(min_length=8, max_length=8)]
    proof: Annotated[Binary, Field(min_length=32, max_length=32)]


class RequestDocument(Claims):
    """The request file. `result` is the key that signed `request`."""

    result: RawKey
    request: Annotated[str, StringConstraints(max_length=Kind.ENROLMENT.max_bytes)]
    token: TokenProof | None = None
    approval: Annotated[str, StringConstraints(max_length=Kind.APPROVAL.max_bytes)] | None = None

    @model_validator(mode="after")
    def _vouched_once(self) -> Self:
        if (self.token is None) == (self.approval is None):
            raise ValueError("a request is vouched for by a token or by an approval")
        return self


class AuthorityClaims(Claims):
    """The root's statement: whose signatures count, on paper that outlives many terminals.

    Attributes:
        iss: the authority's name.
        iat: seconds since 1970.
        serial: rises with each statement; a terminal takes none older than the one it holds.
        issuing: signs identities.
        clients: certificate of the authority that issues client certificates.
        broker: certificate of the authority that issues the broker's.
        requests: central's key for requests and commands.
        receipts: central's key for receipts.
        evidence: central's X25519 key, which evidence is sealed to.
        updates: the key that signs updates; absent in statements of before there were any.
    """

    iss: Name
    iat: UnixTime
    serial: Counter
    issuing: RawKey
    clients: Pem
    broker: Pem
    requests: RawKey
    receipts: RawKey
    evidence: RawKey
    updates: RawKey | None = None


class IdentityClaims(Claims):
    """What the issuing key gives to one request: who the terminal is, its certificate, and its chain epoch."""

    iss: Name
    aud: TerminalId
    iat: UnixTime
    request: Sha256
    certificate: Pem
    epoch: Annotated[Counter, Field(ge=1)]


class BundleDocument(Claims):
    """The signed identity bundle. `root` is the key that signed `authority`, and has to be the one the token names."""

    root: RawKey
    authority: Annotated[str, StringConstraints(max_length=Kind.AUTHORITY.max_bytes)]
    identity: Annotated[str, StringConstraints(max_length=Kind.IDENTITY.max_bytes)]


def token_proof(secret: bytes, request_sha256: str) -> bytes:
    """The proof that belongs to a token's secret and a request."""
    return hmac.digest(secret, b"likeness/v1/enrolment\0" + bytes.fromhex(request_sha256), hashlib.sha256)


def read_token(text: str) -> Token:
    """Reads a token; raises EnrolmentError."""
    text = text.strip()
    if not text.startswith(_TOKEN_MARK) or len(text) > _MAX_TOKEN_CHARACTERS:
        raise EnrolmentError("is not a likeness token: copy the whole line that likeness-provision token printed")
    try:
        return Token.read(decode_base64url(text.removeprefix(_TOKEN_MARK)))
    except ValueError:
        raise EnrolmentError("the token is damaged: copy it again, the whole line") from None


def write_request(claims: EnrolmentClaims, key: SigningKey, voucher: Token | SigningKey) -> bytes:
    """Returns the request file; `voucher` is the token, or the result key of before."""
    request = sign(Kind.ENROLMENT, claims.write(), key)
    token, approval = None, None
    if isinstance(voucher, Token):
        token = TokenProof(id=voucher.id, proof=voucher.proof(request))
    else:
        word = ApprovalClaims(iss=claims.iss, request=request.sha256)
        approval = sign(Kind.APPROVAL, word.write(), voucher).raw.decode()
    public = key.private.public_key().public_bytes_raw()
    return RequestDocument(result=public, request=request.raw.decode(), token=token, approval=approval).write()


def read_request(raw: bytes) -> tuple[RequestDocument, Envelope, EnrolmentClaims]:
    """Reads a request and checks that its result key signed it, no more; raises EnrolmentError."""
    document = _document(raw, RequestDocument, "request")
    envelope = _opened(document.request, Kind.ENROLMENT, document.result, "the request")
    return document, envelope, _claims(envelope, EnrolmentClaims, "request")


def read_approval(document: RequestDocument, request: Envelope, key: Ed25519PublicKey, terminal: str) -> None:
    """Checks that `key` approved this request for `terminal`; raises EnrolmentError."""
    if document.approval is None:
        raise EnrolmentError("the request has no approval by the key of before")
    opened = _opened(document.approval, Kind.APPROVAL, key.public_bytes_raw(), "the approval")
    word = _claims(opened, ApprovalClaims, "approval")
    if (word.iss, word.request) != (terminal, request.sha256):
        raise EnrolmentError("the approval belongs to another request")


def read_bundle(raw: bytes, root: str) -> tuple[AuthorityClaims, IdentityClaims]:
    """Reads a bundle down from the root whose key id is `root`; raises EnrolmentError."""
    document = _document(raw, BundleDocument, "bundle")
    if key_id(Ed25519PublicKey.from_public_bytes(document.root)) != root:
        raise EnrolmentError(
            "the bundle comes from a foreign authority: use one from the authority that made the token"
        )
    statement = _opened(document.authority, Kind.AUTHORITY, document.root, "the bundle's statement of the authority")
    authority = _claims(statement, AuthorityClaims, "bundle")
    signed = _opened(document.identity, Kind.IDENTITY, authority.issuing, "the bundle's identity")
    return authority, _claims(signed, IdentityClaims, "bundle")


def request_digest(raw: bytes) -> str:
    """SHA-256 of the envelope in a request file, by which a bundle names it; raises EnrolmentError."""
    return read_request(raw)[1].sha256


def _document(raw: bytes, model: type[Document], what: str) -> Document:
    if len(raw) > MAX_DOCUMENT_BYTES:
        raise EnrolmentError(f"is no {what}: larger than {MAX_DOCUMENT_BYTES // 1024} KiB")
    try:
        return model.read(raw)
    except ClaimsError as error:
        raise EnrolmentError(f"is no {what}, or a damaged one ({error})") from None


def _claims(envelope: Envelope, model: type[Document], what: str) -> Document:
    try:
        return model.read(envelope.payload)
    except ClaimsError as error:
        raise EnrolmentError(f"the {what} says what this version does not understand ({error})") from None


def _opened(text: str, kind: Kind, key: bytes, what: str) -> Envelope:
    public = Ed25519PublicKey.from_public_bytes(key)
    try:
        return open_envelope(text.encode(), kind, {key_id(public): public})
    except EnvelopeError as error:
        raise EnrolmentError(f"{what} was tampered with or is damaged ({error.fault})") from None
