"""The evidence that a policy asks for, from the request to what is sealed in the outbox."""

import hashlib
import logging

import cv2
import numpy as np
import pytest
import samples
from counter import Counter
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from central.config import load_central, load_signing_key
from device.delivery.keys import EVIDENCE_RECIPIENT
from device.delivery.rows import Part
from device.liveness.session import Press
from device.panel.prompts import Scene
from device.wire.claims import Outcome, ResultClaims
from device.wire.envelope import Kind, open_envelope, sign
from device.wire.evidence import EvidenceClaims, EvidencePack
from device.wire.keys import public_pem
from device.wire.request import Policy, RequestClaims, SealedReference
from device.wire.sealing import commitment, evidence_context, reference_context, seal, unseal

pytestmark = pytest.mark.broker


def asked_for_evidence(shop: Counter, *kinds: str, attempts: int = 1) -> RequestClaims:
    """Puts a request of central's into the terminal's hands that asks for evidence."""
    signer = load_signing_key(load_central(shop.world.made.central).keys.requests)
    request, nonce, portrait = samples.echo().id, samples.NONCE, shop.portrait.read_bytes()
    context = reference_context(request=request, terminal="shop-1", purpose="sim-registration")
    sealed = seal(portrait, shop.terminal.keys.unsealing_key.public_key(), context)
    claims = RequestClaims(
        iss="central",
        aud="shop-1",
        iat=samples.NOW,
        exp=2**39,
        boot=samples.BOOT,
        nonce=nonce,
        policy=Policy(evidence=kinds, attempts=attempts),
        reference=SealedReference(sealed=sealed, commitment=commitment(portrait, nonce)),
        **samples.echo().model_dump(exclude={"id"}),
        jti=request,
    )
    shop.terminal.requests.put(sign(Kind.REQUEST, claims.write(), signer).raw)
    return claims


@pytest.fixture
def evidence_key(rehearsing):
    key = X25519PrivateKey.generate()
    (rehearsing.made.terminals["shop-1"] / EVIDENCE_RECIPIENT).write_bytes(public_pem(key.public_key()))
    return key


def waiting_claims(shop: Counter) -> tuple[ResultClaims, EvidenceClaims | None]:
    """The oldest result in the outbox, and its evidence once the result is receipted."""
    key = shop.terminal.keys.result_key
    known = {key.kid: key.private.public_key()}
    (row,) = shop.terminal.outbox.waiting(1)
    result = ResultClaims.read(open_envelope(row.envelope, Kind.RESULT, known).payload)
    shop.terminal.outbox.remove([(row.place.epoch, row.place.seq, row.sha256)])
    rows = [row for row in shop.terminal.outbox.waiting(1) if row.place.part is Part.EVIDENCE]
    if not rows:
        return result, None
    return result, EvidenceClaims.read(open_envelope(rows[0].envelope, Kind.EVIDENCE, known).payload)


def test_evidence_that_the_policy_asks_for_is_sealed_to_central(counter, evidence_key, caplog):
    caplog.set_level(logging.DEBUG)
    shop = counter()
    asked_for_evidence(shop, "signals", "portrait")
    shop.work_until(Scene.VERIFIED)
    result, evidence = waiting_claims(shop)
    assert result.evidence.sha256 == hashlib.sha256(evidence.sealed).hexdigest()
    assert (result.evidence.bytes, result.evidence.kinds) == (len(evidence.sealed), ("signals", "portrait"))
    assert (evidence.result, evidence.seq) == (result.jti, result.seq)
    context = evidence_context(result=result.jti, terminal="shop-1", purpose="sim-registration")
    pack = EvidencePack.read(unseal(evidence.sealed, evidence_key, context))
    assert len(pack.signals.at_s) == result.capture.frames - 1
    assert [cue.at_s for cue in pack.signals.cues] == [step.cue_s for step in result.challenge.steps]
    face = cv2.imdecode(np.frombuffer(pack.portrait, np.uint8), cv2.IMREAD_COLOR)
    assert 100 < max(face.shape) <= 400
    assert pack.portrait[100:140] not in (shop.world.folder / "shop-1.sqlite").read_bytes()


def test_who_takes_consent_back_leaves_no_evidence(counter, evidence_key):
    shop = counter()
    asked_for_evidence(shop, "signals", "portrait")
    shop.work_until(Scene.CUE)
    shop.reader.press(Press.CANCEL)
    shop.work_until(Scene.CANCELLED)
    result, evidence = waiting_claims(shop)
    assert (result.outcome, result.evidence, evidence) == (Outcome.CANCELLED, None, None)


def test_without_centrals_evidence_key_a_request_for_evidence_is_refused(rehearsing, counter, caplog):
    (rehearsing.made.terminals["shop-1"] / EVIDENCE_RECIPIENT).unlink(missing_ok=True)
    shop = counter()
    asked_for_evidence(shop, "portrait")
    shop.app.tick(shop.camera.read())
    assert "request refused reason=evidence-not-possible" in caplog.text
