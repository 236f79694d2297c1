"""Central as it is, ledger and all, with the registry of the vectors."""

from __future__ import annotations

from pathlib import Path

from contract_files import public_keys, read

from central.custodian import Custodian
from central.evidence import Sealed
from central.ledger import Ledger
from central.messages import open_message
from central.registry import ResultKeyEntry, TerminalEntry, load_registry, registry_text
from central.verify import RefusedError, open_result
from device.wire.envelope import Kind, open_envelope
from device.wire.evidence import EvidenceClaims
from device.wire.receipt import ReceiptEntry
from device.wire.request import RequestClaims

NOW = 1_795_000_060


class Central:
    """Takes one message at a time into a ledger of its own."""

    def __init__(self, folder: Path, requests: list[str], *, rehearsal: bool) -> None:
        (folder / "registry.yaml").write_text(_registry())
        self._registry, self._rehearsal = load_registry(folder / "registry.yaml"), rehearsal
        self.ledger = Ledger(folder / "ledger.sqlite")
        for raw in requests:
            envelope = open_envelope(raw.encode(), Kind.REQUEST, public_keys()[Kind.REQUEST])
            self.ledger.requests.add(RequestClaims.read(envelope.payload), envelope.raw)

    def take(self, terminal: str, raw: bytes) -> str:
        """What becomes of it, in the words of the vectors."""
        try:
            opened = open_result(raw, terminal, self._registry, rehearsal=self._rehearsal)
        except RefusedError as error:
            return f"refused: {error}"
        with self.ledger.batch():
            entries, _ = Custodian(self.ledger).take([opened], self._registry, NOW)
        ((entry,),) = entries.values()
        return _word(entry)

    def take_evidence(self, terminal: str, raw: bytes) -> str:
        """The same for evidence."""
        try:
            opened = open_message(raw, terminal, self._registry, EvidenceClaims)
        except RefusedError as error:
            return f"refused: {error}"
        with self.ledger.batch():
            return _word(self.ledger.evidence.take(Sealed(terminal, *opened), NOW))

    def gaps(self, terminal: str) -> list[list[int]]:
        """Epoch, first and last place of every hole."""
        return [[gap.epoch, gap.first, gap.last] for gap in self.ledger.gaps() if gap.terminal == terminal]


def _word(entry: ReceiptEntry) -> str:
    return f"{entry.verdict}: {entry.reason}" if entry.reason else str(entry.verdict)


def _registry() -> str:
    vectors = read("keys")
    unsealing = {key["terminal"]: key["x"] for key in vectors["unsealing"]}
    return registry_text(
        {
            name: TerminalEntry(
                outlet="outlet-7",
                epoch=terminal["epoch"],
                revoked=terminal["revoked"],
                result_keys=tuple(
                    ResultKeyEntry(public=key["x"], revoked=key["revoked"])
                    for key in vectors["results"]
                    if key["terminal"] == name
                ),
                unsealing_key=unsealing[name],
            )
            for name, terminal in vectors["terminals"].items()
        }
    )
