"""Writes tests/vectors: the same bytes each time, from keys that are made of their names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import contract_custody
import contract_derivations
import contract_envelopes
import contract_terminal
from contract_files import VECTORS
from contract_keys import key_file


def texts() -> dict[Path, str]:
    """Every file with its content: JSON, one vector on a line."""
    files: dict[str, Any] = {
        "envelopes": contract_envelopes.vectors(),
        "custody": contract_custody.vectors(),
        "requests": contract_terminal.requests(),
        "commands": contract_terminal.commands(),
        "receipts": contract_terminal.receipts(),
        "derivations": contract_derivations.derivations(),
    }
    lines = {
        name: "[\n" + ",\n".join(json.dumps(vector, ensure_ascii=True) for vector in vectors) + "\n]\n"
        for name, vectors in files.items()
    }
    lines["keys"] = json.dumps(key_file(), indent=2) + "\n"
    return {VECTORS / f"{name}.json": text for name, text in lines.items()}


if __name__ == "__main__":
    for path, text in texts().items():
        path.write_text(text)
