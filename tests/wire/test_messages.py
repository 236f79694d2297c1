"""Command, reply, health, evidence and anchor: round trips, bounds, and whatever a stranger may send."""

import json
from typing import Any

import pytest
import samples
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from device.wire.anchor import AnchorClaims, ChainPlace
from device.wire.chain import GENESIS, ChainPosition
from device.wire.command import Command, CommandClaims, ReplyClaims
from device.wire.envelope import EnvelopeError, Fault, Kind, SigningKey, kind_among, open_envelope, sign
from device.wire.evidence import (
    MAX_FRAMES,
    MAX_PORTRAIT_BYTES,
    MAX_SEALED_BYTES,
    EvidenceClaims,
    EvidenceCue,
    EvidenceMark,
    EvidencePack,
    EvidenceSignals,
)
from device.wire.fields import Claims, ClaimsError
from device.wire.health import HealthClaims
from device.wire.keys import KeyFormatError, parse_sealing_key, public_pem
from device.wire.plan import Action
from device.wire.receipt import ReceiptEntry
from device.wire.request import Policy
from device.wire.sealing import SEALING_OVERHEAD_BYTES, evidence_context, seal, unseal
from device.wire.topics import CARRIES, TO_CENTRAL, TO_TERMINAL, Leaf

KEY = SigningKey(Ed25519PrivateKey.generate())
KEYS = {KEY.kid: KEY.private.public_key()}
MESSAGES: dict[Kind, Claims] = {
    Kind.COMMAND: samples.command(),
    Kind.REPLY: samples.reply(),
    Kind.HEALTH: samples.health(),
    Kind.EVIDENCE: samples.evidence(),
    Kind.ANCHOR: samples.anchor(),
}


@pytest.mark.parametrize("kind", list(MESSAGES))
def test_each_message_reads_back_as_it_was_signed(kind):
    claims = MESSAGES[kind]
    opened = open_envelope(sign(kind, claims.write(), KEY).raw, kind, KEYS)
    assert type(claims).read(opened.payload) == claims


@given(st.sampled_from(list(MESSAGES)), st.sampled_from(list(Kind)))
def test_no_message_opens_as_another_kind(signed, opened):
    raw = sign(signed, MESSAGES[signed].write(), KEY).raw
    if signed is opened:
        assert open_envelope(raw, opened, KEYS).kind is signed
    else:
        with pytest.raises(EnvelopeError, match=r"wrong-type|oversized"):
            open_envelope(raw, opened, KEYS)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)


@given(st.sampled_from(list(MESSAGES.values())), st.data(), json_values)
def test_any_value_in_any_claim_is_read_or_refused(claims, data, value):
    document = json.loads(claims.write())
    name = data.draw(st.sampled_from(sorted(document)))
    try:
        read = type(claims).read(json.dumps(document | {name: value}).encode())
    except ClaimsError:
        return
    assert type(claims).read(read.write()) == read


@given(st.sampled_from([*MESSAGES.values(), samples.pack()]), st.binary(max_size=300))
def test_bytes_of_any_kind_are_refused(claims, raw):
    with pytest.raises(ClaimsError):
        type(claims).read(raw)


@given(st.integers(1, 2**53 - 1), st.sampled_from(Command), st.integers(0, 2**40 - 1))
def test_commands_round_trip(counter, command, exp):
    claims = samples.command(counter=counter, command=command, exp=exp)
    assert CommandClaims.read(claims.write()) == claims


@pytest.mark.parametrize(
    ("make", "changes"),
    [
        (samples.command, {"counter": 0}),
        (samples.command, {"counter": 2**53}),
        (samples.command, {"aud": "Shop-1"}),
        (samples.command, {"jti": samples.BOOT}),
        (samples.command, {"command": "Restart"}),
        (samples.reply, {"status": "DONE"}),
        (samples.reply, {"sentence": "a\nb"}),
        (samples.health, {"waiting": -1}),
        (samples.health, {"temperature_c": float("inf")}),
        (samples.health, {"camera": ""}),
        (samples.anchor, {"epoch": 1}),
        (samples.anchor, {"reason": "new key"}),
        (samples.evidence, {"seq": 0}),
        (samples.evidence, {"sealed": bytes(SEALING_OVERHEAD_BYTES)}),
        (samples.evidence, {"sealed": bytes(MAX_SEALED_BYTES + 1)}),
        (samples.pack, {"portrait": b""}),
        (samples.pack, {"portrait": bytes(MAX_PORTRAIT_BYTES + 1)}),
    ],
)
def test_what_is_out_of_range_is_not_made(make, changes):
    with pytest.raises(ValidationError):
        make(**changes)


def test_a_command_that_nobody_knows_is_read_and_is_none_of_ours():
    claims = samples.command(command="open-the-till")
    assert CommandClaims.read(claims.write()).command not in set(Command)


def test_the_anchor_stands_before_the_first_result():
    assert samples.anchor(previous=None).position == ChainPosition(2, 0, GENESIS)
    previous = ChainPlace(epoch=1, seq=7, sha256="c" * 64)
    assert AnchorClaims.read(samples.anchor(previous=previous).write()).position == ChainPosition(2, 0, "c" * 64)


def test_a_receipt_may_name_an_anchor():
    assert ReceiptEntry(epoch=2, seq=0, sha256="a" * 64, verdict="accepted").seq == 0


def test_no_column_is_shorter_than_another():
    with pytest.raises(ValidationError, match="every column"):
        EvidenceSignals(at_s=(0.0, 0.1), yaw_deg=(1.0,), pitch_deg=(1.0,), left_eye=(0.3,), right_eye=(0.3,), cues=())


def test_the_largest_evidence_fits_when_sealed_and_signed():
    column = (-359.9,) * MAX_FRAMES
    full = EvidencePack(
        signals=EvidenceSignals(
            at_s=(3599.999,) * MAX_FRAMES,
            yaw_deg=column,
            pitch_deg=column,
            left_eye=(-0.12,) * MAX_FRAMES,
            right_eye=(-0.12,) * MAX_FRAMES,
            cues=(EvidenceCue(action=Action.TURN_RIGHT, at_s=3599.999),) * 8,
        ),
        portrait=bytes(MAX_PORTRAIT_BYTES),
    )
    assert len(full.write()) + SEALING_OVERHEAD_BYTES <= MAX_SEALED_BYTES
    sealed = samples.evidence(sealed=bytes(MAX_SEALED_BYTES))
    assert sign(Kind.EVIDENCE, sealed.write(), KEY)


def test_evidence_opens_for_central_in_its_own_context_only():
    key = X25519PrivateKey.generate()
    context = evidence_context(result=samples.SESSION, terminal=samples.TERMINAL, purpose="sim-registration")
    sealed = seal(samples.pack().write(), parse_sealing_key(public_pem(key.public_key())), context)
    assert EvidencePack.read(unseal(sealed, key, context)) == samples.pack()
    assert context.info() == b"".join(
        len(part).to_bytes(2, "big") + part
        for part in (
            b"likeness/v1/seal",
            b"evidence",
            samples.SESSION.encode(),
            b"shop-1",
            b"sim-registration",
            b"to-central",
        )
    )


@pytest.mark.parametrize("pem", [b"", b"nonsense", public_pem(KEY.private.public_key())])
def test_only_an_x25519_key_seals(pem):
    with pytest.raises(KeyFormatError):
        parse_sealing_key(pem)


def test_the_text_form_hides_what_is_sealed_and_what_was_seen():
    assert "sealed" not in repr(samples.evidence()) and "portrait" not in repr(samples.pack())


def test_a_result_may_name_its_evidence_and_a_policy_may_ask_for_it():
    mark = EvidenceMark(sha256="d" * 64, bytes=4000, kinds=("signals", "portrait"))
    claims = samples.result(evidence=mark)
    assert type(claims).read(claims.write()).evidence == mark
    assert Policy().evidence == () and Policy(evidence=("signals", "later")).evidence == ("signals", "later")


@pytest.mark.parametrize("changes", [{"kinds": ()}, {"bytes": 48}, {"bytes": MAX_SEALED_BYTES + 1}, {"sha256": "d"}])
def test_a_mark_of_no_evidence_is_not_made(changes):
    values: dict[str, Any] = {"sha256": "d" * 64, "bytes": 4000, "kinds": ("signals",)}
    with pytest.raises(ValidationError):
        EvidenceMark(**(values | changes))


def test_every_leaf_carries_kinds_of_its_own():
    assert set(CARRIES) == set(TO_TERMINAL) | set(TO_CENTRAL) == set(Leaf)
    carried = [kind for kinds in CARRIES.values() for kind in kinds]
    assert sorted(carried) == sorted(
        set(Kind) - {Kind.UPDATE, Kind.AUTHORITY, Kind.IDENTITY, Kind.ENROLMENT, Kind.APPROVAL}
    )


def test_a_leaf_with_two_kinds_says_which_one_came():
    for kind in CARRIES[Leaf.RESULT]:
        assert kind_among(sign(kind, b"{}", KEY).raw, CARRIES[Leaf.RESULT]) is kind
    with pytest.raises(EnvelopeError, match="wrong-type"):
        kind_among(sign(Kind.BIRTH, b"{}", KEY).raw, CARRIES[Leaf.RESULT])


@given(st.binary(max_size=400))
def test_bytes_of_any_kind_are_of_no_kind(raw):
    with pytest.raises(EnvelopeError) as caught:
        kind_among(raw, list(Kind))
    assert caught.value.fault in (Fault.MALFORMED, Fault.WRONG_TYPE)


def test_a_longer_envelope_than_any_kind_allows_is_not_looked_at():
    with pytest.raises(EnvelopeError, match="oversized"):
        kind_among(b"a" * (Kind.RESULT.max_bytes + 1), CARRIES[Leaf.RESULT])


def test_claims_are_of_the_kind_that_reads_them():
    assert [type(claims) for claims in MESSAGES.values()] == [
        CommandClaims,
        ReplyClaims,
        HealthClaims,
        EvidenceClaims,
        AnchorClaims,
    ]
