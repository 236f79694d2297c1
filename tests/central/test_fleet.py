"""What terminals say beside results: kept once, from the right terminal only; evidence only where it belongs."""

import hashlib

import pytest
import samples
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from central.evidence import EvidenceError, Sealed, open_evidence
from central.messages import open_message
from central.verify import RefusedError
from device.wire.birth import BirthClaims
from device.wire.claims import ResultClaims
from device.wire.command import ReplyClaims
from device.wire.envelope import Kind, sign
from device.wire.evidence import EvidenceClaims, EvidenceMark
from device.wire.health import HealthClaims
from device.wire.receipt import Verdict
from device.wire.request import Policy
from device.wire.sealing import evidence_context, seal

SAID = {
    HealthClaims: (Kind.HEALTH, samples.health),
    ReplyClaims: (Kind.REPLY, samples.reply),
    EvidenceClaims: (Kind.EVIDENCE, samples.evidence),
}


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize(
    ("key", "terminal", "changes", "reason"),
    [
        ("shop-1", "shop-1", {}, None),
        ("shop-1", "shop-2", {}, "other-terminal"),
        ("shop-2", "shop-1", {}, "other-terminal"),
        ("shop-1", "shop-1", {"iss": "shop-2"}, "other-terminal"),
        ("old", "shop-1", {}, "revoked"),
        ("revoked", "revoked", {"iss": "revoked"}, "revoked"),
    ],
)
def test_only_the_terminal_itself_speaks_for_itself(bench, said, key, terminal, changes, reason):
    kind, make = SAID[said]
    raw = sign(kind, make(**changes).write(), bench.keys[key]).raw
    if reason is None:
        assert open_message(raw, terminal, bench.registry, said)[1] == make(**changes)
        return
    with pytest.raises(RefusedError, match=reason):
        open_message(raw, terminal, bench.registry, said)


def test_another_kind_is_no_health(bench):
    raw = sign(Kind.REPLY, samples.health().write(), bench.keys["shop-1"]).raw
    with pytest.raises(RefusedError, match="wrong-type"):
        open_message(raw, "shop-1", bench.registry, HealthClaims)
    with pytest.raises(RefusedError, match="wrong-type"):
        open_message(raw, "shop-1", bench.registry, BirthClaims)


def test_only_the_newest_health_is_kept_and_none_of_a_terminal_that_left(bench):
    for waiting in (3, 0):
        raw = sign(Kind.HEALTH, samples.health(waiting=waiting).write(), bench.keys["shop-1"]).raw
        bench.ledger.fleet.set_health({"shop-1": raw}, samples.NOW + waiting)
    assert bench.ledger.fleet.health(bench.registry) == {"shop-1": (samples.NOW, samples.health(waiting=0))}
    bench.registry.keys.clear()
    assert bench.ledger.fleet.health(bench.registry) == {}


def order(bench, terminal="shop-1"):
    def make(counter):
        claims = samples.command(
            counter=counter, aud=terminal, jti=samples.uuid7(samples.NOW * 1000 + counter, bytes(10))
        )
        return claims, sign(Kind.COMMAND, claims.write(), bench.requests)

    return bench.ledger.orders.add(terminal, make)[0]


def answer(bench, command, terminal="shop-1", **changes):
    with bench.ledger.batch():
        claims = samples.reply(command=command, iss=terminal, **changes)
        bench.ledger.orders.answer(terminal, claims, b"envelope", samples.NOW)


def test_counters_rise_for_each_terminal_and_only_its_own_reply_answers(bench):
    first, second = order(bench), order(bench)
    waiting = [raw for _, _, raw in bench.ledger.orders.unanswered(samples.NOW)]
    assert len(waiting) == 2 and bench.ledger.orders.unanswered(samples.NOW + 300) == []
    answer(bench, first, terminal="shop-2")
    answer(bench, first, counter=2)
    answer(bench, samples.command().jti)
    assert bench.ledger.orders.reply(first) is None
    answer(bench, first, status="done", reason=None, sentence="The panel shows itself.")
    answer(bench, first)
    assert bench.ledger.orders.reply(first).status == "done"
    assert [raw for _, _, raw in bench.ledger.orders.unanswered(samples.NOW)] == waiting[1:]
    answer(bench, second, counter=2)
    assert bench.ledger.orders.reply(second).reason == "expired"
    assert bench.ledger.orders.unanswered(samples.NOW) == []


KEY = X25519PrivateKey.generate()
JTI = samples.uuid7(samples.NOW * 1000, b"evidence..")


def sealed_pack(result=JTI, purpose="sim-registration"):
    context = evidence_context(result=result, terminal="shop-1", purpose=purpose)
    return seal(samples.pack().write(), KEY.public_key(), context)


def with_evidence(bench, sealed):
    """A result that names the sealed bytes; returns it once central holds it."""
    mark = EvidenceMark(sha256=hashlib.sha256(sealed).hexdigest(), bytes=len(sealed), kinds=("signals", "portrait"))
    bench.asks(samples.request(policy=Policy(grades=("card",), evidence=("signals", "portrait"))))
    envelope = bench.signed(jti=JTI, evidence=mark, offline=False, request=samples.echo(), reference=samples.card())
    assert bench.judge(envelope.raw).reason is None
    return ResultClaims.read(envelope.payload)


def take(bench, **changes):
    claims = samples.evidence(**changes)
    envelope = sign(Kind.EVIDENCE, claims.write(), bench.keys["shop-1"])
    with bench.ledger.batch():
        return bench.ledger.evidence.take(Sealed("shop-1", envelope, claims), samples.NOW), envelope


def test_evidence_is_kept_as_it_came_receipted_again_and_opened_by_central_s_key_only(bench):
    sealed = sealed_pack()
    result = with_evidence(bench, sealed)
    entry, envelope = take(bench, sealed=sealed, result=JTI)
    assert (entry.verdict, entry.seq, entry.sha256) == (Verdict.ACCEPTED, 1, envelope.sha256)
    assert bench.ledger.database.rows("SELECT envelope FROM evidence") == [(envelope.raw,)]
    claims = EvidenceClaims.read(envelope.payload)
    with bench.ledger.batch():
        assert bench.ledger.evidence.take(Sealed("shop-1", envelope, claims), samples.NOW) == entry
    ((terminal, held, answered),) = bench.ledger.evidence.of(JTI)
    assert answered == result and "portrait" not in repr(held)
    assert open_evidence(terminal, held, answered, KEY) == samples.pack()
    with pytest.raises(EvidenceError, match="cannot be opened"):
        open_evidence(terminal, held, answered, X25519PrivateKey.generate())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"seq": 2}, "unknown-result"),
        ({"epoch": 2}, "unknown-result"),
        ({"result": samples.uuid7(1, bytes(10))}, "contradicts-result"),
        ({"sealed": bytes(400)}, "contradicts-result"),
    ],
)
def test_evidence_that_no_result_names_is_set_apart(bench, changes, reason):
    sealed = sealed_pack()
    with_evidence(bench, sealed)
    entry, _ = take(bench, **({"sealed": sealed, "result": JTI} | changes))
    assert (entry.verdict, entry.reason) == (Verdict.QUARANTINED, reason)
    assert bench.ledger.evidence.of(JTI) == []


def test_evidence_for_another_purpose_does_not_open(bench):
    sealed = sealed_pack(purpose="something-else")
    with_evidence(bench, sealed)
    take(bench, sealed=sealed, result=JTI)
    with pytest.raises(EvidenceError):
        open_evidence(*bench.ledger.evidence.of(JTI)[0], KEY)


def test_a_request_s_sealed_portrait_is_deleted_when_it_is_not_to_be_sent_again(bench):
    bench.asks(samples.request())
    assert len(bench.ledger.requests.unanswered(samples.NOW)) == 1
    bench.ledger.requests.forget_sealed(samples.NOW)
    assert len(bench.ledger.requests.unanswered(samples.NOW)) == 1
    assert bench.ledger.requests.unanswered(samples.NOW + 300) == []
    bench.judge(bench.signed(offline=False, request=samples.echo(), reference=samples.card()).raw)
    assert bench.ledger.requests.unanswered(samples.NOW) == []
    bench.ledger.requests.forget_sealed(samples.NOW)
    assert bench.ledger.database.rows("SELECT * FROM unanswered") == []
    asked, answers = bench.ledger.requests.asked([samples.echo().id])[samples.echo().id]
    assert (asked.echo, answers) == (samples.echo(), 1)
