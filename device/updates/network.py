"""Asks the authority for the bundle of a kind. Its certificate is known by the token; what it sends is signed."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from typing import BinaryIO, cast

from device.enrolment.network import connected, no_answer
from device.updates.bundle import UpdateError
from device.wire.enrolment import Server
from device.wire.update import BundleKind

PATH = "/v1/updates/"


@contextmanager
def published(server: Server, kind: BundleKind) -> Iterator[BinaryIO | None]:
    """The stream of a kind's newest bundle; None when there is none. Raises EnrolmentError, UpdateError or OSError."""
    with connected(server) as connection:
        try:
            connection.request("GET", PATH + kind.value)
            response = connection.getresponse()
            if response.status not in (200, 404):
                raise UpdateError("busy", f"{server.host}:{server.port}: the authority is busy: run again later")
            yield cast(BinaryIO, response) if response.status == 200 else None
        except (ConnectionError, TimeoutError, ssl.SSLError, HTTPException) as error:
            raise no_answer(server, error) from None
