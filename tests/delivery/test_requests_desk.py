"""The request desk: each reason to refuse, on its own, and nothing used up by a refusal."""

from typing import Any

import pytest
import samples
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from central.config import load_central, load_signing_key
from central.desk import Errand, make_request
from central.registry import load_registry
from device.delivery.requests import PolicyFloor, RequestDesk, RequestRefusedError
from device.wire.claims import Grade
from device.wire.envelope import Kind, SigningKey, sign
from device.wire.fields import FalseMatchRate
from device.wire.plan import Action
from device.wire.request import Alternative, Policy, RequestClaims, SealedReference
from device.wire.sealing import commitment, reference_context, seal


@pytest.fixture
def desk(keys, outbox):
    return RequestDesk(keys, samples.BOOT, outbox, PolicyFloor(FalseMatchRate.ONE_IN_10000))


@pytest.fixture
def signer(made) -> SigningKey:
    return load_signing_key(load_central(made.central).keys.requests)


@pytest.fixture
def ask(made, signer):
    registry = load_registry(load_central(made.central).registry)

    def asked(terminal: str = samples.TERMINAL, boot: str = samples.BOOT, **changes: Any) -> RequestClaims:
        values: dict[str, Any] = {
            "purpose": "sim-registration",
            "outlet": "o",
            "attendant": "a",
            "transaction": "t",
            "subject": "s",
            "policy": Policy(fmr=FalseMatchRate.ONE_IN_10000),
            "reference": samples.PORTRAIT,
        }
        errand = Errand(terminal=terminal, **(values | changes))
        return make_request(errand, boot, "central", registry, signer, samples.NOW)[0]

    return asked


def signed(claims: RequestClaims, signer: SigningKey) -> bytes:
    return sign(Kind.REQUEST, claims.write(), signer).raw


def refusal(desk: RequestDesk, raw: bytes, now: float | None = samples.NOW) -> str:
    with pytest.raises(RequestRefusedError) as caught:
        desk.accept(raw, now)
    assert caught.value.sentence.endswith(".")
    return caught.value.reason


def test_a_good_request_is_accepted_once(desk, ask, signer):
    claims = ask()
    accepted = desk.accept(signed(claims, signer), samples.NOW)
    assert accepted.reference == samples.PORTRAIT and accepted.nonce == claims.nonce
    assert accepted.mark.commitment == commitment(samples.PORTRAIT, claims.nonce)
    assert refusal(desk, signed(claims, signer)) == "used"
    assert refusal(desk, signed(claims, signer), now=None) == "used"


def test_its_text_form_holds_nothing_secret(desk, ask, signer):
    accepted = desk.accept(signed(ask(), signer), samples.NOW)
    assert "portrait" not in repr(accepted) and repr(accepted.nonce) not in repr(accepted)


def test_without_a_trusted_clock_expiry_is_not_checked(desk, ask, signer):
    assert desk.accept(signed(ask(), signer), now=None)


@pytest.mark.parametrize(
    ("actions", "steps", "reason"),
    [
        ((Action.LOOK_UP, Action.TURN_LEFT, Action.TURN_RIGHT), 5, None),
        ((Action.LOOK_UP, Action.TURN_LEFT, Action.TURN_RIGHT), 4, "policy-too-weak"),
        ((Action.TURN_LEFT, Action.TURN_RIGHT), 8, "policy-too-weak"),
        ((Action.BLINK, Action.BLINK_TWICE), 8, "policy-too-weak"),
    ],
)
def test_an_alternative_that_is_easier_to_guess_is_refused(desk, ask, signer, actions, steps, reason):
    other = Alternative(actions=actions, steps=steps)
    raw = signed(ask(policy=Policy(fmr=FalseMatchRate.ONE_IN_10000, alternative=other)), signer)
    if reason is None:
        assert desk.accept(raw, samples.NOW).policy.alternative == other
    else:
        assert refusal(desk, raw) == reason


def policy(*grades: Grade) -> Policy:
    return Policy(fmr=FalseMatchRate.ONE_IN_10000, grades=grades)


def test_a_witness_is_a_grade_of_its_own(desk, ask, signer):
    raw = signed(ask(reference=None, policy=policy(Grade.WITNESSED)), signer)
    assert desk.accept(raw, samples.NOW).policy.is_witnessed
    with_portrait = signed(ask(policy=policy(Grade.WITNESSED)), signer)
    assert refusal(desk, with_portrait) == "grade-not-asked-for"
    either = signed(ask(reference=None, policy=policy(Grade.WITNESSED, Grade.CARD)), signer)
    assert not desk.accept(either, samples.NOW).policy.is_witnessed


def test_a_card_request_has_no_reference(desk, ask, signer):
    accepted = desk.accept(signed(ask(reference=None, policy=policy(Grade.CARD)), signer), samples.NOW)
    assert accepted.reference is None and accepted.mark is None


def test_the_printed_card_is_read_only_where_the_policy_says_so(desk, ask, signer):
    assert refusal(desk, signed(ask(reference=None), signer)) == "grade-not-asked-for"
    assert refusal(desk, signed(ask(policy=policy(Grade.CARD)), signer)) == "grade-not-asked-for"
    both = ask(policy=policy(Grade.REQUEST, Grade.CARD))
    assert desk.accept(signed(both, signer), samples.NOW).mark.grade == "request"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"aud": "shop-2"}, "other-terminal"),
        ({"boot": samples.OTHER_BOOT}, "other-boot"),
        ({"exp": samples.NOW}, "expired"),
        ({"policy": Policy(fmr=FalseMatchRate.ONE_IN_1000)}, "policy-too-weak"),
        ({"policy": Policy(fmr=FalseMatchRate.ONE_IN_10000, steps=1)}, "policy-too-weak"),
        (
            {"policy": Policy(fmr=FalseMatchRate.ONE_IN_10000, actions=(Action.TURN_LEFT, Action.TURN_RIGHT))},
            "policy-too-weak",
        ),
        (
            {"policy": Policy(fmr=FalseMatchRate.ONE_IN_10000, actions=(Action.BLINK, Action.LOOK_UP))},
            "policy-too-weak",
        ),
        ({"purpose": "another-purpose"}, "reference-not-for-us"),
        ({"nonce": bytes(32)}, "reference-not-for-us"),
        ({"jti": samples.SESSION}, "reference-not-for-us"),
    ],
)
def test_each_reason_to_refuse_and_the_good_one_stays_usable(desk, ask, signer, changes, reason):
    claims = ask()
    assert refusal(desk, signed(claims.model_copy(update=changes), signer)) == reason
    assert desk.accept(signed(claims, signer), samples.NOW)


def test_a_swapped_reference_is_refused(desk, ask, signer, keys):
    claims = ask()
    context = reference_context(request=claims.jti, terminal=claims.aud, purpose=claims.purpose)
    for key in (keys.unsealing_key, X25519PrivateKey.generate()):
        sealed = seal(b"\xff\xd8\xff another face", key.public_key(), context)
        reference = SealedReference(sealed=sealed, commitment=claims.reference.commitment)
        changed = claims.model_copy(update={"reference": reference})
        assert refusal(desk, signed(changed, signer)) == "reference-not-for-us"


def test_forged_oversized_and_malformed_requests_are_refused(desk, ask, keys, signer):
    claims = ask()
    assert refusal(desk, signed(claims, keys.result_key)) == "unknown-key"
    assert refusal(desk, sign(Kind.COMMAND, claims.write(), signer).raw) == "wrong-type"
    assert refusal(desk, b"x" * (Kind.REQUEST.max_bytes + 1)) == "oversized"
    assert refusal(desk, sign(Kind.REQUEST, b"{}", signer).raw) == "malformed"
    assert refusal(desk, sign(Kind.REQUEST, b"[" * 50_000, signer).raw) == "malformed"
    assert desk.accept(signed(claims, signer), samples.NOW)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=300), wrap=st.booleans())
def test_any_bytes_are_refused(desk, signer, raw, wrap):
    refusal(desk, sign(Kind.REQUEST, raw, signer).raw if wrap else raw)


def test_the_use_survives_a_restart(desk, ask, signer, keys, outbox):
    raw = signed(ask(), signer)
    desk.accept(raw, samples.NOW)
    again = RequestDesk(keys, samples.BOOT, outbox, PolicyFloor(FalseMatchRate.ONE_IN_10000))
    assert refusal(again, raw) == "used"
