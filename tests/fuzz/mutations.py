"""Changes an input a little: bytes, pieces, numbers, words of the formats that stand behind the parsers."""

from __future__ import annotations

import random

WORDS = (
    b"null", b"true", b"[]", b"{}", b"[[[[[[[[", b"]" * 8, b'"', b"\\ud800", b"\\u0000", b"\x00", b"\xff\xfe",
    b"\xed\xa0\x80", b"1e999", b"-0", b"NaN", b"-1", b"0", b"9007199254740993", b"1" * 400, b"1e-400", b".", b"..",
    b"=", b"&a", b"*a", b"<<: *a", b"!!python/object:os.system", b"%", b"\n---\n", b": ", b"- ", b"2026-13-45",
    b"-----BEGIN PUBLIC KEY-----", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"\xff\xff\xff\xff", b"a" * 300,
)  # fmt: skip


def mutated(raw: bytes, corpus: list[bytes], chance: random.Random, longest: int) -> bytes:
    """One to eight changes."""
    for _ in range(1 << chance.randrange(4)):
        raw = _changed(raw, corpus, chance)[:longest]
    return raw


def _changed(raw: bytes, corpus: list[bytes], chance: random.Random) -> bytes:
    at, end = sorted(chance.randrange(len(raw) + 1) for _ in range(2))
    match chance.randrange(9):
        case 0 | 1 if raw:
            at = chance.randrange(len(raw))
            return raw[:at] + bytes([raw[at] ^ 1 << chance.randrange(8)]) + raw[at + 1 :]
        case 2 if raw:
            at = chance.randrange(len(raw))
            return raw[:at] + bytes([chance.randrange(256)]) + raw[at + 1 :]
        case 3:
            return raw[:at] + raw[end:]
        case 4:
            return raw[:end] + raw[at:end] + raw[end:]
        case 5:
            return raw[:at] + chance.choice(WORDS) + raw[at:]
        case 6:
            return raw[:at] + chance.choice(WORDS) + raw[min(end, at + 8) :]
        case 7:
            other = chance.choice(corpus)
            return raw[:at] + other[chance.randrange(len(other) + 1) :]
    return raw[:at]
