"""The authority's endpoint over TLS: POST a request file, get a bundle; GET the newest update of a kind.

Whoever connects is a stranger.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import ssl
import tempfile
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from types import TracebackType
from typing import Any

from device.durable import replace_file
from device.enrolment.network import NEW_KEYS_ORDERED, PATH
from device.updates.network import PATH as UPDATES
from device.wire.enrolment import MAX_DOCUMENT_BYTES, EnrolmentError
from device.wire.keys import private_pem
from provisioning.authority import OpenAuthority
from provisioning.issuing import LIFETIME, Answered, NewKeysOrderedError, answer_request
from provisioning.records import Records
from provisioning.revoking import refresh_crl
from provisioning.updates import published_at
from provisioning.vault import ProvisioningError

LOG = logging.getLogger(__name__)
MAX_CONNECTIONS = 16
MAX_DOWNLOADS = 8
"""Of the connections: a fleet that fetches its update keeps no terminal from enrolling."""
IDLE_S = 10.0
CRL_CHECK_S = 3600.0


class Endpoint:
    """Answers in threads of its own between `with` and its end."""

    def __init__(
        self,
        folder: Path,
        authority: OpenAuthority,
        records: Records,
        listen: tuple[str, int],
        *,
        lifetime: timedelta = LIFETIME,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Listens at once; port 0 takes a free one."""
        self._folder, self._authority, self._records = folder, authority, records
        self._lifetime, self._now = lifetime, now
        self._one_at_a_time, self._over = threading.Lock(), threading.Event()
        self._server = _Server(listen, _tls(authority), self._answer, folder)
        self._threads = [
            threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="endpoint"),
            threading.Thread(target=self._keep_crl, name="crl"),
        ]

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        host, port = self._server.server_address[:2]
        return str(host), int(port)

    def __enter__(self) -> Endpoint:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        for thread in self._threads:
            thread.join()

    def _answer(self, raw: bytes) -> Answered:
        with self._one_at_a_time:
            answered = answer_request(self._authority, self._records, raw, self._now(), self._lifetime)
            refresh_crl(self._folder, self._authority, self._records, self._now())
        LOG.info("answered terminal=%s epoch=%d repeated=%s", answered.terminal, answered.epoch, answered.repeated)
        return answered

    def _keep_crl(self) -> None:
        while True:
            with self._one_at_a_time:
                try:
                    refresh_crl(self._folder, self._authority, self._records, self._now())
                except (OSError, ProvisioningError) as error:
                    LOG.error("the list of revoked certificates could not be written: %s", error)
            if self._over.wait(CRL_CHECK_S):
                return


class _Server(ThreadingHTTPServer):
    """Shakes hands in the connection's own thread, and takes a limited number of connections."""

    daemon_threads = False

    def __init__(
        self, listen: tuple[str, int], context: ssl.SSLContext, answer: Callable[[bytes], Answered], folder: Path
    ) -> None:
        self.answer, self.folder = answer, folder
        self.downloads = threading.BoundedSemaphore(MAX_DOWNLOADS)
        self._context, self._free = context, threading.BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__(listen, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            request.settimeout(IDLE_S)
            with self._context.wrap_socket(request, server_side=True) as secured:
                self.finish_request(secured, client_address)
        except OSError as error:
            LOG.info("connection from=%s failed: %s", client_address[0], error)
        finally:
            self.shutdown_request(request)
            self._free.release()


class _Handler(BaseHTTPRequestHandler):
    """One request a connection."""

    server: _Server
    connection: socket
    timeout = IDLE_S
    server_version, sys_version = "likeness", ""

    def do_POST(self) -> None:
        """Answers a request file."""
        length = self.headers.get("Content-Length", "")
        fits = length.isdecimal() and 0 < int(length[:9]) <= MAX_DOCUMENT_BYTES
        # What is left unread would reset the connection before our answer arrives.
        raw = self.rfile.read(int(length)) if fits else b""
        if not raw or self.path != PATH:
            self._reply(404, _fault("no-such-thing", f"POST a request file to {PATH}"))
            return
        try:
            self._reply(200, self.server.answer(raw).bundle)
        except NewKeysOrderedError as error:
            self._reply(409, _fault(NEW_KEYS_ORDERED, str(error)))
        except (EnrolmentError, ProvisioningError) as error:
            LOG.warning("refused from=%s: %s", self.client_address[0], error)
            self._reply(403, _fault("refused", str(error)))
        except OSError as error:
            LOG.error("not answered: %s", error)
            self._reply(503, _fault("failed", "the authority's disk failed: nothing was issued, try again later"))

    def do_GET(self) -> None:
        """Hands out the newest update of a kind; who may install it, the terminal judges by its signature."""
        place = published_at(self.server.folder, self.path.removeprefix(UPDATES))
        if not self.path.startswith(UPDATES) or place is None or not place.is_file():
            self._reply(404, _fault("no-such-thing", "there is no such update"))
        elif not self.server.downloads.acquire(blocking=False):
            self._reply(503, _fault("busy", "too many terminals fetch updates now: try again later"))
        else:
            try:
                self._send(place)
            finally:
                self.server.downloads.release()

    def _send(self, place: Path) -> None:
        self.close_connection = True
        with place.open("rb") as file:
            self.send_response(200)
            self.send_header("Content-Type", "application/octet-stream")
            self.send_header("Content-Length", str(os.fstat(file.fileno()).st_size))
            self.end_headers()
            shutil.copyfileobj(file, self.wfile)

    def log_message(self, format: str, *args: Any) -> None:
        """Our own log says it."""

    def _reply(self, status: int, body: bytes) -> None:
        self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _fault(code: str, sentence: str) -> bytes:
    return json.dumps({"fault": code, "sentence": sentence}).encode()


def _tls(authority: OpenAuthority) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # OpenSSL loads keys from files only: one that nobody else may read, for as long as that takes.
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "endpoint.pem"
        replace_file(place, private_pem(authority.endpoint.key) + authority.endpoint.pem)
        context.load_cert_chain(place)
    return context
