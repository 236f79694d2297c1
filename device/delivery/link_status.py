"""How it stands between the terminal, the broker and central."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class LinkState(StrEnum):
    """How it stands with the broker and central."""

    STARTING = "starting"
    CONNECTED = "connected"
    CENTRAL_SILENT = "central-silent"
    NO_BROKER = "no-broker"
    BROKER_UNTRUSTED = "broker-untrusted"
    REFUSED = "refused"
    CERTIFICATE_EXPIRED = "certificate-expired"
    OUTBOX_FAULT = "outbox-fault"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """State for machines, sentence for people."""

    state: LinkState
    sentence: str
