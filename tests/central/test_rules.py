"""The rules: each one raises its alarm at its number and not before, with its rows, once."""

import pytest
import samples

from central.ledger import Ledger
from central.review import review
from central.rule_settings import RuleSettings
from central.rules import MAX_NEW, Rules
from device.wire.chain import ChainHead, ChainPosition
from device.wire.claims import Capture, Outcome
from device.wire.envelope import Kind, sign
from device.wire.request import Policy
from device.wire.update import BundleKind, UpdateMark, is_drawn

OFF = dict.fromkeys(RuleSettings.model_fields.keys() - {"every_s"})
HOUR_S, DAY_S = 3600, 86_400


def only(**rule) -> RuleSettings:
    return RuleSettings.model_validate(OFF | rule)


class Shop:
    """Sessions at several terminals, each as central takes it."""

    def __init__(self, bench):
        self.bench, self.heads, self.number = bench, {}, 0

    def session(self, at=samples.NOW, terminal="shop-1", outcome=Outcome.VERIFIED, **told):
        self.number += 1
        jti = samples.uuid7(samples.NOW * 1000 + self.number, bytes(10))
        echo = samples.echo(jti, **told)
        witnessed = outcome is Outcome.WITNESSED
        policy = Policy(grades=("witnessed",) if witnessed else ("card",))
        asked = samples.request(
            jti=jti,
            aud=terminal,
            policy=policy,
            **{name: getattr(echo, name) for name in ("subject", "attendant", "transaction", "outlet")},
        )
        self.bench.asks(asked)
        head = self.heads.get(terminal, ChainHead(1))
        if terminal == "shop-2" and terminal not in self.heads:
            anchor = self.bench.anchor("shop-2", epoch=2)
            self.bench.judge(anchor.raw, terminal)
            head = ChainHead(2, 0, anchor.sha256)
        changes = {} if outcome is Outcome.VERIFIED else {"challenge": None, "comparison": None}
        changes |= {"capture": Capture(source="pi-camera", frames=0, fps=0)} if witnessed else {}
        reference = None if witnessed else samples.card()
        claims = samples.result(
            head.next(), terminal, outcome=outcome, offline=False, request=echo, reference=reference, **changes
        )
        envelope = sign(Kind.RESULT, claims.write(), self.bench.keys[terminal])
        self.heads[terminal] = head.advanced(envelope.sha256)
        entry = self.bench.judge(envelope.raw, terminal, now=at)
        assert entry.reason is None, entry
        return self.bench.ledger.newest()


@pytest.fixture
def shop(bench):
    return Shop(bench)


def applied(bench, rules: RuleSettings, now=samples.NOW):
    return [(alarm.rule, alarm.about, alarm.rows) for alarm in Rules(bench.ledger, rules).apply(bench.registry, now)]


def test_numbers_per_identity_once_and_again_after_its_window(bench, shop):
    rules = only(numbers_per_identity={"verified": 3, "days": 30})
    rows = [shop.session(subject="stolen") for _ in range(3)]
    shop.session(subject="another")
    shop.session(subject="stolen", outcome=Outcome.REJECTED)
    assert applied(bench, rules) == []
    rows.append(shop.session(subject="stolen"))
    assert applied(bench, rules) == [("numbers-per-identity", "stolen", tuple(rows))]
    shop.session(subject="stolen")
    assert applied(bench, rules, samples.NOW + DAY_S) == []
    later = samples.NOW + 31 * DAY_S
    again = [shop.session(at=later, subject="stolen") for _ in range(4)]
    assert applied(bench, rules, later) == [("numbers-per-identity", "stolen", tuple(again))]


def test_nobody_is_no_identity(bench, shop):
    for _ in range(6):
        shop.session(subject="unknown", attendant="unknown", outcome=Outcome.VERIFIED)
    assert applied(bench, RuleSettings()) == []


def test_retry_shopping_takes_failures_at_several_terminals(bench, shop):
    rules = only(retry_shopping={"failures": 3, "terminals": 2, "hours": 24})
    rows = [shop.session(outcome=Outcome.REJECTED) for _ in range(3)]
    assert applied(bench, rules) == []
    rows.append(shop.session(terminal="shop-2", outcome=Outcome.INCONCLUSIVE))
    assert applied(bench, rules) == [("retry-shopping", "pseudonym-5", tuple(rows))]


def test_failures_of_long_ago_do_not_count(bench, shop):
    rules = only(retry_shopping={"failures": 2, "terminals": 2, "hours": 24})
    shop.session(at=samples.NOW - 25 * HOUR_S, outcome=Outcome.REJECTED)
    shop.session(terminal="shop-2", outcome=Outcome.REJECTED)
    assert applied(bench, rules) == []


def test_an_attendant_who_cancels_many_and_a_large_share(bench, shop):
    rules = only(cancelling_attendants={"cancelled": 3, "share": 0.5, "hours": 24})
    for _ in range(4):
        shop.session()
    rows = [shop.session(outcome=Outcome.CANCELLED) for _ in range(3)]
    assert applied(bench, rules) == []
    rows.append(shop.session(outcome=Outcome.CANCELLED))
    assert applied(bench, rules) == [("cancelling-attendants", "attendant-3", tuple(rows))]


def test_an_attendant_or_an_outlet_with_many_witnessed_sessions_and_a_large_share(bench, shop):
    rules = only(witnessed_sessions={"witnessed": 3, "share": 0.5, "hours": 24})
    shop.session(at=samples.NOW - 25 * HOUR_S, outcome=Outcome.WITNESSED)
    for number in range(4):
        shop.session(attendant=f"attendant-{number}")
    rows = [shop.session(outcome=Outcome.WITNESSED, attendant="generous") for _ in range(2)]
    assert applied(bench, rules) == []
    rows.append(shop.session(outcome=Outcome.WITNESSED, attendant="generous"))
    assert applied(bench, rules) == [("witnessed-sessions", "generous", tuple(rows))]
    rows.append(shop.session(outcome=Outcome.WITNESSED, attendant="another"))
    assert applied(bench, rules) == [("witnessed-sessions", "outlet-7", tuple(rows))]
    shop.session(attendant="generous")
    assert applied(bench, rules) == []


def test_a_number_is_a_number_whether_verified_or_witnessed(bench, shop):
    rules = only(numbers_per_identity={"verified": 2, "days": 30})
    outcomes = (Outcome.VERIFIED, Outcome.WITNESSED, Outcome.WITNESSED)
    rows = [shop.session(subject="stolen", outcome=outcome) for outcome in outcomes]
    assert applied(bench, rules) == [("numbers-per-identity", "stolen", tuple(rows))]


def test_a_refusal_stands_for_its_transaction(bench, shop):
    shop.session(transaction="sale-1", outcome=Outcome.REJECTED)
    assert not bench.ledger.requests.was_declined("sale-1", 1)
    refused = shop.session(transaction="sale-1", outcome=Outcome.DECLINED)
    assert bench.ledger.requests.was_declined("sale-1", 1)
    assert bench.ledger.requests.was_declined("sale-1", refused)
    assert not bench.ledger.requests.was_declined("sale-1", refused + 1)
    assert not bench.ledger.requests.was_declined("sale-2", 1)


def test_a_hot_terminal(bench, shop):
    rules = only(hot_terminals={"results": 4, "hours": 1})
    old = [shop.session(at=samples.NOW - 2 * HOUR_S) for _ in range(3)]
    rows = [shop.session() for _ in range(4)]
    assert applied(bench, rules) == [] and old
    rows.append(shop.session())
    assert applied(bench, rules) == [("hot-terminals", "shop-1", tuple(rows))]


def test_forks_are_always_told(bench, shop):
    shop.session()
    claims = samples.result(ChainPosition(1, 1, "0" * 64))
    bench.judge(sign(Kind.RESULT, claims.write(), bench.keys["shop-1"]).raw)
    assert applied(bench, only()) == [("set-apart", "shop-1", (2,))]
    assert applied(bench, only()) == []


def said(bench, terminal="shop-1", received=samples.NOW, health=None, **birth):
    if health is not None:
        raw = sign(Kind.HEALTH, samples.health(iss=terminal, **health).write(), bench.keys[terminal]).raw
        bench.ledger.fleet.set_health({terminal: raw}, received)
    if birth:
        raw = sign(Kind.BIRTH, samples.birth(iss=terminal, **birth).write(), bench.keys[terminal]).raw
        bench.ledger.fleet.set_births({terminal: raw}, received)


@pytest.mark.parametrize(
    ("rule", "health", "birth", "occasion"),
    [
        ({"clocks": {"seconds": 60}}, {"iat": samples.NOW - 61}, {}, "clocks"),
        ({"clocks": {"seconds": 60}}, {"iat": samples.NOW + 61}, {}, "clocks"),
        ({"clocks": {"seconds": 60}}, {"iat": samples.NOW + 60}, {}, None),
        ({"clocks": {"seconds": 60}}, {"clock": "stepped"}, {}, "clocks"),
        ({"versions": {"firmware": ["0.1.0"]}}, None, {"presence": "online"}, None),
        ({"versions": {"firmware": ["0.2.0"]}}, None, {"presence": "online"}, "versions"),
        ({"versions": {"models_sha256": ["c" * 64]}}, None, {"presence": "online"}, "versions"),
        ({"versions": {}}, None, {"presence": "online"}, None),
        ({"silent_terminals": {"minutes": 5}}, None, {"presence": "online"}, None),
    ],
)
def test_a_terminal_that_is_off_is_told_once(bench, rule, health, birth, occasion):
    said(bench, health=health, **birth)
    expected = [(occasion, "shop-1", ())] if occasion else []
    assert applied(bench, only(**rule)) == expected
    assert applied(bench, only(**rule), samples.NOW + 1) == []


def test_a_canarys_share_may_run_what_the_others_may_not(bench):
    drawn = next(number for number in range(1, 200) if is_drawn(BundleKind.FIRMWARE, number, "shop-1", 500))
    left = next(number for number in range(1, 200) if not is_drawn(BundleKind.FIRMWARE, number, "shop-1", 500))
    said(bench, presence="online")
    canary = {"kind": "firmware", "percent": 50, "firmware": ["0.1.0"]}
    assert applied(bench, only(versions={"firmware": ["0.0.9"], "canaries": [canary | {"number": drawn}]})) == []
    outside = only(versions={"firmware": ["0.0.9"], "canaries": [canary | {"number": left}]})
    assert applied(bench, outside) == [("versions", "shop-1", ())]


def test_a_firmware_that_does_not_tell_its_digest_is_off_once_digests_are_listed(bench):
    said(bench, presence="online")
    assert applied(bench, only(versions={"firmware_sha256": ["e" * 64]})) == [("versions", "shop-1", ())]
    telling = samples.SOFTWARE.model_copy(update={"firmware_sha256": "e" * 64})
    said(bench, presence="online", software=telling)
    assert applied(bench, only(versions={"firmware_sha256": ["e" * 64]}), samples.NOW + 1) == []


def test_an_update_that_was_given_back_is_told_once(bench):
    failed = UpdateMark(kind=BundleKind.MODELS, number=7, state="failed", reason="camera")
    fine = UpdateMark(kind=BundleKind.FIRMWARE, number=3, state="on-trial")
    said(bench, health={"updates": (failed, fine)})
    assert applied(bench, only(failed_updates={})) == [("failed-updates", "shop-1", ())]
    (alarm,) = bench.ledger.alarms.since(0)
    assert alarm.sentence == "it gave models update 7 back: camera"
    assert applied(bench, only(failed_updates={}), samples.NOW + 1) == []


@pytest.mark.parametrize(("presence", "told"), [("online", True), ("lost", True), ("stopped", False)])
def test_a_silent_terminal_is_told_each_time_it_falls_silent(bench, presence, told):
    rules = only(silent_terminals={"minutes": 5})
    for start in (samples.NOW, samples.NOW + 1000):
        said(bench, received=start, presence=presence)
        said(bench, received=start + 10, health={})
        assert applied(bench, rules, start + 300) == []
        assert bool(applied(bench, rules, start + 311)) == told
        assert applied(bench, rules, start + 400) == []


def test_a_gap_that_stays_is_told_and_one_that_is_filled_is_not(bench):
    raws = [bench.signed().raw for _ in range(5)]
    for index in (0, 2, 4):
        bench.judge(raws[index])
    rules = only(old_gaps={"minutes": 60})
    assert applied(bench, rules, samples.NOW + 3600) == []
    bench.judge(raws[1])
    assert applied(bench, rules, samples.NOW + 3601) == [("old-gaps", "shop-1", ())]
    (alarm,) = bench.ledger.alarms.since(0)
    assert alarm.sentence == "epoch 1: seq 4 to 4 never came" and alarm.raised == samples.NOW + 3601


def test_the_rules_read_what_is_new_only(bench, shop, place):
    rules = only(numbers_per_identity={"verified": 1, "days": 30})
    shop.session(subject="one")
    assert applied(bench, rules) == [] and bench.ledger.alarms.progress() == 1 < MAX_NEW
    shop.session(subject="two")
    shop.session(subject="one")
    again = Ledger(place)
    assert [alarm.about for alarm in Rules(again, rules).apply(bench.registry, samples.NOW)] == ["one"]
    again.close()


def test_the_review_shows_what_was_lost_before_an_anchor(bench, shop):
    claims = samples.result(ChainPosition(2, 1, "0" * 64), terminal="shop-2")
    bench.judge(sign(Kind.RESULT, claims.write(), bench.keys["shop-2"]).raw, "shop-2")
    shop.session(terminal="shop-2")
    said(bench, presence="lost", health={"temperature_c": 50.0})
    sections = review(bench.ledger, bench.registry, RuleSettings(), samples.NOW + DAY_S, 7)
    (anchor,) = sections["anchors"]
    assert (anchor["previous"], anchor["central_held"], anchor["lost"]) == (7, 0, "unknown")
    assert [row["reason"] for row in sections["set apart"]] == ["unanchored-epoch"]
    assert {"terminal": "shop-1", "rule": "silent-terminals"}.items() <= sections["off now"][0].items()
    shown = {row["terminal"]: row["presence"] for row in sections["terminals"]}
    assert shown == {"revoked": "never seen", "shop-1": "lost", "shop-2": "never seen"}
