"""`evidence`: opens the sealed evidence of a result."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from central.commands.options import Commands, declare
from central.config import load_central
from central.evidence import EvidenceError, open_evidence
from central.ledger import Ledger
from device.settings import SettingsError, read_private_file
from device.wire.evidence import EvidencePack
from device.wire.keys import KeyFormatError, parse_unsealing_key


def add(commands: Commands) -> None:
    """Declares the command."""
    evidence = declare(
        commands,
        "evidence",
        _evidence,
        "Opens the sealed evidence of a result with central's evidence key, into files of their owner's alone.",
        "--config central.yaml 0199f0c4-1c00-7000-8000-000000000001 --key evidence.key --out evidence/",
    )
    evidence.add_argument("result", metavar="ID", help="the result's id (jti)")
    evidence.add_argument(
        "--key", type=Path, required=True, metavar="FILE", help="central's evidence key, of mode 0600"
    )
    evidence.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to write what is in it")


def _evidence(options: argparse.Namespace) -> int:
    settings = load_central(options.config)
    try:
        key = parse_unsealing_key(read_private_file(options.key))
    except KeyFormatError as error:
        raise SettingsError([f"{options.key}: {error}"]) from None
    ledger = Ledger(settings.ledger, create=False)
    try:
        found = ledger.evidence.of(options.result)
    finally:
        ledger.close()
    if not found:
        print(f"{options.result}: there is no accepted evidence of this result", file=sys.stderr)
        return 1
    for terminal, claims, result in found:
        try:
            pack = open_evidence(terminal, claims, result, key)
        except EvidenceError as error:
            print(error, file=sys.stderr)
            return 1
        for path in _write(pack, options.out, claims.result):
            print(path)
    return 0


def _write(pack: EvidencePack, folder: Path, result: str) -> list[Path]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    parts = {"signals.json": pack.signals.write() if pack.signals else None, "portrait.jpg": pack.portrait}
    written = []
    for name, content in parts.items():
        if content is not None:
            path = folder / f"{result}-{name}"
            path.unlink(missing_ok=True)  # of whatever mode: it is made anew
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
            written.append(path)
    return written
