"""A new key, a restored card and a lost outbox begin an epoch; evidence waits, leaves and is gone."""

from pathlib import Path

import pytest
import samples
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.delivery.database import OutboxMismatchError
from device.delivery.keys import CHAIN_EPOCH, EVIDENCE_RECIPIENT, load_terminal_keys
from device.delivery.outbox import OFFLINE_SESSIONS, Outbox
from device.delivery.rows import Part, Place, WaitingEnvelope
from device.settings import SettingsError
from device.wire.anchor import AnchorClaims
from device.wire.chain import ChainHead
from device.wire.claims import ResultClaims
from device.wire.envelope import Kind, SigningKey, open_envelope
from device.wire.evidence import EvidenceClaims

SEALED = bytes(range(256)) * 40
NEW_KEY = SigningKey(Ed25519PrivateKey.generate())


def opened(row: WaitingEnvelope, kind: Kind, key: SigningKey) -> bytes:
    return open_envelope(row.envelope, kind, {key.kid: key.private.public_key()}).payload


def receipt(outbox: Outbox, row: WaitingEnvelope) -> list[Place]:
    return outbox.remove([(row.place.epoch, row.place.seq, row.sha256)])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.sqlite"


@pytest.mark.parametrize(("new_key", "reason"), [(True, "new-key"), (False, "restored-card")])
def test_a_new_epoch_begins_with_an_anchor_that_names_what_was_before(path, keys, new_key, reason):
    before = Outbox(path, samples.TERMINAL, keys.result_key)
    last = [before.append(samples.result) for _ in range(3)][-1]
    before.close()
    key = NEW_KEY if new_key else keys.result_key
    outbox = Outbox(path, samples.TERMINAL, key, epoch=2, now=lambda: samples.NOW + 0.5)
    result = outbox.append(samples.result)
    old = outbox.waiting(10)
    assert [row.place for row in old] == [Place(1, 1), Place(1, 2), Place(1, 3)]
    for row in old:
        receipt(outbox, row)
    (waiting,) = outbox.waiting(10)
    anchor = AnchorClaims.read(opened(waiting, Kind.ANCHOR, key))
    assert (waiting.place, anchor.epoch, anchor.reason, anchor.iat) == (Place(2, 0), 2, reason, samples.NOW)
    assert (anchor.previous.epoch, anchor.previous.seq, anchor.previous.sha256) == (1, 3, last.sha256)
    receipt(outbox, waiting)
    (first,) = outbox.waiting(10)
    claims = ResultClaims.read(opened(first, Kind.RESULT, key))
    assert (claims.epoch, claims.seq, claims.prev) == (2, 1, waiting.sha256)
    assert outbox.head() == ChainHead(2, 1, result.sha256)
    outbox.close()


def test_an_epoch_is_begun_once(path, keys):
    Outbox(path, samples.TERMINAL, keys.result_key).append(samples.result)
    heads = []
    for _ in range(3):
        outbox = Outbox(path, samples.TERMINAL, keys.result_key, epoch=2)
        heads.append(outbox.head())
        outbox.close()
    assert len(set(heads)) == 1 and heads[0].seq == 0


def test_a_lost_outbox_begins_its_epoch_without_knowing_what_was(path, keys):
    outbox = Outbox(path, samples.TERMINAL, keys.result_key, epoch=4)
    (waiting,) = outbox.waiting(10)
    anchor = AnchorClaims.read(opened(waiting, Kind.ANCHOR, keys.result_key))
    assert (anchor.epoch, anchor.reason, anchor.previous) == (4, "outbox-lost", None)
    outbox.close()


@pytest.mark.parametrize(("epoch", "key"), [(1, None), (2, NEW_KEY)])
def test_no_epoch_goes_back_and_none_has_two_keys(path, keys, epoch, key):
    Outbox(path, samples.TERMINAL, keys.result_key, epoch=2).head()
    with pytest.raises(OutboxMismatchError, match="new chain epoch"):
        Outbox(path, samples.TERMINAL, key or keys.result_key, epoch=epoch).head()


def test_evidence_waits_for_its_results_receipt_and_names_it(outbox, keys):
    envelope = outbox.append(samples.result, evidence=SEALED)
    outbox.append(samples.result)
    assert [row.place for row in outbox.waiting(10)] == [Place(1, 1), Place(1, 2)]
    assert outbox.depth() == 3
    assert outbox.remove([(1, 1, envelope.sha256)]) == [Place(1, 1)]
    evidence, _ = outbox.waiting(10)
    assert evidence.place == Place(1, 1, Part.EVIDENCE)
    claims = EvidenceClaims.read(opened(evidence, Kind.EVIDENCE, keys.result_key))
    result = ResultClaims.read(open_envelope(envelope.raw, Kind.RESULT, own(keys.result_key)).payload)
    assert (claims.epoch, claims.seq, claims.result, claims.sealed) == (1, 1, result.jti, SEALED)
    # The result's own digest does not free its evidence.
    assert outbox.remove([(1, 1, envelope.sha256)]) == []
    assert receipt(outbox, evidence) == [Place(1, 1, Part.EVIDENCE)]
    assert outbox.depth() == 1


def own(key: SigningKey) -> dict:
    return {key.kid: key.private.public_key()}


def test_evidence_is_gone_from_the_disk_after_its_receipt(outbox, path):
    outbox.append(samples.result, evidence=SEALED)
    outbox.append(samples.result)
    evidence_files = [path, Path(f"{path}-wal")]
    (result, *_) = outbox.waiting(1)
    receipt(outbox, result)
    (evidence, *_) = outbox.waiting(1)
    trace = evidence.envelope[2000:2040]
    assert any(trace in file.read_bytes() for file in evidence_files)
    receipt(outbox, evidence)
    assert not any(trace in file.read_bytes() for file in evidence_files)
    assert outbox.depth() == 1


def test_nothing_of_a_failed_append_stays(outbox):
    with pytest.raises(ValueError, match="chain position"):
        outbox.append(lambda position: samples.result(position, prev="1" * 64), evidence=SEALED)
    assert outbox.depth() == 0


def test_a_receipt_forgets_how_many_sessions_were_offline(outbox):
    envelope = outbox.append(samples.result, remember={OFFLINE_SESSIONS: "3"})
    outbox.remove([(1, 1, "0" * 64)])
    assert outbox.recall(OFFLINE_SESSIONS, str) == "3"
    outbox.remove([(1, 1, envelope.sha256)])
    assert outbox.recall(OFFLINE_SESSIONS, str) is None


@pytest.fixture
def folder(tmp_path, made) -> Path:
    for source in made.terminals["shop-2"].iterdir():
        (tmp_path / source.name).write_bytes(source.read_bytes())
        (tmp_path / source.name).chmod(0o600)
    (tmp_path / EVIDENCE_RECIPIENT).unlink(missing_ok=True)
    return tmp_path


def test_epoch_and_evidence_key_stand_beside_the_keys(folder):
    assert (load_terminal_keys(folder).epoch, load_terminal_keys(folder).evidence_recipient) == (1, None)
    (folder / CHAIN_EPOCH).write_text("7\n")
    assert load_terminal_keys(folder).epoch == 7


@pytest.mark.parametrize("text", ["", "0", "-1", "two", "1.5", "9" * 17, "²"])
def test_an_epoch_that_is_none_is_told(folder, text):
    (folder / CHAIN_EPOCH).write_text(text)
    with pytest.raises(SettingsError, match="chain-epoch: not a chain epoch"):
        load_terminal_keys(folder)
