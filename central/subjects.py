"""Pseudonyms of subjects: the same document has the same one always, and nobody without the key can tell whose it is.

Numbers of documents are few enough to try them all, so that a hash alone would hide nothing: it is keyed
(HMAC-SHA-256, RFC 2104), and the key lives at central alone, apart from the ledger.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata

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
