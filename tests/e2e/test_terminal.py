"""The whole terminal, from the request to the receipt: real models, panel on mock pins, broker, certificates, ledgers.

The person is the animation of a public-domain portrait; the loop is fed on recorded time, frame by frame.
"""

import hashlib
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import cards
import cv2
import numpy as np
import pytest
import samples
from counter import Counter
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from world import World

from central.config import load_central, load_signing_key
from device.admission import TALLY
from device.delivery.keys import EVIDENCE_RECIPIENT
from device.delivery.link_status import LinkState
from device.delivery.rows import Part
from device.liveness.evidence import Ending
from device.liveness.limits import Limits
from device.liveness.session import Press
from device.panel.gpio import PinMap
from device.panel.prompts import Scene
from device.vision.assembly import load_vision
from device.vision.inference import preferred_runtime
from device.vision.manifest import default_directory
from device.wire.claims import Outcome, ResultClaims
from device.wire.envelope import Kind, open_envelope, sign
from device.wire.evidence import EvidenceClaims, EvidencePack
from device.wire.keys import public_pem
from device.wire.request import Policy, RequestClaims, SealedReference
from device.wire.sealing import commitment, evidence_context, reference_context, seal, unseal
from tests.voice.conftest import Listener

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def vision():
    return load_vision(default_directory(), preferred_runtime())


@pytest.fixture
def world(rehearsing):
    return rehearsing


@pytest.fixture
def counter(world, vision):
    made = []

    def make(*arguments, **settings):
        made.append(Counter(world, vision, *arguments, **settings))
        return made[-1]

    yield make
    for one in made:
        one.close()


def claims_of(world: World) -> list[dict]:
    command = [sys.executable, "-m", "central", "results", "--config", str(world.made.central), "--json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_person_is_verified_and_central_holds_the_signed_result(world, counter, caplog):
    caplog.set_level(logging.DEBUG)
    shop = counter()
    shop.terminal.connect()
    request = shop.ask()
    scenes = shop.work_until(Scene.VERIFIED)
    assert scenes.count(Scene.CUE) == 3
    shop.terminal.is_receipted()
    (held,) = claims_of(world)
    assert (held["verdict"], held["signature_valid"], held["linked"]) == ("accepted", True, True)
    assert held["claims"]["outcome"] == Outcome.VERIFIED
    assert held["claims"]["request"]["id"] == request
    assert held["claims"]["capture"]["source"] == "rehearsal"
    assert "evidence" not in held["claims"]
    assert len(held["claims"]["challenge"]["steps"]) == 3
    assert shop.portrait.read_bytes()[:64].hex() not in caplog.text


def test_a_person_is_verified_against_the_printed_card(world, counter, caplog):
    caplog.set_level(logging.DEBUG)
    shop = counter(document=cards.identity_card(cards.astronaut()))
    shop.terminal.connect()
    shop.ask("--card")
    scenes = shop.work_until(Scene.VERIFIED)
    assert scenes.index(Scene.CONSENT) < scenes.index(Scene.CARD) < scenes.index(Scene.POSITION)
    shop.terminal.is_receipted()
    (held,) = claims_of(world)
    assert (held["verdict"], held["claims"]["outcome"]) == ("accepted", Outcome.VERIFIED)
    assert held["claims"]["reference"]["grade"] == "card"
    assert len(held["claims"]["reference"]["commitment"]) == 64


def test_a_printed_photo_is_refused_and_its_result_is_kept(world, counter):
    shop = counter("astronaut_print.json")
    shop.terminal.connect()
    shop.ask("--attempts", "1")
    shop.work_until(Scene.REJECTED)
    shop.terminal.is_receipted()
    (held,) = claims_of(world)
    assert held["claims"]["outcome"] == Outcome.REJECTED
    assert held["claims"]["reasons"]


def test_without_a_broker_the_session_completes_and_its_result_waits(world, counter):
    shop = counter()
    shop.terminal.connect()
    shop.ask()
    shop.work_until(Scene.CUE)
    world.central.stop()
    world.broker.stop()
    shop.work_until(Scene.VERIFIED)
    shop.terminal.reaches(LinkState.NO_BROKER)
    assert shop.terminal.outbox.depth() == 1
    world.broker.start()
    world.central.start()
    shop.terminal.is_receipted()
    assert [held["claims"]["outcome"] for held in claims_of(world)] == [Outcome.VERIFIED]


def test_hostile_requests_change_nothing(world, counter, caplog):
    shop = counter()
    for hostile in (b"", b"\xff" * 100, b"a.b.c", b"x" * 200_000):
        shop.terminal.requests.put(hostile)
    for _ in range(10):
        shop.app.tick(shop.camera.read())
    assert shop.app.shown.scene is Scene.OFFLINE_IDLE
    assert caplog.text.count("request refused") == 4
    shop.terminal.connect()
    shop.ask()
    shop.work_until(Scene.VERIFIED)


def test_attempts_run_out_and_every_one_is_a_result(world, counter):
    shop = counter("astronaut_print.json")
    shop.terminal.connect()
    request = shop.ask("--attempts", "2")
    shop.work_until(Scene.CONSENT)
    shop.work_until(Scene.REJECTED)
    shop.work_until(Scene.CONSENT)
    shop.work_until(Scene.REJECTED)
    shop.work_until(Scene.IDLE)
    shop.terminal.is_receipted()
    held = claims_of(world)
    assert [one["claims"]["request"]["id"] for one in held] == [request, request]
    assert held[0]["claims"]["challenge"]["salt"] != held[1]["claims"]["challenge"]["salt"]


def test_too_many_failures_pause_the_terminal_and_a_restart_does_not_end_it(world, counter, vision):
    limits = Limits(max_failures=1)
    shop = counter("astronaut_print.json", limits=limits)
    shop.terminal.connect()
    shop.ask("--attempts", "3")
    shop.work_until(Scene.REJECTED)
    shop.work_until(Scene.PAUSED)
    kept = json.loads(shop.terminal.outbox.recall(TALLY, str))
    assert kept["paused_until"] > 0


def test_a_camera_that_is_unplugged_leaves_a_result_and_counts(world, counter):
    shop = counter()
    shop.terminal.connect()
    shop.ask()
    shop.work_until(Scene.CUE)
    shop.app.abandon(Ending.CAPTURE_ENDED)
    shop.terminal.is_receipted()
    (held,) = claims_of(world)
    assert (held["claims"]["outcome"], held["claims"]["reasons"]) == ("inconclusive", ["capture-ended"])
    assert len(json.loads(shop.terminal.outbox.recall(TALLY, str))["failures"]) == 1


def test_start_pressed_before_the_prompt_agrees_to_nothing(world, counter):
    shop = counter()
    shop.terminal.connect()
    shop.reader.press(Press.START)
    shop.ask()
    shop.reader.press(Press.START)
    seen = shop.work_until(Scene.POSITION)
    assert seen[-2] is Scene.CONSENT


def test_a_press_that_began_before_the_prompt_agrees_to_nothing(world, counter):
    shop = counter()
    shop.terminal.connect()
    start = shop.factory.pin(PinMap().start)
    start.drive_low()
    shop.ask()
    shop.work_until(Scene.CONSENT)
    start.drive_high()
    for _ in range(3):
        shop.app.tick(shop.camera.read())
    assert shop.app.shown.scene is Scene.CONSENT


def test_a_customer_chooses_a_language_and_the_result_says_which_consent_was_read(world, counter, speaking):
    listener = Listener()
    shop = counter(voice=speaking(listener, ["en", "hi"]))
    shop.terminal.connect()
    shop.ask()
    shop.work_until(Scene.CONSENT)
    shop.hold_start()
    shop.app.tick(shop.camera.read())
    assert shop.app.shown.scene is Scene.CONSENT
    assert listener.heard[-1][0] == ("hi", "language.chosen")
    shop.work_until(Scene.VERIFIED)
    assert listener.said[-1] == "scene.verified"
    shop.terminal.is_receipted()
    (held,) = claims_of(world)
    assert held["verdict"] == "accepted"
    assert held["claims"]["spoken"] == {"version": "1", "language": "hi", "whole": True}


def test_a_customer_may_choose_what_else_was_offered(world, counter, speaking):
    listener = Listener()
    shop = counter(voice=speaking(listener, ["es"]))
    shop.terminal.connect()
    shop.ask("--alternative", "left")
    shop.work_until(Scene.POSITION)
    shop.hold_start()
    shop.work_until(Scene.OTHER_TASKS)
    shop.hold_start()  # there is no way back
    shop.work_until(Scene.VERIFIED)
    assert {"challenge.offer", "scene.other-tasks"} <= {*listener.said}
    shop.terminal.is_receipted()
    (held,) = claims_of(world)
    challenge = held["claims"]["challenge"]
    assert (held["verdict"], held["claims"]["outcome"]) == ("accepted", Outcome.VERIFIED)
    assert (challenge["alternative"], len(challenge["plan"])) == (True, 5)
    assert challenge["guess_probability"] == pytest.approx(1 / 46)


def test_once_the_challenge_has_begun_nothing_else_can_be_chosen(world, counter):
    shop = counter()
    shop.terminal.connect()
    shop.ask("--alternative", "left")
    shop.work_until(Scene.CUE)
    plan = shop.app.running.plan
    shop.hold_start()
    shop.app.tick(shop.camera.read())
    assert shop.app.shown.scene is Scene.CUE
    assert shop.app.running.plan is plan


def test_a_witnessed_session_looks_at_nobody_and_is_never_verified(world, counter, speaking):
    listener = Listener()
    shop = counter(voice=speaking(listener, ["zh-CN"]))
    shop.terminal.connect()
    shop.ask("--witnessed", "--attendant", "attendant-3", "--transaction", "sale-1")
    scenes = shop.work_until(Scene.WITNESSED)
    assert {Scene.CONSENT, Scene.POSITION, Scene.CUE, Scene.VERIFIED}.isdisjoint(scenes)
    shop.work_until(Scene.IDLE)
    shop.terminal.is_receipted()
    (held,) = claims_of(world)
    claims = held["claims"]
    assert (held["verdict"], claims["outcome"], claims["capture"]["frames"]) == ("accepted", Outcome.WITNESSED, 0)
    assert {"comparison", "challenge", "reference", "evidence"}.isdisjoint(claims)
    assert claims["spoken"] == {"version": "1", "language": "zh-CN", "whole": True}
    assert listener.said == ["purpose.sim-registration", "scene.witness", "scene.witnessed"]


def test_after_a_refusal_nobody_asks_again(world, counter):
    shop = counter()
    shop.terminal.connect()
    shop.ask("--transaction", "sale-1")
    shop.work_until(Scene.CONSENT)
    shop.reader.press(Press.CANCEL)
    shop.work_until(Scene.DECLINED)
    shop.work_until(Scene.IDLE)
    shop.terminal.is_receipted()
    for more in ([], ["--witnessed", "--attendant", "attendant-3"]):
        with pytest.raises(AssertionError, match="the customer refused in transaction sale-1: do not ask again"):
            shop.ask("--transaction", "sale-1", *more)
    with pytest.raises(AssertionError, match="name who vouches with --attendant"):
        shop.ask("--witnessed")


def test_a_reference_without_a_face_is_answered_with_its_reason(world, counter, tmp_path):
    plain = tmp_path / "plain.png"
    cv2.imwrite(str(plain), np.full((126, 102, 3), 128, np.uint8))
    shop = counter()
    shop.terminal.connect()
    shop.ask("--reference", str(plain))
    shop.work_until(Scene.INCONCLUSIVE)
    shop.terminal.is_receipted()
    (held,) = claims_of(world)
    assert held["claims"]["reasons"] == ["reference-unusable"]


def asked_for_evidence(world: World, shop: Counter, *kinds: str, attempts: int = 1) -> RequestClaims:
    """Puts a request of central's into the terminal's hands that asks for evidence."""
    signer = load_signing_key(load_central(world.made.central).keys.requests)
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
def evidence_key(world):
    key = X25519PrivateKey.generate()
    (world.made.terminals["shop-1"] / EVIDENCE_RECIPIENT).write_bytes(public_pem(key.public_key()))
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


def test_evidence_that_the_policy_asks_for_is_sealed_to_central(world, counter, evidence_key, caplog):
    caplog.set_level(logging.DEBUG)
    shop = counter()
    asked_for_evidence(world, shop, "signals", "portrait")
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
    assert pack.portrait[100:140] not in (world.folder / "shop-1.sqlite").read_bytes()


def test_who_takes_consent_back_leaves_no_evidence(world, counter, evidence_key):
    shop = counter()
    asked_for_evidence(world, shop, "signals", "portrait")
    shop.work_until(Scene.CUE)
    shop.reader.press(Press.CANCEL)
    shop.work_until(Scene.CANCELLED)
    result, evidence = waiting_claims(shop)
    assert (result.outcome, result.evidence, evidence) == (Outcome.CANCELLED, None, None)


def test_without_centrals_evidence_key_a_request_for_evidence_is_refused(world, counter, caplog):
    (world.made.terminals["shop-1"] / EVIDENCE_RECIPIENT).unlink(missing_ok=True)
    shop = counter()
    asked_for_evidence(world, shop, "portrait")
    shop.app.tick(shop.camera.read())
    assert "request refused reason=evidence-not-possible" in caplog.text


def test_an_offline_session_begins_with_start_and_is_capped(world, counter):
    shop = counter(document=cards.identity_card(cards.astronaut()), offline_sessions=1)
    shop.work_until(Scene.OFFLINE_READY)
    shop.reader.press(Press.START)
    shop.work_until(Scene.VERIFIED)
    shop.work_until(Scene.OFFLINE_SPENT)
    shop.reader.press(Press.START)
    assert shop.work_until(Scene.OFFLINE_SPENT) == [Scene.OFFLINE_SPENT]
    shop.terminal.connect()
    shop.terminal.is_receipted()
    shop.work_until(Scene.IDLE)
    (held,) = claims_of(world)
    claims = held["claims"]
    assert (claims["offline"], claims["outcome"], claims["reference"]["grade"]) == (True, Outcome.VERIFIED, "card")
    assert "request" not in claims and len(claims["nonce"]) == 43


def test_an_outbox_that_fails_in_a_session_loses_no_result(world, counter, caplog):
    shop = counter()
    shop.terminal.connect()
    shop.ask()
    shop.work_until(Scene.CUE)
    path = world.folder / "shop-1.sqlite"
    path.rename(world.folder / "away")
    shop.work_until(Scene.FAULT)
    assert "the result is kept in memory" in caplog.text
    (world.folder / "away").rename(path)
    shop.work_until(Scene.VERIFIED)
    shop.terminal.is_receipted()
    (held,) = claims_of(world)
    assert held["claims"]["outcome"] == Outcome.VERIFIED


def test_no_session_begins_without_an_outbox_and_the_request_is_not_used_up(world, counter):
    shop = counter()
    path = world.folder / "shop-1.sqlite"
    shop.terminal.connect()
    shop.ask()
    path.rename(world.folder / "away")
    assert shop.work_until(Scene.FAULT) == [Scene.FAULT]
    for _ in range(30):
        shop.app.tick(shop.camera.read())
    assert shop.app.shown.scene is Scene.FAULT
    (world.folder / "away").rename(path)
    shop.work_until(Scene.CONSENT)


def test_the_demonstration_shows_a_person_verified_and_a_print_refused():
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, str(root / "scripts" / "demonstration.py")],
        check=False,
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "VERIFIED" in done.stdout
    assert "REJECTED" in done.stdout
    assert "signature  valid" in done.stdout
    assert "Nothing is left running" in done.stdout
