"""Vectors of single envelopes: what has to open, and what must not for one reason."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import contract_messages as messages
from contract_claims import bad_claims, odd_but_good_claims
from contract_keys import OLD_RESULT_KEY, RECEIPT_KEY, REQUEST_KEY, RESULT_KEYS, STRANGER, UPDATE_KEY, forged
from contract_messages import Document, text

from device.wire.envelope import Kind, SigningKey
from device.wire.fields import encode_base64url

SIGNERS = dict.fromkeys(Kind, RESULT_KEYS["shop-1"]) | {
    Kind.REQUEST: REQUEST_KEY,
    Kind.COMMAND: REQUEST_KEY,
    Kind.RECEIPT: RECEIPT_KEY,
    Kind.ANCHOR: RESULT_KEYS["shop-2"],
    Kind.UPDATE: UPDATE_KEY,
}
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493


def header(kind: Kind, key: SigningKey) -> Document:
    return {"alg": "Ed25519", "typ": kind.value, "kid": key.kid}


def signed(kind: Kind, claims: Any, key: SigningKey | None = None) -> bytes:
    """An envelope as everybody makes it."""
    signer = key or SIGNERS[kind]
    return forged(header(kind, signer), claims if isinstance(claims, bytes) else text(claims), signer)


def vectors() -> list[Document]:
    """envelopes.json."""
    good = [_vector(name, kind, raw, "opened") for name, kind, raw in _good()]
    claims = [_vector(name, kind, signed(kind, document), "malformed-claims") for name, kind, document in bad_claims()]
    return good + [_vector(name, Kind.RESULT, raw, reason) for name, raw, reason in _bad()] + claims


def _vector(name: str, kind: Kind, raw: bytes, expect: str) -> Document:
    made: Document = {"name": name, "kind": _word(kind), "expect": expect}
    if raw.isascii():
        made["envelope"] = raw.decode()
    else:
        made["envelope_hex"] = raw.hex()
    if expect == "opened":
        made["sha256"] = hashlib.sha256(raw).hexdigest()
    return made


def _word(kind: Kind) -> str:
    return kind.value.removeprefix("likeness-").removesuffix("+jwt")


def _good() -> Iterator[tuple[str, Kind, bytes]]:
    whole = {
        Kind.RESULT: messages.verified(light=True),
        Kind.BIRTH: messages.birth(),
        Kind.REQUEST: messages.request(),
        Kind.RECEIPT: messages.receipt({"epoch": 1, "seq": 1, "sha256": "d" * 64, "verdict": "accepted"}),
        Kind.COMMAND: messages.command(),
        Kind.REPLY: messages.reply(),
        Kind.HEALTH: messages.health(),
        Kind.EVIDENCE: messages.evidence(),
        Kind.ANCHOR: messages.anchor(),
        Kind.UPDATE: messages.update(),
    }
    for kind, claims in whole.items():
        yield f"{_word(kind)}", kind, signed(kind, claims)
    for name, kind, claims in odd_but_good_claims():
        yield name, kind, signed(kind, claims)
    key = RESULT_KEYS["shop-1"]
    members = json.dumps(dict(reversed(header(Kind.RESULT, key).items())), indent=1).encode()
    yield "header in another order, with white space", Kind.RESULT, forged(members, text(messages.declined()), key)
    yield "signed with a key that is revoked", Kind.RESULT, signed(Kind.RESULT, messages.declined(), OLD_RESULT_KEY)
    yield "as long as is allowed", Kind.BIRTH, _filled(4096)


def _filled(length: int) -> bytes:
    """A birth of exactly this length, filled with a member that nobody knows."""
    for filler in range(length):
        raw = signed(Kind.BIRTH, messages.birth(later="x" * filler))
        if len(raw) == length:
            return raw
    raise ValueError("no filler gives this length")


def _bad() -> Iterator[tuple[str, bytes, str]]:
    key = RESULT_KEYS["shop-1"]
    payload = text(messages.declined())
    usual = header(Kind.RESULT, key)
    raw = forged(usual, payload, key)
    yield from _bad_headers(usual, payload, key)
    yield from _bad_forms(raw)
    yield from _bad_signatures(usual, payload, raw, key)


def _bad_headers(usual: Document, payload: bytes, key: SigningKey) -> Iterator[tuple[str, bytes, str]]:
    algorithms = ("none", "None", "EdDSA", "Ed448", "ES256", "RS256", "HS256", "ed25519", "", None, 1, ["Ed25519"])
    for algorithm in algorithms:
        yield f"alg {json.dumps(algorithm)}", forged(usual | {"alg": algorithm}, payload, key), "wrong-algorithm"
    for typ in ("JWT", "likeness-birth+jwt", "likeness-anchor+jwt", "LIKENESS-RESULT+JWT", "", None, ["likeness"]):
        yield f"typ {json.dumps(typ)}", forged(usual | {"typ": typ}, payload, key), "wrong-type"
    strange = {"a stranger's": STRANGER.kid, "that of central's receipts": RECEIPT_KEY.kid, "empty": ""}
    for name, kid in (strange | {"in upper case": key.kid.upper(), "with a path": "../" + key.kid[3:]}).items():
        yield f"kid {name}", forged(usual | {"kid": kid}, payload, key), "unknown-key"
    public = {"kty": "OKP", "crv": "Ed25519", "x": encode_base64url(STRANGER.private.public_key().public_bytes_raw())}
    extra = {"crit": ["exp"], "jwk": public, "jku": "https://keys.example", "x5c": ["MIIB"], "b64": False, "zip": "DEF"}
    for name, value in extra.items():
        yield f"one more header member: {name}", forged(usual | {name: value}, payload, key), "malformed"
    for name in usual:
        yield f"header without {name}", forged(messages.without(usual, name), payload, key), "malformed"
    twice = json.dumps(usual)[:-1].encode() + b', "alg": "Ed25519"}'
    forms = {
        "kid a number": json.dumps(usual | {"kid": 7}).encode(),
        "header a list": b'["alg","typ","kid"]',
        "header not JSON": b"alg",
        "header with alg twice": twice,
        "header not UTF-8": json.dumps(usual).encode().replace(b"Ed25519", b"Ed25519\xff"),
        "header nested deeply": b"[" * 90 + b"]" * 90,
        "header longer than 256 characters": json.dumps(usual).encode() + b" " * 100,
    }
    for name, member in forms.items():
        yield name, forged(member, payload, key), "malformed"


def _bad_forms(raw: bytes) -> Iterator[tuple[str, bytes, str]]:
    head, body, signature = raw.split(b".")
    forms = {
        "nothing": b"",
        "two parts": head + b"." + body,
        "four parts": raw + b".",
        "an empty signature": head + b"." + body + b".",
        "an empty payload": head + b".." + signature,
        "JSON serialisation": text({"protected": head.decode(), "payload": body.decode(), "signature": "x"}),
        "white space before": b" " + raw,
        "header with padding": head + b"==." + body + b"." + signature,
        "header in the other base64": head[:-1] + b"+." + body + b"." + signature,
        "header not ASCII": head[:-1] + b"\xe9." + body + b"." + signature,
        "header cut in a character": head + b"A." + body + b"." + signature,
    }
    for name, form in forms.items():
        yield name, form, "malformed"
    yield "longer than is allowed", raw + b"A" * (16_385 - len(raw)), "oversized"
    yield "longer than is allowed, and nothing else", b"." * 16_385, "oversized"


def _bad_signatures(usual: Document, payload: bytes, raw: bytes, key: SigningKey) -> Iterator[tuple[str, bytes, str]]:
    head, body, signature = raw.split(b".")
    start = len(head) + 1
    for place in (start, start + len(body) // 2, start + len(body) - 2, len(raw) - 86, len(raw) - 40, len(raw) - 2):
        other = b"A" if raw[place : place + 1] != b"A" else b"B"
        yield f"character {place} changed", raw[:place] + other + raw[place + 1 :], "bad-signature"
    scalar = int.from_bytes(key.private.sign(head + b"." + body)[32:], "little") + GROUP_ORDER
    added = key.private.sign(head + b"." + body)[:32] + scalar.to_bytes(32, "little")
    secret = key.private.public_key().public_bytes_raw()
    other = forged(header(Kind.RESULT, key), text(messages.declined(seq=2)), key)
    signatures = {
        "spare bits of the signature set": signature[:-1] + _with_spare_bits(signature[-1:]),
        "signature with the group's order added": encode_base64url(added).encode(),
        "signature of zeros": encode_base64url(bytes(64)).encode(),
        "signature cut": signature[:-4],
        "signature longer": signature + b"AAAA",
        "signature with padding": signature + b"==",
        "signature with a new line": signature + b"\n",
        "signature not ASCII": signature[:-1] + b"\xe9",
        "signature of another envelope": other.rsplit(b".", 1)[1],
        "key confusion: HMAC with the public key": encode_base64url(
            hmac.digest(secret, head + b"." + body, "sha256")
        ).encode(),
    }
    for name, part in signatures.items():
        yield name, head + b"." + body + b"." + part, "bad-signature"
    yield "payload with padding", head + b"." + body + b"=." + signature, "bad-signature"
    yield "payload of another envelope", head + b"." + other.split(b".")[1] + b"." + signature, "bad-signature"
    yield "signed with another terminal's key", forged(usual, payload, RESULT_KEYS["shop-2"]), "bad-signature"
    yield (
        "signed without the header",
        head + b"." + body + b"." + encode_base64url(key.private.sign(payload)).encode(),
        "bad-signature",
    )


def _with_spare_bits(last: bytes) -> bytes:
    """The next character of the alphabet: the two bits that count stay as they are."""
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return alphabet[alphabet.index(last) + 1 :][:1]
