"""Pseudonyms of subjects and of phone numbers: the same has the same one always, and only the key tells whose it is.

Numbers of documents and of phones are few enough to try them all, so that a hash alone would hide nothing: it is keyed
(HMAC-SHA-256, RFC 2104), and the key lives at central alone, apart from the ledger.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import unicodedata
from pathlib import Path

from device.settings import SettingsError, read_private_file
from device.wire.fields import encode_base64url

KEY_BYTES = 32
MAX_DOCUMENT_LENGTH = 64


class SubjectError(ValueError):
    """A document's number that is none; the message does not hold it."""


def pseudonym(key: bytes, document: str) -> str:
    """The pseudonym of a document, 43 characters.

    Args:
        key: 32 random bytes.
        document: its country and number; case, spaces, hyphens and full-width forms make no difference.

    Raises:
        SubjectError: there is no letter and no digit, or more than 64 of them.
    """
    told = "".join(mark for mark in unicodedata.normalize("NFKC", document).upper() if mark.isalnum())
    if not 0 < len(told) <= MAX_DOCUMENT_LENGTH:
        raise SubjectError(f"a document's number has 1 to {MAX_DOCUMENT_LENGTH} letters and digits")
    return encode_base64url(hmac.digest(key, b"likeness/v1/subject\0" + told.encode(), hashlib.sha256))


def number_pseudonym(key: bytes, number: str) -> str:
    """The pseudonym of a phone number in E.164 (`central.numbers`), 43 characters; never equal to a document's."""
    return encode_base64url(hmac.digest(key, b"likeness/v1/number\0" + number.encode(), hashlib.sha256))


def read_pseudonym_key(path: Path) -> bytes:
    """Reads a key of pseudonyms; raises SettingsError."""
    try:
        key = bytes.fromhex(read_private_file(path).decode())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise SettingsError([f"{path}: is no key of pseudonyms: {KEY_BYTES} bytes in hexadecimal digits"])
    return key


def write_pseudonym_key(path: Path) -> None:
    """Makes a key, for its owner alone; raises SettingsError where there is a file."""
    try:
        file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w")
    except FileExistsError:
        raise SettingsError([f"{path}: is there already: leave out --new-key"]) from None
    with file:
        file.write(secrets.token_hex(KEY_BYTES) + "\n")
