"""What central says of the coloured light in a result: recomputed, and never a help."""

import json

import pytest
import samples

from central.assessment import Asked, contradiction, disagreement
from device.wire.claims import Light, ResultClaims
from device.wire.light import LightChoice, LightVerdict, derive_light
from device.wire.request import Policy, RequestClaims

CODE = derive_light(nonce=samples.NONCE, salt=samples.SALT, session=samples.SESSION, terminal=samples.TERMINAL)
SHOWN = {"choice": "experimental", "colours": CODE.colours[:12], "starts_s": CODE.starts_s[:12]}


def result(light: Light | None, **changes) -> ResultClaims:
    return samples.result(challenge=samples.challenge(light=light), **changes)


@pytest.mark.parametrize(
    ("light", "reason"),
    [
        (None, None),
        (Light(choice="off", verdict="off"), None),
        (Light(choice="experimental", verdict="no-ring"), None),
        (Light(verdict="answered", correlation=0.9, latency_s=0.06, gain=0.15, **SHOWN), None),
        (Light(verdict="not-measured", **SHOWN), None),
        (Light(verdict="word-of-a-later-version", **SHOWN), None),
        (Light(verdict="not-answered", correlation=0.1, **SHOWN), "verified-without-evidence"),
        (Light(verdict="answered", **SHOWN | {"colours": CODE.colours[1:13]}), "light-mismatch"),
        (Light(verdict="answered", **SHOWN | {"starts_s": CODE.starts_s[:11]}), "light-mismatch"),
        (Light(verdict="answered", choice="experimental"), "light-mismatch"),
        (Light(verdict="answered", **SHOWN | {"choice": "off"}), "light-mismatch"),
        (Light(verdict="off", **SHOWN), "light-mismatch"),
    ],
)
def test_a_verified_result_with(light, reason):
    assert contradiction(result(light)) == reason


def test_a_rejection_for_the_light_is_believed():
    light = Light(verdict="not-answered", correlation=0.1, **SHOWN)
    assert contradiction(result(light, outcome="rejected", reasons=("light-not-answered",))) is None


def test_the_code_of_another_session_is_no_code_of_this():
    other = derive_light(nonce=bytes(32), salt=samples.SALT, session=samples.SESSION, terminal=samples.TERMINAL)
    light = Light(choice="experimental", verdict="answered", colours=other.colours[:8], starts_s=other.starts_s[:8])
    assert contradiction(result(light)) == "light-mismatch"


@pytest.mark.parametrize("asked", list(LightChoice))
@pytest.mark.parametrize("said", [None, *LightChoice])
def test_whoever_asked_for_none_was_shown_none(asked, said):
    light = None if said is None else Light(choice=said, verdict=LightVerdict.NO_RING)
    claims = result(light, offline=False, request=samples.echo())
    request = RequestClaims(
        iss="central",
        aud=claims.iss,
        jti=claims.request.id,
        iat=samples.NOW,
        exp=samples.NOW + 60,
        boot=claims.boot,
        nonce=claims.nonce,
        purpose=claims.request.purpose,
        outlet=claims.request.outlet,
        attendant=claims.request.attendant,
        transaction=claims.request.transaction,
        subject=claims.request.subject,
        policy=Policy(light=asked, grades=("request", "card")),
        reference={"sealed": bytes(100), "commitment": claims.reference.commitment},
    )
    assert (disagreement(claims, Asked.of(request)) is None) == ((said or LightChoice.OFF) == asked)


def test_a_request_of_before_asks_for_no_light():
    assert Policy.read(b"{}").light is LightChoice.OFF


def test_the_longest_light_fits_into_a_result():
    light = Light(
        choice="experimental",
        verdict="not-measured",
        colours=CODE.colours,
        starts_s=CODE.starts_s,
        correlation=-0.1234,
        latency_s=0.28,
        gain=-0.1234,
        background_gain=-0.1234,
    )
    claims = result(light)
    assert len(claims.write()) < 6000
    assert ResultClaims.read(claims.write()) == claims
    assert json.loads(claims.write())["challenge"]["light"]["experimental"] is True
