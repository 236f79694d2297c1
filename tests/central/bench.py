"""A judge with its ledger and registry, and a terminal's key to sign with; no broker."""

from pathlib import Path

import samples
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from central.judge import Judge
from central.ledger import Ledger
from central.registry import Registry, ResultKeyEntry, TerminalEntry, load_registry, public_key_text, registry_text
from device.wire.chain import ChainHead
from device.wire.envelope import Envelope, Kind, SigningKey, sign
from device.wire.receipt import ReceiptEntry


class Bench:
    """Central without a broker: signs as a terminal would and judges at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keys = {name: SigningKey(Ed25519PrivateKey.generate()) for name in ("shop-1", "shop-2", "revoked", "old")}
        self.requests = SigningKey(Ed25519PrivateKey.generate())
        self.ledger = Ledger(folder / "ledger.sqlite")
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

    def judge(self, raw: bytes, terminal: str = samples.TERMINAL, *, rehearsal: bool = False) -> ReceiptEntry | None:
        own = {self.requests.kid: self.requests.private.public_key()}
        with self.ledger.batch():
            return Judge(self.registry, self.ledger, own, rehearsal=rehearsal).judge(terminal, raw, samples.NOW)
