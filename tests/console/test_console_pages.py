"""What the pages say is what the ledger holds, on both databases; and what the console may write."""

from urllib.request import Request, urlopen

import pytest

from central.console import live
from central.database import LedgerError
from central.registry import load_registry, registry_text
from device.wire.receipt import Verdict


def test_a_decision_is_written_beside_and_never_over(own_town):
    town, console = own_town()
    (fork,) = [one for one in town.ledger.quarantined(0) if one.reason == "fork"]
    visitor = console.visitor("auditor")
    path, place = f"/quarantine/{fork.number}", f"/results/{fork.number}"
    assert "Nobody has decided" in visitor.get(place).text
    assert visitor.post(path, {"decision": "investigating", "note": "asked the\n outlet <b>"}).status == 303
    assert visitor.post(path, {"decision": "upheld", "note": "the card was copied"}).status == 303
    assert visitor.post(path, {"decision": "trusted", "note": "abc"}).status == 400
    for wrong in (" x ", "", "abc\u202edef", "x" * 501):
        assert visitor.post(path, {"decision": "upheld", "note": wrong}).status == 400
    assert visitor.post("/quarantine/1", {"decision": "upheld", "note": "it was accepted"}).status == 404
    decisions = town.ledger.decisions.of(fork.number)
    assert [(one.decision, one.note, one.account) for one in decisions] == [
        ("investigating", "asked the outlet <b>", "one-auditor"), ("upheld", "the card was copied", "one-auditor"),
    ]  # fmt: skip
    assert "upheld by one-auditor" in visitor.get("/quarantine").words
    with pytest.raises(LedgerError, match="append-only"):
        town.ledger.database.rows("DELETE FROM decisions")
    (after,) = [one for one in town.ledger.quarantined(0) if one.number == fork.number]
    assert after == fork


def test_an_envelope_is_verified_on_its_own(shared, held):
    visitor = shared.visitor("viewer")
    visitor.get("/chain")
    good = next(one for one in reversed(held) if one.verdict is Verdict.ACCEPTED and one.position.seq)
    raw = good.envelope.decode()
    assert "It holds." in visitor.post("/chain", {"envelope": f"  {raw}\n"}).words
    middle = len(raw) // 2
    changed = raw[:middle] + ("A" if raw[middle] != "A" else "B") + raw[middle + 1 :]
    assert "It does not hold." in visitor.post("/chain", {"envelope": changed}).words
    revoked = next(one for one in held if one.reason == "revoked")
    assert "It does not hold." in visitor.post("/chain", {"envelope": revoked.envelope.decode()}).words
    body = (
        f'--b\r\nContent-Disposition: form-data; name="form_token"\r\n\r\n{visitor.form_token}\r\n--b\r\n'
        f'Content-Disposition: form-data; name="file"; filename="../../x.jws"\r\n\r\n{raw}\r\n--b--\r\n'
    )
    answer = visitor.send("POST", "/chain", body.encode(), {"Content-Type": "multipart/form-data; boundary=b"})
    assert "It holds." in answer.words
    assert "Paste an envelope" in visitor.post("/chain").words


def test_terminals_show_what_somebody_has_to_see_to(shared):
    visitor = shared.visitor("viewer")
    words = visitor.get("/terminals").words
    for told in ("shop-01 silent", "shop-11 lost", "shop-04 online differs: firmware, models", "kiosk-2 revoked",
                 "shop-08 online locked after failures", "shop-10 online clock", "shop-12 online hot"):  # fmt: skip
        assert told in words
    assert words.index("shop-01") < words.index("shop-08") < words.index("shop-06")
    assert "shop-06" not in visitor.get("/terminals?state=silent").words
    words = visitor.get("/terminals/shop-08").words
    assert "Lockout for another 2 min" in words and "Temperature 60.1 °C" in words
    assert "shop-01 : nothing came since 2026-09-21" in visitor.get("/alarms").words


def test_a_revoked_key_changes_what_is_shown_at_once(own_town):
    town, console = own_town()
    path = town.settings.registry
    entries = dict(load_registry(path).terminals)
    entries["shop-06"] = entries["shop-06"].model_copy(update={"revoked": True})
    path.write_text(registry_text(entries))
    console.house.watch.look()
    assert "shop-06 revoked" in console.visitor("viewer").get("/terminals").words


def test_a_result_is_verified_again_while_its_page_is_made(own_town):
    """Whoever can write into the database cannot make a page say `verified`."""
    town, console = own_town()
    number, now = town.ledger.newest() + 1, town.now
    forged = town.ledger.latest(1)[0].envelope
    forged = forged[:-8] + (b"AAAAAAAA" if forged[-8:] != b"AAAAAAAA" else b"BBBBBBBB")
    with town.ledger.batch():
        town.ledger.database.rows(
            "INSERT INTO journal VALUES (?, 'shop-06', 1, 999999, 'x', 'x', true, 'accepted', NULL, ?)", number, now
        )
        town.ledger.database.rows(
            "INSERT INTO results (number, outcome, source, envelope) VALUES (?, 'verified', 'pi-camera', ?)",
            number,
            forged,
        )
    page = console.visitor("viewer").get(f"/results/{number}")
    assert "The signature does not hold" in page.text and "kind-verified" not in page.text


def test_live_tells_of_a_new_result_and_ends_with_the_sign_in(own_town, monkeypatch):
    monkeypatch.setattr(live, "LOOK_S", 0.02)
    monkeypatch.setattr(live, "CHECK_S", 0.1)
    town, console = own_town()
    visitor = console.visitor("viewer")
    url = f"{console.url}/live"
    with urlopen(Request(url, headers={"Cookie": f"console={visitor.cookies['console']}"}), timeout=20) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        assert next(stream) == b"retry: 5000\n"
        assert any(line == b"event: hello\n" for line in stream)
        assert next(stream).startswith(b"data: ")
        town.session("shop-06", town.now)
        assert any(line.startswith(b"data: ") for line in stream)
        console.house.sign_ins.end(visitor.cookies["console"])
        assert not any(line.startswith(b"event: hello") for line in stream)
