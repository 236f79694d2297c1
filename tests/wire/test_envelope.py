"""The envelope: only an exact, pinned and known signature is opened."""

import base64
import json

import pytest
import samples
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, OKPKey

from device.wire.envelope import EnvelopeError, Fault, Kind, SigningKey, key_id, open_envelope, sign

KEY = SigningKey(Ed25519PrivateKey.generate())
KEYS = {KEY.kid: KEY.private.public_key()}
PAYLOAD = samples.result().write()
ENVELOPE = sign(Kind.RESULT, PAYLOAD, KEY)


def fault_of(raw: bytes, kind: Kind = Kind.RESULT) -> Fault:
    with pytest.raises(EnvelopeError) as caught:
        open_envelope(raw, kind, KEYS)
    return caught.value.fault


def forged(header: dict | list | str) -> bytes:
    """An envelope with any header, signed with our own key over exactly these bytes."""
    text = header if isinstance(header, str) else json.dumps(header)
    signing_input = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in (text.encode(), PAYLOAD))
    signature = base64.urlsafe_b64encode(KEY.private.sign(signing_input)).rstrip(b"=")
    return signing_input + b"." + signature


def test_what_was_signed_is_opened():
    opened = open_envelope(ENVELOPE.raw, Kind.RESULT, KEYS)
    assert (opened.payload, opened.kid, opened.sha256) == (PAYLOAD, KEY.kid, ENVELOPE.sha256)


def test_the_key_id_is_the_thumbprint_of_rfc_8037():
    public = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    key = OKPKey.import_key(public).get_op_key("verify")
    assert key_id(key) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@pytest.mark.parametrize("position", range(0, len(ENVELOPE.raw), 7))
def test_a_changed_byte_is_refused(position):
    changed = bytearray(ENVELOPE.raw)
    changed[position] ^= 1
    fault_of(bytes(changed))


@settings(max_examples=300)
@given(st.integers(0, len(ENVELOPE.raw) - 1), st.integers(0, 255))
def test_any_other_byte_anywhere_is_refused(position, value):
    changed = bytearray(ENVELOPE.raw)
    if changed[position] != value:
        changed[position] = value
        fault_of(bytes(changed))


@given(st.binary(max_size=600))
def test_bytes_of_any_kind_are_refused(raw):
    fault_of(raw)


@given(st.text(max_size=120))
def test_any_header_is_refused(text):
    fault_of(forged(text))


HEADER = {"alg": "Ed25519", "typ": Kind.RESULT.value, "kid": KEY.kid}


@pytest.mark.parametrize(
    ("header", "fault"),
    [
        (HEADER | {"alg": "none"}, Fault.WRONG_ALGORITHM),
        (HEADER | {"alg": "EdDSA"}, Fault.WRONG_ALGORITHM),
        (HEADER | {"alg": ["Ed25519"]}, Fault.WRONG_ALGORITHM),
        (HEADER | {"typ": "JWT"}, Fault.WRONG_TYPE),
        (HEADER | {"typ": Kind.RECEIPT.value}, Fault.WRONG_TYPE),
        (HEADER | {"kid": "unknown"}, Fault.UNKNOWN_KEY),
        (HEADER | {"kid": 7}, Fault.MALFORMED),
        (HEADER | {"jwk": {"kty": "OKP"}}, Fault.MALFORMED),
        (HEADER | {"b64": False, "crit": ["b64"]}, Fault.MALFORMED),
        (HEADER | {"crit": []}, Fault.MALFORMED),
        ({"alg": "Ed25519", "typ": Kind.RESULT.value}, Fault.MALFORMED),
        (["alg", "typ", "kid"], Fault.MALFORMED),
        ("[" * 180, Fault.MALFORMED),
        (HEADER | {"kid": "k" * 400}, Fault.MALFORMED),
    ],
)
def test_a_header_that_is_not_pinned_is_refused(header, fault):
    assert fault_of(forged(header)) is fault


def test_the_pinned_header_passes():
    assert open_envelope(forged(HEADER), Kind.RESULT, KEYS).payload == PAYLOAD


def test_another_key_under_our_id_is_refused():
    stranger = OKPKey.import_key(Ed25519PrivateKey.generate())
    raw = jws.serialize_compact(HEADER, PAYLOAD, stranger, algorithms=["Ed25519"]).encode()
    assert fault_of(raw) is Fault.BAD_SIGNATURE


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("HS256", OctKey.import_key(KEY.private.public_key().public_bytes_raw())),
        ("ES256", ECKey.generate_key("P-256")),
    ],
)
def test_key_confusion_is_refused(algorithm, key):
    raw = jws.serialize_compact(HEADER | {"alg": algorithm}, PAYLOAD, key, algorithms=[algorithm]).encode()
    assert fault_of(raw) is Fault.WRONG_ALGORITHM


@pytest.mark.parametrize("raw", [b"", b".", b"..", b"...", b"a.b.c.d", ENVELOPE.raw + b".", b"." + ENVELOPE.raw])
def test_other_forms_are_refused(raw):
    assert fault_of(raw) is Fault.MALFORMED


def test_padding_white_space_and_joined_parts_are_refused():
    for raw in (ENVELOPE.raw + b"=", ENVELOPE.raw + b"\n", b" " + ENVELOPE.raw, ENVELOPE.raw.replace(b".", b"..", 1)):
        fault_of(raw)


@pytest.mark.parametrize("kind", list(Kind))
def test_each_kind_has_its_limit(kind):
    assert fault_of(b"a" * (kind.max_bytes + 1), kind) is Fault.OVERSIZED
    with pytest.raises(EnvelopeError, match="oversized"):
        sign(kind, b"a" * kind.max_bytes, KEY)


def test_the_longest_request_fits():
    sealed = "A" * ((60 * 1024 + 48) * 4 // 3) + "x" * 3000
    assert open_envelope(sign(Kind.REQUEST, sealed.encode(), KEY).raw, Kind.REQUEST, KEYS)


def test_the_text_form_shows_no_key():
    assert "private" not in repr(KEY)
