"""Verdicts: what central accepts, sets apart and refuses, and what the ledger holds afterwards."""

import pytest
import samples
from bench import Bench
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from central.custody import OpenGap
from central.ledger import MAX_REFUSED_PER_TERMINAL
from central.shown import as_text, coloured
from device.wire.chain import GENESIS, ChainHead, ChainPosition
from device.wire.claims import Capture, Comparison, Outcome
from device.wire.envelope import Kind, sign
from device.wire.receipt import Verdict


def steps_of(challenge, **changes):
    first, *others = challenge.steps
    return challenge.model_copy(update={"steps": (first.model_copy(update=changes), *others)})


def compared(score, *, match):
    return Comparison(score=score, threshold=0.4, fmr="1e-3", match=match)


CHALLENGE = samples.challenge()


def test_results_against_their_request_and_no_more_than_its_attempts_in_one_batch(bench):
    bench.asks(samples.request())
    answer = {"offline": False, "request": samples.echo(), "reference": samples.card()}
    other = answer | {"request": samples.echo(attendant="another")}
    batch = [("shop-1", bench.signed(**claims).raw) for claims in (answer, other, answer, answer, answer)]
    reasons = [entry.reason for entry in bench.judge_all(batch)]
    assert reasons == [None, "contradicts-request", None, None, "too-many-results"]
    assert bench.judge(bench.signed(**answer).raw).reason == "too-many-results"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"outcome": Outcome.REJECTED}, None),
        ({"outcome": "approved-by-a-later-version"}, None),
        ({"outcome": Outcome.DECLINED, "challenge": None, "comparison": None, "reference": None}, None),
        ({"challenge": None}, "verified-without-evidence"),
        ({"comparison": None}, "verified-without-evidence"),
        ({"reference": None}, "verified-without-evidence"),
        ({"comparison": compared(0.39, match=False)}, "verified-without-evidence"),
        ({"comparison": compared(0.39, match=True)}, "comparison-contradicts-itself"),
        ({"comparison": compared(0.41, match=False)}, "comparison-contradicts-itself"),
        ({"challenge": steps_of(CHALLENGE, passed=False)}, "steps-contradict-plan"),
        ({"challenge": steps_of(CHALLENGE, onset_s=0.1)}, "steps-contradict-plan"),
        ({"challenge": steps_of(CHALLENGE, done_s=30.0)}, "steps-contradict-plan"),
        ({"challenge": steps_of(CHALLENGE, onset_s=None)}, "steps-contradict-plan"),
        ({"challenge": CHALLENGE.model_copy(update={"steps": CHALLENGE.steps[:2]})}, "verified-without-evidence"),
        ({"challenge": CHALLENGE.model_copy(update={"steps": CHALLENGE.steps[::-1]})}, "steps-contradict-plan"),
        ({"challenge": CHALLENGE.model_copy(update={"plan": CHALLENGE.plan[::-1]})}, "plan-mismatch"),
        ({"challenge": CHALLENGE.model_copy(update={"salt": bytes(32)})}, "plan-mismatch"),
        ({"challenge": CHALLENGE.model_copy(update={"session": "another"})}, "plan-mismatch"),
        ({"challenge": CHALLENGE.model_copy(update={"pauses_s": (0.6, 0.6, 0.6)})}, "plan-mismatch"),
        ({"challenge": CHALLENGE.model_copy(update={"actions": CHALLENGE.actions[:2]})}, "plan-mismatch"),
        ({"challenge": CHALLENGE.model_copy(update={"guess_probability": 1e-6})}, "plan-mismatch"),
        ({"nonce": bytes(32), "challenge": CHALLENGE}, "plan-mismatch"),
        ({"capture": Capture(source="recording", frames=90, fps=15.0)}, "not-live"),
        ({"capture": Capture(source="usb-camera", frames=90, fps=15.0)}, None),
        ({"capture": Capture(source="pi-camera", frames=0, fps=0.0)}, "verified-without-evidence"),
        ({"offline": False, "request": samples.echo()}, "unknown-request"),
    ],
)
def test_what_a_result_says_against_itself(bench, changes, reason):
    entry = bench.judge(bench.signed(**changes).raw)
    assert (entry.verdict, entry.reason) == (Verdict.QUARANTINED if reason else Verdict.ACCEPTED, reason)
    (held,) = bench.ledger.latest(9)
    assert held.linked and held.reason == reason


def test_a_quarantined_result_keeps_its_place_in_the_chain(bench):
    bench.judge(bench.signed(capture=Capture(source="rehearsal", frames=90, fps=15.0)).raw)
    assert bench.judge(bench.signed().raw).verdict is Verdict.ACCEPTED
    assert bench.ledger.gaps() == []


def test_in_rehearsal_mode_a_rehearsal_is_accepted_and_says_so(bench):
    raw = bench.signed(capture=Capture(source="rehearsal", frames=90, fps=15.0)).raw
    assert bench.judge(raw, rehearsal=True).verdict is Verdict.ACCEPTED
    assert bench.ledger.latest(1)[0].facts.source == "rehearsal"


def test_a_duplicate_gets_the_same_verdict_and_no_second_row(bench):
    raws = [bench.signed().raw, bench.signed(challenge=None).raw]
    first = [bench.judge(raw) for raw in raws]
    assert [bench.judge(raw) for raw in raws] == first
    assert len(bench.ledger.latest(9)) == 2


def test_gaps_are_noted_split_and_filled(bench):
    raws = [bench.signed().raw for _ in range(7)]
    for index in (0, 6):
        assert bench.judge(raws[index]).verdict is Verdict.ACCEPTED
    assert bench.ledger.gaps() == [OpenGap("shop-1", 1, 2, 6)]
    bench.judge(raws[3])
    assert bench.ledger.gaps() == [OpenGap("shop-1", 1, 2, 3), OpenGap("shop-1", 1, 5, 6)]
    for index in (1, 2, 4, 5):
        bench.judge(raws[index])
    assert bench.ledger.gaps() == []


def test_a_fork_and_what_follows_it_are_set_apart_and_nothing_is_overwritten(bench):
    kept = [bench.signed().raw for _ in range(3)]
    for raw in kept:
        bench.judge(raw)
    bench.head = ChainHead(1, 1, bench.ledger.latest(9)[0].sha256)
    branch = [bench.signed(iat=samples.NOW + 1).raw for _ in range(4)]
    assert [bench.judge(raw).reason for raw in branch] == ["fork"] * 4
    assert [held.envelope for held in bench.ledger.latest(9) if held.linked] == kept


@pytest.mark.parametrize(("epoch", "reason"), [(1, "stale-epoch"), (2, None), (3, "unanchored-epoch")])
def test_only_the_registered_epoch_is_linked(bench, epoch, reason):
    """The registry approves epoch 2 of shop-2."""
    anchor = bench.anchor("shop-2", epoch=2)
    assert bench.judge(anchor.raw, "shop-2").reason is None
    claims = samples.result(ChainPosition(epoch, 1, anchor.sha256), terminal="shop-2")
    raw = sign(Kind.RESULT, claims.write(), bench.keys["shop-2"]).raw
    assert bench.judge(raw, "shop-2").reason == reason
    assert bench.ledger.latest(1)[0].linked == (reason is None)


def test_anchors_are_linked_once_and_only_where_the_registry_approves(bench):
    first, second = bench.anchor("shop-2", epoch=2), bench.anchor("shop-2", epoch=2, reason="outbox-lost")
    foreign, unapproved = bench.anchor("shop-2", epoch=3), bench.anchor("shop-1", epoch=2)
    assert bench.judge(samples_of_epoch_2(bench), "shop-2").reason == "unanchored-epoch"
    assert [bench.judge(anchor.raw, "shop-2").reason for anchor in (foreign, first, second)] == [
        "unanchored-epoch",
        None,
        "fork",
    ]
    assert bench.judge(first.raw, "shop-2").verdict is Verdict.ACCEPTED
    assert bench.judge(unapproved.raw).reason == "unanchored-epoch"
    assert [held.envelope for held in bench.ledger.latest(9) if held.linked] == [first.raw]


def samples_of_epoch_2(bench):
    claims = samples.result(ChainPosition(2, 1, GENESIS), terminal="shop-2")
    return sign(Kind.RESULT, claims.write(), bench.keys["shop-2"]).raw


def test_revoked_terminals_and_keys_are_set_apart(bench):
    assert bench.judge(bench.signed("old").raw).reason == "revoked"
    raw = sign(Kind.RESULT, samples.result(terminal="revoked").write(), bench.keys["revoked"]).raw
    assert bench.judge(raw, "revoked").reason == "revoked"


def test_claims_of_a_later_version_are_kept_and_receipted(bench):
    claims = bench.signed().payload.replace(b'"blink', b'"wink')
    entry = bench.judge(sign(Kind.RESULT, claims, bench.keys["shop-1"]).raw)
    assert (entry.verdict, entry.reason) == (Verdict.QUARANTINED, "malformed-claims")


def test_what_cannot_be_verified_is_counted_and_gets_no_receipt(bench):
    own = bench.signed().raw
    other = sign(Kind.RESULT, samples.result(terminal="shop-2").write(), bench.keys["shop-2"]).raw
    lying = sign(Kind.RESULT, samples.result(terminal="shop-2").write(), bench.keys["shop-1"]).raw
    cases = {b"x": "malformed", own[:-5] + b"AAAAA": "bad-signature", other: "other-terminal", lying: "other-terminal"}
    unreadable = sign(Kind.RESULT, b'{"iss":"shop-1"}', bench.keys["shop-1"]).raw
    for raw in [*cases, unreadable, b"x"]:
        assert bench.judge(raw) is None
    assert bench.ledger.refusals() == [
        ("shop-1", "bad-signature", 1),
        ("shop-1", "malformed", 3),
        ("shop-1", "other-terminal", 2),
    ]
    assert bench.ledger.latest(9) == []


def test_a_flood_of_nonsense_does_not_fill_the_ledger(bench):
    with bench.ledger.batch():
        nonsense = [("shop-1", f"{number}", "malformed") for number in range(MAX_REFUSED_PER_TERMINAL + 50)]
        bench.ledger.refuse(nonsense, samples.NOW)
    assert {reason: times for _, reason, times in bench.ledger.refusals()} == {
        "malformed": MAX_REFUSED_PER_TERMINAL,
        "too-many": 50,
    }


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(payload=st.binary(max_size=200), wrap=st.booleans())
def test_any_bytes_are_judged(bench, payload, wrap):
    bench.judge(sign(Kind.RESULT, payload, bench.keys["shop-1"]).raw if wrap else payload)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.permutations(range(6)), again=st.lists(st.integers(0, 5), max_size=4), sizes=st.lists(st.integers(1, 5))
)
def test_any_order_of_arrival_and_any_batches_give_the_same_ledger(tmp_path_factory, order, again, sizes):
    bench = Bench(tmp_path_factory.mktemp("bench"))
    raws = [("shop-1", bench.signed().raw) for _ in range(6)]
    left, verdicts = [raws[index] for index in [*order, *again]], set()
    for size in [*sizes, len(left)]:
        verdicts |= {entry.verdict for entry in bench.judge_all(left[:size])}
        left = left[size:]
    assert verdicts == {Verdict.ACCEPTED} and bench.ledger.gaps() == []
    assert sorted(held.position.seq for held in bench.ledger.latest(99)) == [1, 2, 3, 4, 5, 6]
    bench.ledger.close()


def test_forks_gaps_and_duplicates_within_one_batch(bench):
    raws = [bench.signed().raw for _ in range(4)]
    bench.head = ChainHead(1, 1, bench.judge(raws[0]).sha256)
    fork = bench.signed(iat=samples.NOW + 1).raw
    entries = bench.judge_all([("shop-1", raw) for raw in (raws[0], raws[3], raws[1], raws[1], fork, fork)])
    assert [entry.reason for entry in entries] == [None, None, None, None, "fork", "fork"]
    assert [held.position.seq for held in bench.ledger.latest(9)] == [1, 4, 2, 2]
    assert bench.ledger.gaps() == [OpenGap("shop-1", 1, 3, 3)]
    assert all(held.receipted == samples.NOW for held in bench.ledger.latest(9))


def test_a_batch_is_written_whole_or_not_at_all(bench):
    with pytest.raises(RuntimeError), bench.ledger.batch():
        bench.ledger.refuse([("shop-1", "a", "malformed")], samples.NOW)
        raise RuntimeError
    assert bench.ledger.refusals() == []


def test_a_distrusted_verified_is_never_shown_as_one(bench):
    bench.judge(bench.signed(capture=Capture(source="rehearsal", frames=90, fps=15.0)).raw)
    bench.judge(bench.signed().raw)
    distrusted, trusted = (as_text(held, bench.registry, coloured) for held in bench.ledger.latest(2))
    green = coloured("VERIFIED", "green")
    assert green in trusted and green not in distrusted and "do not rely on it" in distrusted
