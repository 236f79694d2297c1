"""Lets coverage choose the inputs of one parser; libFuzzer ends the process, with 0 when it found nothing.

Example: python guided.py PARSER INPUTS SEED FOLDER
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["central", "device", "joserfc", "yaml"]):
    from fuzz import LONGEST_INPUT, tried
    from parsers import parsers


def main(name: str, inputs: str, seed: str, folder: str) -> None:
    """Does not return."""
    parser, corpus = parsers()[name], Path(folder, "corpus")
    corpus.mkdir()
    for number, raw in enumerate(parser.corpus):
        (corpus / str(number)).write_bytes(raw)
    number = int(hashlib.sha256(seed.encode()).hexdigest()[:7], 16)
    options = [f"-runs={inputs}", f"-seed={number}", f"-max_len={LONGEST_INPUT}", "-rss_limit_mb=2048", "-timeout=1200"]
    options.append(f"-artifact_prefix={folder}/")
    atheris.Setup([sys.argv[0], *options, str(corpus)], lambda raw: tried(name, parser, raw), internal_libfuzzer=True)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
