"""From a token to keys that central believes, and on through renewals and new keys."""

import os
import stat
import subprocess

import pytest

from central.registry import load_registry
from device.delivery.keys import load_terminal_keys
from device.delivery.outbox import Outbox
from device.enrolment.steps import finish, is_enrolled_by, prepare_enrolment, renewal_due
from device.wire.anchor import AnchorClaims, AnchorReason
from device.wire.enrolment import EnrolmentError, read_token
from device.wire.envelope import Kind, open_envelope
from device.wire.keys import parse_sealing_key
from provisioning.issuing import NewKeysOrderedError, answer_request
from provisioning.records import Records
from provisioning.revoking import refresh_crl, revoke
from provisioning.vault import ProvisioningError
from tests.provisioning.shop import NOW, days, open_shop


def registry(shop):
    return load_registry(shop.folder / "registry.yaml")


def test_what_is_enrolled_fits_the_registry(shop):
    identity = shop.enrol()
    keys = load_terminal_keys(shop.keys)
    assert keys.terminal == identity.aud == "shop-17" and identity.epoch == 1
    assert registry(shop).owners[keys.result_key.kid].terminal == "shop-17"
    assert registry(shop).unsealing_key("shop-17") == keys.unsealing_key.public_key()
    assert set(keys.request_signers) == {shop.authority.requests.kid}
    assert set(keys.receipt_signers) == {shop.authority.receipts.kid}
    evidence = parse_sealing_key((shop.keys / "central-evidence.pem").read_bytes())
    assert evidence == shop.authority.evidence.public_key()
    assert keys.tls.not_after == NOW + days(30)


def test_secrets_are_the_terminals_own(shop):
    shop.enrol()
    for name in ("result.key", "unsealing.key", "tls.key", "trust.json", "request.json"):
        assert stat.S_IMODE((shop.keys / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(shop.keys.resolve().stat().st_mode) == 0o700
    for path in shop.folder.rglob("*"):
        assert b"PRIVATE KEY" not in path.read_bytes(), path
    for name in ("authority.vault", "records.sqlite"):
        assert stat.S_IMODE((shop.folder / name).stat().st_mode) == 0o600


def test_strict_openssl_believes_the_certificate(shop):
    shop.enrol()
    refresh_crl(shop.folder, shop.authority, shop.records, NOW)
    check = ["openssl", "verify", "-x509_strict", "-attime", str(int(NOW.timestamp())), "-purpose", "sslclient"]
    check += ["-crl_check", "-CRLfile", str(shop.folder / "crl.pem")]
    check += ["-CAfile", str(shop.folder / "clients-ca.pem"), str(shop.keys / "tls.pem")]
    assert subprocess.run(check, check=False, capture_output=True, text=True).stdout.endswith("tls.pem: OK\n")
    revoke(shop.records, "shop-17", NOW)
    refresh_crl(shop.folder, shop.authority, shop.records, NOW)
    refused = subprocess.run(check, check=False, capture_output=True, text=True)
    assert refused.returncode != 0 and "revoked" in refused.stderr


def test_a_second_run_changes_nothing(shop):
    token = shop.token()
    request = prepare_enrolment(shop.generations(), token)
    assert prepare_enrolment(shop.generations(), token) == request
    bundle = shop.answer(request)
    assert shop.answer(request, NOW + days(1)) == bundle
    finish(shop.generations(), bundle, NOW)
    assert is_enrolled_by(shop.generations(), read_token(token.text()))
    assert len(list(shop.keys.parent.iterdir())) == 2


def test_the_certificate_is_renewed_in_the_same_epoch(shop):
    shop.enrol()
    before = load_terminal_keys(shop.keys)
    assert not renewal_due(shop.generations(), NOW + days(19))[0]
    assert renewal_due(shop.generations(), NOW + days(21))[0]
    identity = shop.rotate(NOW + days(21))
    after = load_terminal_keys(shop.keys)
    assert identity.epoch == 1 and after.result_key.kid == before.result_key.kid
    assert after.tls.not_after == NOW + days(51)
    assert len(registry(shop).terminals["shop-17"].result_keys) == 1


def test_a_terminal_that_was_off_for_long_renews_an_expired_certificate(shop):
    shop.enrol()
    assert shop.rotate(NOW + days(400)).epoch == 1
    assert load_terminal_keys(shop.keys).tls.not_after == NOW + days(430)


def test_new_keys_begin_a_new_epoch_and_the_old_key_still_verifies(shop):
    shop.enrol()
    before = load_terminal_keys(shop.keys)
    shop.order_new_keys()
    identity = shop.rotate(NOW + days(1), new_keys=True)
    after, known = load_terminal_keys(shop.keys), registry(shop)
    assert identity.epoch == 2 == known.terminals["shop-17"].epoch
    assert (shop.keys / "chain-epoch").read_text() == "2\n"
    assert after.result_key.kid != before.result_key.kid
    assert not known.owners[before.result_key.kid].revoked
    assert known.unsealing_key("shop-17") == after.unsealing_key.public_key() != before.unsealing_key.public_key()
    assert shop.rotate(NOW + days(2)).epoch == 2


def test_the_outbox_begins_the_new_epoch_with_an_anchor_that_the_registry_approves(shop, quick):
    def anchors():
        keys = load_terminal_keys(shop.keys)
        outbox = Outbox(quick / "outbox.sqlite", keys.terminal, keys.result_key, epoch=keys.epoch)
        waiting = [(row.place.epoch, row.place.seq, row.envelope) for row in outbox.waiting(10)]
        outbox.close()
        return waiting

    shop.enrol()
    assert anchors() == []
    shop.order_new_keys()
    shop.rotate(NOW + days(1), new_keys=True)
    [(epoch, seq, envelope)] = anchors()
    claims = AnchorClaims.read(open_envelope(envelope, Kind.ANCHOR, registry(shop).keys).payload)
    assert (epoch, seq) == (2, 0) == (claims.epoch, 0) and claims.reason == AnchorReason.NEW_KEY
    assert registry(shop).terminals[claims.iss].epoch == claims.epoch


def test_new_keys_need_an_order_and_an_order_needs_new_keys(shop):
    shop.enrol()
    with pytest.raises(ProvisioningError, match="nobody ordered new keys"):
        shop.rotate(NOW + days(1), new_keys=True)
    shop.order_new_keys()
    shop.generations()._waiting.unlink()
    with pytest.raises(NewKeysOrderedError):
        shop.rotate(NOW + days(1))


def test_only_the_newest_key_may_approve(shop, tmp_path):
    shop.enrol()
    clone = tmp_path / "clone"
    subprocess.run(["cp", "-a", str(shop.keys.parent), str(clone)], check=True)
    shop.order_new_keys()
    shop.rotate(NOW + days(1), new_keys=True)
    shop.keys = clone / "keys"
    with pytest.raises(EnrolmentError, match="approval"):
        shop.rotate(NOW + days(2))


def test_an_answer_that_grew_old_is_given_anew_for_the_same_keys(shop):
    request = prepare_enrolment(shop.generations(), shop.token())
    stale = shop.answer(request)
    with pytest.raises(EnrolmentError, match="expired on 2026-12-22"):
        finish(shop.generations(), stale, NOW + days(31))
    identity = finish(shop.generations(), shop.answer(request, NOW + days(31)), NOW + days(31))
    assert identity.epoch == 1 and len(registry(shop).terminals["shop-17"].result_keys) == 1


def test_a_revoked_terminal_comes_back_by_a_new_token_only(shop):
    shop.enrol()
    first = load_terminal_keys(shop.keys).result_key.kid
    waiting = shop.token()
    assert revoke(shop.records, "shop-17", NOW) and not revoke(shop.records, "shop-17", NOW)
    assert registry(shop).owners[first].revoked
    with pytest.raises(ProvisioningError, match="only a new token"):
        shop.rotate(NOW)
    with pytest.raises(ProvisioningError, match="unknown here or was replaced"):
        shop.answer(prepare_enrolment(shop.generations(), waiting))
    assert shop.enrol().epoch == 2
    known = registry(shop)
    assert known.owners[first].revoked and not known.terminals["shop-17"].revoked
    assert not known.owners[load_terminal_keys(shop.keys).result_key.kid].revoked


def test_a_stolen_cards_certificate_is_revoked_by_the_new_enrolment(shop):
    shop.enrol()
    refresh_crl(shop.folder, shop.authority, shop.records, NOW)
    assert shop.records.revoked_certificates(NOW) == []
    shop.enrol(NOW + days(1))
    assert len(shop.records.revoked_certificates(NOW)) == 1
    assert refresh_crl(shop.folder, shop.authority, shop.records, NOW + days(1)) == NOW + days(61)


def test_the_list_is_written_anew_at_half_of_its_life(shop):
    assert refresh_crl(shop.folder, shop.authority, shop.records, NOW) == NOW + days(60)
    assert refresh_crl(shop.folder, shop.authority, shop.records, NOW + days(29)) is None
    assert refresh_crl(shop.folder, shop.authority, shop.records, NOW + days(31)) == NOW + days(91)


def test_a_cloned_request_cannot_change_what_was_answered(shop):
    """Whoever copied the request file has no key that belongs to it; answering it again tells nothing new."""
    token = shop.token()
    bundle = shop.answer(prepare_enrolment(shop.generations(), token))
    shop.keys = shop.keys.parent / "other"
    again = prepare_enrolment(shop.generations(), token)
    with pytest.raises(ProvisioningError, match="used already, by another request"):
        shop.answer(again)
    with pytest.raises(EnrolmentError, match="answers another request"):
        finish(shop.generations(), bundle, NOW)


def test_one_token_before_many_desks_at_once_is_used_once(shop, quick):
    token, requests = shop.token(), []
    for number in range(6):
        shop.keys = quick / f"terminal-{number}" / "keys"
        requests.append(prepare_enrolment(shop.generations(), token))
    children = []
    for request in requests:
        if (child := os.fork()) == 0:
            records = Records(shop.folder)
            try:
                answer_request(shop.authority, records, request, NOW)
                os._exit(0)
            except ProvisioningError:
                os._exit(1)
            finally:
                os._exit(2)
        children.append(child)
    codes = sorted(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)
    assert codes == [0, 1, 1, 1, 1, 1]
    assert len(registry(shop).terminals["shop-17"].result_keys) == 1


def test_the_authority_opened_again_is_the_same(shop, quick):
    again = open_shop(quick)
    again.records.close()
    assert again.authority.root.kid == shop.authority.root.kid
    assert again.authority.pin == shop.authority.pin
    answered = answer_request(shop.authority, shop.records, prepare_enrolment(shop.generations(), shop.token()), NOW)
    assert answered.epoch == 1
