"""Slips and disputes in the ledger, on each of the two databases; phone numbers as people write them."""

import pytest
import samples
from hypothesis import given
from hypothesis import strategies as st

from central.__main__ import main
from central.database import LedgerError, migrate
from central.disputes import MAX_PER_RESULT, Answer, Dispute, DisputeError, Found, Objection
from central.ledger import Ledger, open_database
from central.migrations import MIGRATIONS
from central.numbers import NumberError, customer_number
from central.review import review
from central.rule_settings import RuleSettings
from central.rules import Rules
from central.subjects import number_pseudonym, pseudonym, read_pseudonym_key
from device.settings import SettingsError
from device.wire.slip import slip_digest
from provisioning.demo import create_demo_authority

DIGEST = slip_digest("7GQ2M0XK94TD")
KEY = bytes(32)
RULES = RuleSettings()
WIDE = "".join(chr(ord(digit) + 0xFEE0) for digit in "09876543210")
"""As a Chinese keyboard writes digits."""


def dispute(custody=1, note="", objection=Objection.NOT_THERE):
    return Dispute(custody, 100, objection, note, "en")


def test_a_slip_is_found_by_its_digest_and_the_number_that_it_was_asked_for(bench):
    ledger, theirs = bench.ledger, number_pseudonym(KEY, "+919876543210")
    asked = samples.request()
    ledger.requests.add(asked, b"envelope", theirs)
    with ledger.batch():
        for number, request in ((1, asked.jti), (2, None)):
            ledger.database.rows(
                "INSERT INTO journal VALUES (?, 'shop-1', 1, ?, ?, 'x', true, 'accepted', NULL, 5)", number, number, "x"
            )
            ledger.database.rows(
                "INSERT INTO results (number, outcome, source, request, envelope, slip_key)"
                " VALUES (?, 'x', 'y', ?, ?, ?)",
                number, request, b"raw", int.from_bytes(bytes.fromhex(DIGEST)[:8], signed=True),
            )  # fmt: skip
    found = ledger.slips.find(DIGEST, theirs)
    assert [(one.number, one.has_number, one.is_accepted) for one in found] == [(1, True, True), (2, False, True)]
    assert [one.number for one in ledger.slips.find(DIGEST, number_pseudonym(KEY, "+919876543211"))] == [2]
    assert ledger.slips.find(slip_digest("000000000000"), theirs) == []
    assert "9876543210" not in str(ledger.database.rows("SELECT * FROM requests"))


def test_disputes_are_kept_and_answered_and_neither_is_changed(bench):
    disputes = bench.ledger.disputes
    assert disputes.add(dispute(note="a")) == 1 == disputes.add(dispute(note="a"))
    assert [disputes.add(dispute(note=str(number))) for number in range(MAX_PER_RESULT - 1)] == [2, 3]
    with pytest.raises(DisputeError):
        disputes.add(dispute(note="one too many"))
    assert disputes.add(dispute(custody=7)) == 4
    assert disputes.state() == (4, 0, 4)
    assert disputes.answer(Answer(4, 200, "anna", Found.INVESTIGATING, "wait")) == 7
    assert disputes.state() == (4, 1, 4)
    disputes.answer(Answer(4, 300, "anna", Found.UNFOUNDED, "nothing found"))
    disputes.answer(Answer(1, 300, "anna", Found.JUSTIFIED, "blocked"))
    assert disputes.state() == (4, 3, 2)
    with pytest.raises(LookupError):
        disputes.answer(Answer(99, 300, "anna", Found.JUSTIFIED, "x"))
    (fourth,) = disputes.of(7)
    assert [answer.note for answer in fourth.answers] == ["wait", "nothing found"] and not fourth.is_open
    assert [one.number for one in disputes.before(4, 2)] == [3, 2]
    for table in ("disputes", "answers"):
        for statement in (f"UPDATE {table} SET note = ''", f"DELETE FROM {table}"):
            with pytest.raises(LedgerError, match="append-only"):
                bench.ledger.database.rows(statement)


def test_every_dispute_is_an_alarm_once_even_of_whoever_took_over_the_public_page(bench):
    ledger = bench.ledger
    ledger.disputes.add(dispute(custody=1))
    with ledger.batch():
        ledger.database.rows("INSERT INTO disputes VALUES (2, 99999, 100, 'nonsense', 'x', 'x')")
    rules = Rules(ledger, RULES)
    alarms = [alarm for alarm in rules.apply(bench.registry, 200) if alarm.rule == "disputed"]
    assert [(alarm.about, alarm.rows) for alarm in alarms] == [("unknown", (1,)), ("unknown", (99999,))]
    assert "something-else" in alarms[1].sentence
    assert not [alarm for alarm in rules.apply(bench.registry, 300) if alarm.rule == "disputed"]
    ledger.slips.note_guessing(250, 600)
    ledger.slips.note_guessing(250, 600)
    assert [alarm.rule for alarm in rules.apply(bench.registry, 300)] == ["slip-guessing"]
    assert rules.apply(bench.registry, 400) == []
    told = review(ledger, bench.registry, RULES, 400, 1)["disputes"]
    assert [row["objection"] for row in told] == ["not-there", "something-else"] and told[0]["answer"] == "none yet"


def test_an_older_ledger_is_brought_up_to_date_and_its_results_have_no_slip(place):
    database = open_database(place)
    migrate(database, 1, MIGRATIONS[:4])
    with database.transaction():
        database.rows("INSERT INTO journal VALUES (1, 'shop-1', 1, 1, 'x', 'x', true, 'accepted', NULL, 5)")
        database.rows("INSERT INTO results (number, outcome, source, envelope) VALUES (1, 'verified', 'y', ?)", b"raw")
        database.rows("INSERT INTO requests VALUES ('x', 'shop-1', 'b', 1, '{}')")
    database.close()
    ledger = Ledger(place)
    assert ledger.slips.find(DIGEST, "x") == [] and ledger.disputes.add(dispute()) == 1
    (custody,) = ledger.latest(1)
    assert (custody.facts.outcome, custody.envelope, custody.disputes) == ("verified", b"raw", 1)
    ledger.close()


@pytest.mark.parametrize(("typed", "region", "number"), [
    ("+91 98765-43210", None, "+919876543210"), ("098765 43210", "IN", "+919876543210"),
    (WIDE, "IN", "+919876543210"), ("९८७६५४३२१०", "IN", "+919876543210"),
    ("+39 06 698 12345", "IN", "+390669812345"), ("131 2345 6789", "CN", "+8613123456789"),
])  # fmt: skip
def test_one_number_however_it_is_written(typed, region, number):
    assert customer_number(typed, region) == number


@pytest.mark.parametrize("typed", ["", "12", "98765 43210", "+", "+91 9", "nobody", "+91" + "9" * 30])
def test_what_is_no_number(typed):
    with pytest.raises(NumberError) as told:
        customer_number(typed)
    assert str(told.value).startswith(("a phone number is written with", "this cannot be a phone number"))


@given(st.text(max_size=80), st.sampled_from([None, "IN", "CN", "US"]))
def test_any_text_is_a_number_in_e164_or_none(typed, region):
    try:
        number = customer_number(typed, region)
    except NumberError:
        return
    assert number[0] == "+" and number[1:].isascii() and number[1:].isdigit() and 3 < len(number) <= 18
    assert customer_number(number) == number


def test_pseudonyms_of_numbers_and_documents_never_meet(tmp_path):
    assert number_pseudonym(KEY, "919876543210") != pseudonym(KEY, "919876543210")
    assert number_pseudonym(KEY, "+919876543210") != number_pseudonym(bytes([1] * 32), "+919876543210")
    (tmp_path / "bad.key").write_text("aa")
    (tmp_path / "bad.key").chmod(0o600)
    with pytest.raises(SettingsError, match="no key of pseudonyms"):
        read_pseudonym_key(tmp_path / "bad.key")


def test_a_number_that_is_none_stops_a_request_before_anything_is_asked(tmp_path, capsys):
    made = create_demo_authority(tmp_path, ("shop-1",), port=1)
    ask = ["request", "--config", str(made.central), "--terminal", "shop-1", "--card"]
    assert main([*ask, "--number", "98765"]) == 2
    told = capsys.readouterr().err
    assert told == "--number: a phone number is written with its country, as in +91 98765 43210\n"
    made.central.write_text(made.central.read_text().replace("  numbers: numbers.key\n", ""))
    assert main([*ask, "--number", "+91 98765 43210"]) == 2
    assert "central.yaml names no keys.numbers" in capsys.readouterr().err
