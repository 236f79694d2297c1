"""`broker`, `broker-keys`, `crl`: what the broker runs on, and who may no longer reach it."""

from __future__ import annotations

import argparse
import sys
from datetime import timedelta
from pathlib import Path

from provisioning.authority import open_authority
from provisioning.broker import write_broker
from provisioning.command_line import Add, add_authority, now, number, opened, opened_records, passphrase
from provisioning.exports import write_broker_keys
from provisioning.mosquitto import BrokerPlan
from provisioning.revocation import ALARM, look_at_list
from provisioning.revoking import CRL, refresh_crl

ALARMED = 1


def add_broker_commands(add: Add) -> None:
    """Adds the commands."""
    text = "Write mosquitto's files for production: configuration, access list, systemd units. No keys."
    broker = add("broker", _broker, text, "./broker --terminals 2000 --workers 2")
    broker.add_argument("folder", type=Path, metavar="DIR", help="where to write; replaces what it wrote before")
    broker.add_argument("--terminals", type=number(1_000_000), default=5000, metavar="N", help="at most (5000)")
    broker.add_argument("--workers", type=number(64), default=1, metavar="N", help="of central (1)")
    broker.add_argument("--port", type=number(65535), default=8883, metavar="N", help="the broker's port (8883)")
    broker.add_argument("--host", metavar="ADDRESS", help="the address to listen on (every one)")
    files, data = Path("/etc/mosquitto/likeness"), Path("/var/lib/mosquitto")
    broker.add_argument("--files", type=Path, default=files, metavar="DIR", help=f"where they will lie ({files})")
    broker.add_argument("--data", type=Path, default=data, metavar="DIR", help=f"the broker's own folder ({data})")
    text = "Write the broker's key and certificate, whom it lets in, and whom no longer. Renews what is nearly over."
    keys = add("broker-keys", _broker_keys, text, "./broker --host broker.example.org")
    keys.add_argument("folder", type=Path, metavar="DIR", help="where to write; move it to the broker")
    keys.add_argument("--host", action="append", required=True, metavar="HOST", help="its name; may be repeated")
    add_authority(keys)
    text = "Write the list of revoked certificates anew when it is time; --check: look at the broker's, 1 is the alarm."
    crl = add("crl", _crl, text, "--check crl.pem --authority ca.pem")
    crl.add_argument("--check", type=Path, metavar="FILE", help="look at this list: once expired, nobody gets in")
    crl.add_argument("--days", type=number(3650), default=ALARM.days, metavar="N", help=f"alarm ({ALARM.days})")
    add_authority(crl, note="; with --check, the certificate of who has to have signed the list")


def _broker(options: argparse.Namespace) -> None:
    plan = BrokerPlan(
        options.files, options.data, options.port, options.host, terminals=options.terminals, workers=options.workers
    )
    for path in write_broker(options.folder, plan):
        print(path)
    print(f"for {plan.files}: besides, ca.pem, crl.pem, broker.pem and broker.key are needed there; see docs/broker.md")


def _broker_keys(options: argparse.Namespace) -> None:
    with opened(options) as (authority, _):
        crl = (options.authority / CRL).read_bytes()
        changed = write_broker_keys(authority, crl, options.folder, tuple(options.host), now())
    print(f"{options.folder}: " + ("written: move it to the broker's host" if changed else "nothing changed"))


def _crl(options: argparse.Namespace) -> int:
    if options.check is not None:
        state = look_at_list(options.check, options.authority, now(), timedelta(days=options.days))
        print(state.sentence, file=sys.stdout if state.well else sys.stderr)
        return 0 if state.well else ALARMED
    authority = open_authority(options.authority, passphrase(options))
    with opened_records(options) as records:
        until = refresh_crl(options.authority, authority, records, now())
        revoked = len(records.revoked_certificates(now()))
    done = "nothing changed" if until is None else f"good until {until:%Y-%m-%d}: give it to the broker"
    print(f"{options.authority / CRL}: {revoked} revoked certificates: {done}")
    return 0
