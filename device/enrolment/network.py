"""Asks the authority over the network. Its certificate is known by the token, so neither clock nor names matter."""

from __future__ import annotations

import hashlib
import hmac
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPSConnection

from device.wire.enrolment import MAX_DOCUMENT_BYTES, EnrolmentError, Server

PATH = "/v1/enrol"
TIMEOUT_S = 20.0
NEW_KEYS_ORDERED = "new-keys-ordered"
"""The fault by which the authority orders a rotation with new result and unsealing keys."""


class NewKeysOrderedError(EnrolmentError):
    """The authority wants new keys, and not only a new certificate."""


def ask(server: Server, request: bytes) -> bytes:
    """Returns the bundle for a request file; raises EnrolmentError, and tells a stranger nothing."""
    with connected(server) as connection:
        try:
            connection.request("POST", PATH, request, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = response.read(MAX_DOCUMENT_BYTES + 1)
        except (OSError, HTTPException) as error:
            raise no_answer(server, error) from None
    if response.status == 200:
        return answer
    raise _refusal(f"{server.host}:{server.port}", answer)


@contextmanager
def connected(server: Server) -> Iterator[HTTPSConnection]:
    """A connection to the very server that the token named; raises EnrolmentError."""
    connection = HTTPSConnection(server.host, server.port, timeout=TIMEOUT_S, context=_pinned_elsewhere())
    try:
        try:
            connection.connect()
        except (OSError, HTTPException) as error:
            raise no_answer(server, error) from None
        _check_pin(connection.sock, server.pin, f"{server.host}:{server.port}")
        yield connection
    finally:
        connection.close()


def no_answer(server: Server, error: OSError | HTTPException) -> EnrolmentError:
    """What is to be said of a connection that failed."""
    where = f"{server.host}:{server.port}"
    if isinstance(error, ssl.SSLError):
        return EnrolmentError(f"{where}: no secure connection: {error.reason or error}")
    why = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return EnrolmentError(f"{where}: the authority does not answer ({why}): check the network, run again")


def _pinned_elsewhere() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # `_check_pin` knows the one certificate, before a byte is sent
    return context


def _check_pin(secured: object, pin: str, where: str) -> None:
    shown = secured.getpeercert(binary_form=True) if isinstance(secured, ssl.SSLSocket) else None
    if shown is None or not hmac.compare_digest(hashlib.sha256(shown).hexdigest(), pin):
        raise EnrolmentError(
            f"{where}: is not the authority that made the token (foreign certificate): nothing was sent"
        )


def _refusal(where: str, answer: bytes) -> EnrolmentError:
    try:
        document = json.loads(answer)
        fault, sentence = str(document["fault"]), str(document["sentence"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return EnrolmentError(f"{where}: the authority's answer cannot be read")
    shown = "".join(sign for sign in sentence if sign.isprintable())[:300]
    return (NewKeysOrderedError if fault == NEW_KEYS_ORDERED else EnrolmentError)(f"{where}: {shown}")
