"""Attacks on what central receives: each is refused, and stands in the ledger under its name."""

import json

import pytest
import samples
from bench import Bench
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jws
from joserfc.jwk import ECKey, OctKey

from central.verify import RefusedError, open_result
from device.wire.chain import ChainHead
from device.wire.envelope import Kind, SigningKey, key_id, sign
from device.wire.fields import encode_base64url
from device.wire.receipt import Verdict


def with_header(bench, payload: bytes, key: str = "shop-1", **header: object) -> bytes:
    """An envelope whose signature holds over any header."""
    genuine = {"alg": "Ed25519", "typ": Kind.RESULT.value, "kid": bench.keys[key].kid}
    text = {name: value for name, value in (genuine | header).items() if value is not None}
    signed = f"{encode_base64url(json.dumps(text).encode())}.{encode_base64url(payload)}"
    return f"{signed}.{encode_base64url(bench.keys[key].private.sign(signed.encode()))}".encode()


def without_signature(raw: bytes) -> bytes:
    return raw.rpartition(b".")[0] + b"."


def by_other_algorithm(bench, payload: bytes, algorithm: str) -> bytes:
    """Key confusion: the public key, which everybody knows, as the secret of a MAC; or a key of another kind."""
    public = bench.keys["shop-1"].private.public_key()
    key = OctKey.import_key(public.public_bytes_raw()) if algorithm == "HS256" else ECKey.generate_key("P-256")
    header = {"alg": algorithm, "typ": Kind.RESULT.value, "kid": key_id(public)}
    return jws.serialize_compact(header, payload, key, algorithms=[algorithm]).encode()


def nested(payload: bytes) -> bytes:
    return payload[:-1] + b',"prev":' + b"[" * 3000 + b"]" * 3000 + b"}"


STRANGER = SigningKey(Ed25519PrivateKey.generate())
ATTACKS = {
    "oversized": ("oversized", lambda _, raw, __: raw + b"A" * Kind.RESULT.max_bytes),
    "alg none": ("wrong-algorithm", lambda bench, _, payload: with_header(bench, payload, alg="none")),
    "alg none, no signature": (
        "malformed",
        lambda bench, _, payload: without_signature(with_header(bench, payload, alg="none")),
    ),
    "alg EdDSA": ("wrong-algorithm", lambda bench, _, payload: with_header(bench, payload, alg="EdDSA")),
    "key confusion, HMAC": ("wrong-algorithm", lambda bench, _, payload: by_other_algorithm(bench, payload, "HS256")),
    "key confusion, ECDSA": ("wrong-algorithm", lambda bench, _, payload: by_other_algorithm(bench, payload, "ES256")),
    "alg of ours over a MAC": (
        "bad-signature",
        lambda bench, raw, payload: raw.rpartition(b".")[0] + b"." + encode_base64url(bytes(32)).encode(),
    ),
    "wrong typ": ("wrong-type", lambda bench, _, payload: with_header(bench, payload, typ=Kind.BIRTH.value)),
    "no typ": ("malformed", lambda bench, _, payload: with_header(bench, payload, typ=None)),
    "unknown kid": ("unknown-key", lambda _, __, payload: sign(Kind.RESULT, payload, STRANGER).raw),
    "our kid, another key": ("bad-signature", lambda bench, _, payload: with_header(bench, payload, kid="?")),
    "kid of another terminal": (
        "bad-signature",
        lambda bench, _, payload: with_header(bench, payload, kid=bench.keys["shop-2"].kid),
    ),
    "a key inside": ("malformed", lambda bench, _, payload: with_header(bench, payload, jwk={"kty": "OKP"})),
    "critical": ("malformed", lambda bench, _, payload: with_header(bench, payload, crit=["b64"], b64=False)),
    "nested": ("malformed", lambda bench, _, payload: with_header(bench, nested(payload))),
    "nothing but brackets": ("malformed", lambda bench, _, __: with_header(bench, b"[" * 9000)),
    "non-UTF-8": ("malformed", lambda bench, _, payload: with_header(bench, payload.replace(b"shop-1", b"shop-\xff"))),
    "UTF-16": ("malformed", lambda bench, _, payload: with_header(bench, payload.decode().encode("utf-16"))),
    "a member twice": (
        "malformed",
        lambda bench, _, payload: with_header(bench, payload.replace(b'"iss"', b'"iss":"shop-2","iss"', 1)),
    ),
    "another terminal's name": (
        "other-terminal",
        lambda bench, _, payload: with_header(bench, payload.replace(b'"shop-1"', b'"shop-2"')),
    ),
    "another terminal's result": (
        "other-terminal",
        lambda bench, _, payload: with_header(bench, payload.replace(b'"shop-1"', b'"shop-2"'), key="shop-2"),
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_each_is_refused_and_named_in_the_ledger(bench, name):
    reason, attack = ATTACKS[name]
    genuine = bench.signed()
    raw = attack(bench, genuine.raw, genuine.payload)
    if name == "our kid, another key":
        raw = sign(Kind.RESULT, genuine.payload, _under_our_id(bench)).raw
    assert bench.judge(raw) is None
    assert bench.ledger.refusals() == [("shop-1", reason, 1)]
    assert bench.ledger.latest(9) == []
    assert bench.judge(genuine.raw).verdict is Verdict.ACCEPTED


def _under_our_id(bench) -> SigningKey:
    key = SigningKey(Ed25519PrivateKey.generate())
    object.__setattr__(key, "kid", bench.keys["shop-1"].kid)
    return key


@pytest.mark.parametrize("flip", [0x01, 0x20, 0x80])
def test_a_byte_changed_at_any_position_is_refused(tmp_path, flip):
    """Every position of an envelope; the reasons are those of the place."""
    bench = Bench(tmp_path)
    raw, reasons = bench.signed().raw, set()
    for position in range(len(raw)):
        changed = raw[:position] + bytes([raw[position] ^ flip]) + raw[position + 1 :]
        with pytest.raises(RefusedError) as caught:
            open_result(changed, "shop-1", bench.registry)
        reasons.add(str(caught.value))
    assert "bad-signature" in reasons
    assert reasons <= {"bad-signature", "malformed", "wrong-algorithm", "wrong-type", "unknown-key"}
    bench.ledger.close()


def test_a_byte_left_out_or_put_in_anywhere_is_refused(tmp_path):
    bench = Bench(tmp_path)
    raw = bench.signed().raw
    for position in range(len(raw)):
        for changed in (raw[:position] + raw[position + 1 :], raw[:position] + b"A" + raw[position:]):
            with pytest.raises(RefusedError):
                open_result(changed, "shop-1", bench.registry)
    bench.ledger.close()


def test_a_cloned_terminal_shows_as_two_chains(bench):
    """Both copies have the key; whoever is heard first keeps the chain, and the other one is set apart."""
    bench.judge(bench.signed().raw)
    shared = bench.head
    first = [bench.signed().raw for _ in range(3)]
    bench.head = shared
    second = [bench.signed(iat=samples.NOW + 7).raw for _ in range(3)]
    both = [raw for pair in zip(first, second, strict=True) for raw in pair]
    assert [bench.judge(raw).reason for raw in both] == [None, "fork"] * 3
    assert [held.envelope for held in bench.ledger.latest(9) if held.linked][1:] == first


def test_a_replayed_result_counts_once_even_beside_its_changed_twin(bench):
    bench.asks(samples.request())
    told = {"offline": False, "request": samples.echo(), "reference": samples.card()}
    genuine = bench.signed(**told)
    first = bench.judge(genuine.raw)
    bench.head = ChainHead(1)
    twin = bench.signed(**told, sentence="The same session, signed again.")
    assert bench.judge(twin.raw).reason == "fork"
    assert [bench.judge(genuine.raw) for _ in range(3)] == [first] * 3
    assert bench.ledger.database.rows("SELECT count(*) FROM results") == [(1,)]
