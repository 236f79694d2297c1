"""The customer's slip: a code that only the customer's paper holds, and its digest, which the result bears.

A ledger keeps digests alone: whoever reads it cannot come to the public page in a customer's place. Codes are short
enough to be typed, so that a digest is made dear: scrypt (RFC 7914).
"""

from __future__ import annotations

import hashlib
import unicodedata

ENTROPY_BYTES = 8
CODE_LENGTH = 12
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: without I, L, O, which are read as 1 and 0, and without U."""
_READ_AS = str.maketrans("ILO", "110")
_BITS = 5
# 4 MiB and some ten milliseconds. One salt for all: a code has to be found without knowing whose it is.
_SALT = b"likeness/v1/slip"
_COST, _BLOCK, _LANES, _DIGEST_BYTES = 2**12, 8, 1, 32


class SlipCodeError(ValueError):
    """A code that is none; the message does not hold it."""


def slip_code(entropy: bytes) -> str:
    """The code made of 8 random bytes: 60 bits of them as 12 characters."""
    if len(entropy) != ENTROPY_BYTES:
        raise ValueError(f"a slip's code takes {ENTROPY_BYTES} random bytes")
    number = int.from_bytes(entropy)
    return "".join(_ALPHABET[number >> _BITS * place & 31] for place in range(CODE_LENGTH))


def shown_code(code: str) -> str:
    """The code as people read it, in three groups: `7GQ2-M0XK-94TD`."""
    return "-".join(code[start : start + 4] for start in range(0, CODE_LENGTH, 4))


def read_code(typed: str) -> str:
    """The code that somebody typed, in whatever case, groups and width; I, L and O are read as 1 and 0.

    Raises:
        SlipCodeError: it is no code.
    """
    told = unicodedata.normalize("NFKC", typed[: 8 * CODE_LENGTH]).upper()
    code = "".join(mark for mark in told if not mark.isspace() and mark not in "-\u2010\u2011\u2013\u2014.").translate(
        _READ_AS
    )
    if len(code) != CODE_LENGTH or not set(code) <= set(_ALPHABET):
        raise SlipCodeError(f"a slip's code has {CODE_LENGTH} letters and digits")
    return code


def slip_digest(code: str) -> str:
    """What the result bears of a code, in hexadecimal digits."""
    digest = hashlib.scrypt(code.encode(), salt=_SALT, n=_COST, r=_BLOCK, p=_LANES, dklen=_DIGEST_BYTES)
    return digest.hex()
