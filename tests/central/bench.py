"""A judge with its ledger and registry, and a terminal's key to sign with; no broker."""

from pathlib import Path

import samples
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from central.custodian import Custodian
from central.ledger import Ledger
from central.registry import Registry, ResultKeyEntry, TerminalEntry, load_registry, public_key_text, registry_text
from central.verify import RefusedError, digest, open_result
from device.wire.chain import ChainHead
from device.wire.envelope import Envelope, Kind, SigningKey, sign
from device.wire.receipt import ReceiptEntry
from device.wire.request import RequestClaims


class Bench:
    """Central without a broker: signs as a terminal would and judges at once."""

    def __init__(self, folder: Path, place: Path | str | None = None) -> None:
        self.folder = folder
        self.keys = {name: SigningKey(Ed25519PrivateKey.generate()) for name in ("shop-1", "shop-2", "revoked", "old")}
        self.requests = SigningKey(Ed25519PrivateKey.generate())
        self.ledger = Ledger(place or folder / "ledger.sqlite")
        self.registry = self._registry()
        self.head = ChainHead(1)

    def _registry(self) -> Registry:
        unsealing = public_key_text(X25519PrivateKey.generate().public_key())
        public = {name: public_key_text(key.private.public_key()) for name, key in self.keys.items()}
        entries = {
            "shop-1": TerminalEntry(
                outlet="o",
                result_keys=(
                    ResultKeyEntry(public=public["shop-1"]),
                    ResultKeyEntry(public=public["old"], revoked=True),
                ),
                unsealing_key=unsealing,
            ),
            "shop-2": TerminalEntry(
                outlet="o", result_keys=(ResultKeyEntry(public=public["shop-2"]),), unsealing_key=unsealing, epoch=2
            ),
            "revoked": TerminalEntry(
                outlet="o",
                result_keys=(ResultKeyEntry(public=public["revoked"]),),
                unsealing_key=unsealing,
                revoked=True,
            ),
        }
        path = self.folder / "registry.yaml"
        path.write_text(registry_text(entries))
        return load_registry(path)

    def signed(self, key: str = samples.TERMINAL, **changes: object) -> Envelope:
        """A result at the next place of the chain."""
        claims = samples.result(self.head.next(), **changes)
        envelope = sign(Kind.RESULT, claims.write(), self.keys[key])
        self.head = self.head.advanced(envelope.sha256)
        return envelope

    def asks(self, claims: RequestClaims) -> None:
        """Central makes this request."""
        self.ledger.requests.add(claims, sign(Kind.REQUEST, claims.write(), self.requests).raw)

    def anchor(self, terminal: str, **changes: object) -> Envelope:
        claims = samples.anchor(iss=terminal, **changes)
        return sign(Kind.ANCHOR, claims.write(), self.keys[terminal])

    def judge(
        self, raw: bytes, terminal: str = samples.TERMINAL, *, rehearsal: bool = False, now: int = samples.NOW
    ) -> ReceiptEntry | None:
        (entry,) = self.judge_all([(terminal, raw)], rehearsal=rehearsal, now=now) or [None]
        return entry

    def judge_all(
        self, batch: list[tuple[str, bytes]], *, rehearsal: bool = False, now: int = samples.NOW
    ) -> list[ReceiptEntry]:
        """One batch; the entries of each terminal in order."""
        opened, refused = [], []
        for terminal, raw in batch:
            try:
                opened.append(open_result(raw, terminal, self.registry, rehearsal=rehearsal))
            except RefusedError as error:
                refused.append((terminal, digest(raw), str(error)))
        with self.ledger.batch():
            self.ledger.refuse(refused, now)
            entries, runs = Custodian(self.ledger).take(opened, self.registry, now)
            self.ledger.note_receipts(runs, now)
        return [entry for some in entries.values() for entry in some]
