"""Writes mosquitto's files: mutual TLS, the certificate's name as user and client id, one ACL line per leaf, limits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from device.wire.envelope import Kind
from device.wire.topics import ROOT, TO_CENTRAL, TO_TERMINAL, Leaf, every_terminal

CENTRAL = "central"
DESK = "central-desk"
MAX_PACKET_BYTES = max(kind.max_bytes for kind in Kind) + 1024
OWN_CONNECTIONS = 64
"""Central's workers and desks, and terminals that come back before the broker has missed them."""
AUTOSAVE_CHANGES = 1000
"""A save writes the whole store: after each change it is 30 times slower. What a kill loses, the outboxes repeat."""
CIPHERS = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305"


@dataclass(frozen=True, slots=True)
class BrokerPlan:
    """A broker.

    Attributes:
        files: folder of ca.pem, crl.pem, broker.pem, broker.key and acl on the broker's machine.
        data: folder that the broker may write.
        host: address to listen on; None: every one.
        user: the user whom a broker started by root becomes; None: mosquitto's own.
        terminals: how many there may be.
        workers: how many processes of central share the results.
    """

    files: Path
    data: Path
    port: int = 8883
    host: str | None = None
    user: str | None = None
    terminals: int = 5000
    workers: int = 1

    @property
    def connections(self) -> int:
        """How many clients are let in at a time."""
        return self.terminals + self.workers + OWN_CONNECTIONS


def worker_names(workers: int) -> tuple[str, ...]:
    """Common names of central's workers: `central`, `central-2` and so on."""
    return (CENTRAL, *(f"{CENTRAL}-{number}" for number in range(2, workers + 1)))


def access_list(workers: int = 1) -> str:
    """Returns the ACL: a terminal reaches its own topics only, each in one direction; central's users likewise."""
    own = f"{ROOT}/%u"
    lines = ["# %u is the common name of the client's certificate. What is not named here is denied."]
    lines += [f"pattern write {own}/{leaf}" for leaf in TO_CENTRAL]
    lines += [f"pattern read {own}/{leaf}" for leaf in TO_TERMINAL]
    for name in worker_names(workers):
        # A shared subscription is checked message by message, by the topic it was published on.
        lines += ["", f"user {name}"]
        lines += [f"topic read {every_terminal(leaf)}" for leaf in TO_CENTRAL]
        lines += [f"topic write {every_terminal(leaf)}" for leaf in TO_TERMINAL]
    lines += ["", f"user {DESK}", f"topic read {every_terminal(Leaf.STATUS)}"]
    lines += [f"topic write {every_terminal(leaf)}" for leaf in (Leaf.REQUEST, Leaf.COMMAND)]
    return "\n".join(lines) + "\n"


def configuration(plan: BrokerPlan) -> str:
    """Returns mosquitto.conf."""
    files = plan.files
    settings = [
        "# Written by likeness-provision; docs/broker.md explains it.",
        f"listener {plan.port}" + (f" {plan.host}" if plan.host else ""),
        f"max_connections {plan.connections}",
        f"cafile {files}/ca.pem",
        f"certfile {files}/broker.pem",
        f"keyfile {files}/broker.key",
        "# Read again on SIGHUP. Once it has expired, nobody gets in any more.",
        f"crlfile {files}/crl.pem",
        "tls_version tlsv1.2",
        f"ciphers {CIPHERS}",
        "require_certificate true",
        "use_identity_as_username true",
        "# Otherwise any valid certificate could connect with another terminal's client id and throw it off.",
        "use_username_as_clientid true",
        "allow_anonymous false",
        f"acl_file {files}/acl",
        "",
        f"max_packet_size {MAX_PACKET_BYTES}",
        "max_keepalive 300",
        "# A consumer with the usual 20 under way takes half as many messages a second.",
        "max_inflight_messages 1000",
        "# What exceeds this for a central that is away is dropped: the terminals' outboxes send it again.",
        "max_queued_messages 100000",
        "max_queued_bytes 268435456",
        "persistent_client_expiration 14d",
        "set_tcp_nodelay true",
        "",
        "persistence true",
        f"persistence_location {plan.data}/",
        "autosave_on_changes true",
        f"autosave_interval {AUTOSAVE_CHANGES}",
        "",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        "log_type notice",
        "log_type information",
    ]
    if plan.user:
        settings.append(f"user {plan.user}")
    return "\n".join(settings) + "\n"
