"""Goes the way to the broker and to central, step by step, with the terminal's own keys."""

from __future__ import annotations

import queue
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from device.delivery.keys import TerminalKeys
from device.delivery.link_settings import LinkSettings
from device.delivery.pipe import Acknowledged, Arrived, Connected, Event, Events, Lost, Pipe, tls_context
from device.delivery.receipts import ReceiptRefusedError, open_receipt
from device.doctor.trust import Journey, Obstacle, Step
from device.wire.envelope import Envelope
from device.wire.topics import Leaf, topic

CONNECT_S, ANSWER_S, ALERT_S = 5.0, 10.0, 1.0
_EXPIRED, _NOT_YET = 10, 9
_WRONG_NAME = (62, 64)
_FOREIGN = (2, 18, 19, 20, 21)


class _BlockedError(Exception):
    """The way ends here."""

    def __init__(self, obstacle: Obstacle, detail: str) -> None:
        self.obstacle, self.detail = obstacle, detail


@dataclass
class _Way:
    settings: LinkSettings
    keys: TerminalKeys = field(repr=False)
    health: Callable[[], Envelope]
    passed: dict[Step, str] = field(default_factory=dict)


def reach(settings: LinkSettings, keys: TerminalKeys, health: Callable[[], Envelope]) -> Journey:
    """Goes as far as it can.

    Args:
        settings: where the broker is.
        keys: the terminal's.
        health: signs a health message that asks for a receipt, when it comes to that.
    """
    way, address = _Way(settings, keys, health), f"{settings.host}:{settings.port}"
    try:
        _find_name(way)
        _shake_hands(way)
        _talk(way)
    except _BlockedError as blocked:
        return Journey(address, way.passed, blocked.obstacle, blocked.detail)
    return Journey(address, way.passed)


def _find_name(way: _Way) -> None:
    try:
        found = socket.getaddrinfo(way.settings.host, way.settings.port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        known = error.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))
        raise _BlockedError(Obstacle.UNKNOWN_NAME if known else Obstacle.NO_NAME_SERVER, error.strerror or "") from None
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    way.passed[Step.NAME] = f"{way.settings.host} is {', '.join(addresses[:3])}"


def _connect(way: _Way) -> socket.socket:
    try:
        return socket.create_connection((way.settings.host, way.settings.port), CONNECT_S)
    except ConnectionRefusedError:
        raise _BlockedError(Obstacle.REFUSED, "the connection is refused: nobody listens there") from None
    except TimeoutError:
        raise _BlockedError(Obstacle.SILENT, f"no answer within {CONNECT_S:g} s") from None
    except OSError as error:
        raise _BlockedError(Obstacle.UNREACHABLE, error.strerror or str(error)) from None


def _shake_hands(way: _Way) -> None:
    with _connect(way) as connection:
        way.passed[Step.PORT] = f"port {way.settings.port} is open"
        try:
            with tls_context(way.keys.tls).wrap_socket(connection, server_hostname=way.settings.host) as secured:
                way.passed[Step.TLS] = f"{secured.version()}"
                way.passed[Step.TRUST] = "of this house's authority, and in its name"
        except ssl.SSLCertVerificationError as error:
            way.passed[Step.TLS] = "yes"
            raise _BlockedError(_distrust(error.verify_code), error.verify_message) from None
        except ssl.SSLError as error:
            raise _BlockedError(Obstacle.NO_TLS, f"no TLS ({error.reason or 'the connection was closed'})") from None
        except TimeoutError:
            raise _BlockedError(Obstacle.NO_TLS, f"says nothing to a TLS greeting within {CONNECT_S:g} s") from None
        except OSError as error:
            raise _BlockedError(Obstacle.NO_TLS, error.strerror or str(error)) from None


def _distrust(code: int) -> Obstacle:
    if code in _FOREIGN:
        return Obstacle.FOREIGN
    if code in _WRONG_NAME:
        return Obstacle.WRONG_NAME
    return {_EXPIRED: Obstacle.EXPIRED, _NOT_YET: Obstacle.NOT_YET}.get(code, Obstacle.UNTRUSTED)


def _talk(way: _Way) -> None:
    """MQTT, as the link speaks it; no birth, so that central sends no request here, and no last will."""
    events, settings = Events(), way.settings
    pipe = Pipe(way.keys.terminal, tls_context(way.keys.tls), events)
    try:
        pipe.connect(settings.host, settings.port, keepalive_s=settings.keepalive_s, limit_s=CONNECT_S, will=None)
    except OSError as error:
        raise _BlockedError(Obstacle.NOT_ADMITTED, _alert(way) or error.strerror or str(error)) from None
    try:
        _wait_for_admission(way, events)
        _ask_central(way, pipe, events)
    finally:
        pipe.close()


def _wait_for_admission(way: _Way, events: Events) -> None:
    for event in _until(events, CONNECT_S):
        if isinstance(event, Connected) and not event.refusal:
            way.passed[Step.ADMISSION] = f"as {way.keys.terminal}"
            return
        if isinstance(event, Connected):
            raise _BlockedError(Obstacle.NOT_ADMITTED, event.refusal)
        if isinstance(event, Lost):
            raise _BlockedError(Obstacle.NOT_ADMITTED, _alert(way) or "the broker closed the connection")
    raise _BlockedError(Obstacle.NOT_ADMITTED, f"no answer to MQTT within {CONNECT_S:g} s")


def _ask_central(way: _Way, pipe: Pipe, events: Events) -> None:
    terminal, began = way.keys.terminal, time.monotonic()
    envelope, receipts = way.health(), topic(terminal, Leaf.RECEIPT)
    pipe.subscribe([receipts])
    sent = pipe.publish(topic(terminal, Leaf.HEALTH), envelope.raw)
    for event in _until(events, ANSWER_S):
        if isinstance(event, Acknowledged) and event.message == sent and event.failed:
            raise _BlockedError(Obstacle.CENTRAL_AWAY, f"the broker says: {event.reason}")
        if isinstance(event, Lost):
            raise _BlockedError(Obstacle.CENTRAL_SILENT, f"the connection was lost: {event.reason}")
        if isinstance(event, Arrived) and event.topic == receipts and _names(event.payload, way.keys, envelope.sha256):
            took_ms = (time.monotonic() - began) * 1000
            way.passed[Step.CENTRAL] = f"signed receipt for a health message after {took_ms:.0f} ms"
            return
    raise _BlockedError(Obstacle.CENTRAL_SILENT, f"no signed receipt for a health message within {ANSWER_S:g} s")


def _names(raw: bytes, keys: TerminalKeys, sha256: str) -> bool:
    """Whether this is central's receipt for the envelope of that digest."""
    try:
        entries = open_receipt(raw, keys.terminal, keys.receipt_signers)
    except ReceiptRefusedError:
        return False
    return any(entry.sha256 == sha256 for entry in entries)


def _until(events: Events, limit_s: float) -> Iterator[Event]:
    """The events that come within a time."""
    deadline = time.monotonic() + limit_s
    while True:
        try:
            yield events.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return


def _alert(way: _Way) -> str:
    """What a broker that refuses the certificate says in TLS: with TLS 1.3 it comes after the handshake."""
    try:
        with (
            socket.create_connection((way.settings.host, way.settings.port), CONNECT_S) as connection,
            tls_context(way.keys.tls).wrap_socket(connection, server_hostname=way.settings.host) as secured,
        ):
            secured.settimeout(ALERT_S)
            secured.recv(1)
    except ssl.SSLError as error:
        return (error.reason or "").replace("_", " ").lower()
    except OSError:
        pass
    return ""
