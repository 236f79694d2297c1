"""Writes mosquitto's configuration: mutual TLS, the certificate's name as user and client id, one ACL line per leaf."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from device.wire.envelope import Kind
from device.wire.topics import ROOT, TO_CENTRAL, TO_TERMINAL, Leaf, every_terminal

CENTRAL = "central"
DESK = "central-desk"
MAX_PACKET_BYTES = max(kind.max_bytes for kind in Kind) + 1024


def access_list() -> str:
    """Returns the ACL: a terminal reaches its own topics only, each in one direction; central's two users likewise."""
    own = f"{ROOT}/%u"
    lines = ["# %u is the common name of the client's certificate."]
    lines += [f"pattern write {own}/{leaf}" for leaf in TO_CENTRAL]
    lines += [f"pattern read {own}/{leaf}" for leaf in TO_TERMINAL]
    lines += ["", f"user {CENTRAL}"]
    lines += [f"topic read {every_terminal(leaf)}" for leaf in TO_CENTRAL]
    lines += [f"topic write {every_terminal(leaf)}" for leaf in TO_TERMINAL]
    lines += ["", f"user {DESK}"]
    lines += [f"topic read {every_terminal(Leaf.STATUS)}", f"topic write {every_terminal(Leaf.REQUEST)}"]
    return "\n".join(lines) + "\n"


def configuration(folder: Path, port: int, host: str = "127.0.0.1") -> str:
    """Returns mosquitto.conf for a broker whose files lie in `folder` and that listens on `host`:`port`."""
    settings = [
        f"listener {port} {host}",
        f"cafile {folder}/ca.pem",
        f"certfile {folder}/broker.pem",
        f"keyfile {folder}/broker.key",
        "tls_version tlsv1.2",
        "require_certificate true",
        "use_identity_as_username true",
        # Otherwise any valid certificate could connect with another terminal's client id and throw it off.
        "use_username_as_clientid true",
        "allow_anonymous false",
        f"acl_file {folder}/acl",
        f"max_packet_size {MAX_PACKET_BYTES}",
        "max_inflight_messages 1000",
        "max_queued_messages 100000",
        "set_tcp_nodelay true",
        "persistence true",
        f"persistence_location {folder}/data/",
        "autosave_interval 1",
        "autosave_on_changes true",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        "log_type notice",
        "log_type information",
    ]
    # Started by root, mosquitto would change to a user who cannot read these files.
    if os.geteuid() == 0:
        settings.append(f"user {pwd.getpwuid(os.geteuid()).pw_name}")
    return "\n".join(settings) + "\n"
