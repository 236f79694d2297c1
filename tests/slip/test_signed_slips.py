"""A session's end: its code is on the slip, its digest in the signed result, and neither is anywhere else."""

import logging
from dataclasses import replace
from datetime import datetime

import pytest
import samples

from device.admission import Admission
from device.camera import CaptureSource
from device.closing import Closing
from device.decision import Decision
from device.delivery.clocks import TerminalClock
from device.delivery.requests import AcceptedRequest
from device.delivery.telemetry import Vitals
from device.liveness.evidence import Ending
from device.liveness.limits import Limits
from device.liveness.session import Ended
from device.panel.catalogue import LANGUAGES
from device.results import Session, Terminal
from device.slip.code import draw_code
from device.slip.content import Slip, wording
from device.slip.drawing import draw_slip
from device.slip.fonts import typeface
from device.slip.giver import open_slips
from device.verification import Verdict
from device.wire.claims import Outcome, ResultClaims, SpokenConsent
from device.wire.envelope import Kind, open_envelope
from device.wire.plan import derive_plan
from device.wire.request import Policy
from device.wire.slip import read_code, shown_code, slip_digest
from tests.slip.conftest import ADDRESS
from tests.slip.receipt_paper import printed, scanned

TERMINAL = Terminal(samples.TERMINAL, samples.BOOT, "1", samples.SOFTWARE, CaptureSource.REHEARSAL)
CLOCK = TerminalClock(lambda: samples.NOW, lambda: 5.0, lambda: True)
EVERY_OUTCOME = [("en", outcome) for outcome in Outcome]
EVERY_LANGUAGE = [(language, end) for language in LANGUAGES[1:] for end in (Outcome.VERIFIED, Outcome.DECLINED)]


@pytest.fixture
def session() -> Session:
    request = AcceptedRequest(samples.SESSION, None, samples.NONCE, Policy(), None, None)
    plan = derive_plan(nonce=samples.NONCE, salt=samples.SALT, session="s", terminal=samples.TERMINAL)
    return Session(request, 1, "s", samples.SALT, plan, ("blink",), slip=draw_code())


def ended(outcome: Outcome) -> Verdict:
    return Verdict(Ended(1.0, Ending.DECLINED), None, Decision(outcome, (), "As it was."))


def closing(outbox, slips, clock: TerminalClock) -> Closing:
    admission = Admission(outbox, samples.BOOT, clock, Limits(), Vitals())
    admission.look(0.0)
    return Closing(TERMINAL, outbox, clock, admission, None, slips)


def claims(outbox, keys) -> list[ResultClaims]:
    known = {keys.result_key.kid: keys.result_key.private.public_key()}
    rows = outbox.waiting(10)
    return [ResultClaims.read(open_envelope(row.envelope, Kind.RESULT, known).payload) for row in rows]


@pytest.mark.parametrize(("language", "outcome"), [*EVERY_OUTCOME, *EVERY_LANGUAGE])
def test_the_slips_code_has_the_signed_digest(
    language, outcome, session, outbox, keys, configured, sheet, tmp_path, caplog
):
    caplog.set_level(logging.DEBUG)
    spoken = None if language == "en" else SpokenConsent(version="1", language=language, whole=True)
    with open_slips(configured(printer={"kind": "file", "path": sheet}), []) as slips:
        one = closing(outbox, slips, CLOCK)
        finished = one.finish(session, ended(outcome), 1.0, spoken)
        assert one.sign(finished, 1.0)
        assert finished.session.slip is None
        assert one.sign(finished, 2.0)
    (paper,) = printed(sheet.read_bytes())  # one, however often it is asked for
    (signed,) = claims(outbox, keys)
    code = read_code(scanned(paper).partition("#")[2])
    assert (signed.slip, signed.outcome) == (slip_digest(code), outcome)
    at = datetime.fromtimestamp(samples.NOW).astimezone()
    expected = Slip(samples.TERMINAL, at, True, language, outcome=outcome, code=code)
    picture = draw_slip(wording(expected, ADDRESS), 80, typeface(language))
    assert paper.tobytes() == picture.convert("L").tobytes()
    for told in (caplog.text, repr(finished), repr(session), repr(signed)):
        assert code not in told
        assert signed.slip not in told
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("outbox*"))
    assert kept
    assert code.encode() not in kept
    assert shown_code(code).encode() not in kept


def test_there_is_no_slip_for_a_result_that_is_on_no_disk(session, outbox, keys, configured, sheet, tmp_path):
    path, away = tmp_path / "outbox.sqlite", tmp_path / "away"
    with open_slips(configured(printer={"kind": "file", "path": sheet}), []) as slips:
        one = closing(outbox, slips, CLOCK)
        finished = one.finish(session, ended(Outcome.VERIFIED), 1.0)
        path.rename(away)
        assert not one.sign(finished, 1.0)
        assert finished.session.slip is not None
        away.rename(path)
        assert slips._waiting is None
        assert sheet.read_bytes() == b""
        assert one.sign(finished, 9.0)
    assert len(printed(sheet.read_bytes())) == len(claims(outbox, keys)) == 1


def test_a_printer_that_is_not_there_costs_no_result(session, outbox, keys, configured, tmp_path, caplog):
    with open_slips(configured(printer={"kind": "file", "path": tmp_path / "none"}), []) as slips:
        one = closing(outbox, slips, CLOCK)
        assert one.sign(one.finish(session, ended(Outcome.VERIFIED), 1.0), 1.0)
    assert claims(outbox, keys)[0].slip == session.slip.digest
    (lost,) = caplog.messages
    assert lost.startswith(f"a slip is lost: printer {tmp_path}/none: No such file")


def test_where_nobody_gives_slips_no_result_bears_one(session, outbox, keys):
    one = closing(outbox, None, CLOCK)
    assert not one.gives_slips
    assert one.sign(one.finish(replace(session, slip=None), ended(Outcome.VERIFIED), 1.0), 1.0)
    assert claims(outbox, keys)[0].slip is None
