"""`card`: turns a card with Pi OS on it into a terminal that enrols itself at its first boot."""

from __future__ import annotations

import argparse
from pathlib import Path

import yaml

from device.settings import read_private_file
from device.wire.enrolment import Server, Token
from provisioning.authority import OpenAuthority
from provisioning.card.boot_partition import token_on, write_card
from provisioning.card.plan import make_plan, terminal_yaml
from provisioning.command_line import Add, add_authority, now, opened
from provisioning.commands.enrolment import address
from provisioning.records import Records
from provisioning.tokens import make_token
from provisioning.vault import ProvisioningError


def add_card(add: Add) -> None:
    """Adds the command."""
    text = "Write what a Pi OS card needs on its boot partition. A card that holds a good token keeps it."
    card = add("card", _card, text, "shop-17 /media/bootfs --deb likeness.deb --server 192.0.2.10:8443 --broker HOST")
    card.add_argument("id", metavar="ID", help="the terminal")
    card.add_argument("folder", type=Path, metavar="DIR", help="the mounted boot partition, or a folder to copy there")
    card.add_argument("--release", choices=["trixie", "bookworm"], default="trixie", help="which Pi OS (trixie)")
    card.add_argument("--deb", type=Path, required=True, metavar="FILE", help="the package of likeness")
    card.add_argument("--server", type=address, required=True, metavar="HOST:PORT", help="where `serve` answers")
    how = card.add_mutually_exclusive_group(required=True)
    how.add_argument("--broker", metavar="HOST", help="the broker; the rest of the configuration is as usual")
    how.add_argument("--config", type=Path, metavar="FILE", help="a configuration of your own (YAML)")
    card.add_argument("--wifi", metavar="NAME", help="the Wi-Fi network; without it, a cable")
    card.add_argument("--wifi-password-file", type=Path, metavar="FILE", help="its password (mode 0600)")
    card.add_argument("--country", metavar="CC", help="where the Wi-Fi stands, two letters: ID")
    card.add_argument("--ssh-key", type=Path, metavar="FILE", help="public key of a user `technician`; else no login")
    card.add_argument("--package", action="append", default=[], metavar="NAME", help="a further Debian package")
    add_authority(card)


def _card(options: argparse.Namespace) -> None:
    if not options.folder.is_dir():
        raise ProvisioningError(f"{options.folder}: no such folder: mount the card's boot partition first")
    if options.release == "bookworm" and options.package:
        raise ProvisioningError("--package: bookworm has no cloud-init: let the .deb depend on it")
    wifi = _wifi(options)
    key = options.ssh_key.read_text().strip() if options.ssh_key is not None else None
    plan = make_plan(terminal=options.id, wifi=wifi, technician_key=key, packages=tuple(options.package))
    files = {"likeness.deb": _package(options.deb), "terminal.yaml": _configuration(options)}
    with opened(options) as (authority, records):
        token = _kept_token(options, authority, records)
        kept = token is not None
        token = token or make_token(authority, records, options.id, now(), server=options.server)
        changed = write_card(options.folder, options.release, plan, token, files)
    if kept and not changed:
        print(f"{options.folder}: card of {options.id}: nothing changed")
        return
    print(f"{options.folder}: card of {options.id} for {options.release}: unmount it, boot the terminal within a week")
    print("until then the card holds a token and the Wi-Fi key: treat it as a key")


def _kept_token(options: argparse.Namespace, authority: OpenAuthority, records: Records) -> Token | None:
    """The card's token, when it would still enrol this terminal at this server."""
    held = token_on(options.folder)
    if held is None or held.terminal != options.id or held.root != authority.root.kid:
        return None
    known = records.token(held.id.hex())
    server = Server(host=options.server[0], port=options.server[1], pin=authority.pin)
    usable = known is not None and known[2] is None and known[1] > now().timestamp()
    return held if usable and held.server == server else None


def _wifi(options: argparse.Namespace) -> dict[str, str] | None:
    given = (options.wifi, options.wifi_password_file, options.country)
    if given == (None, None, None):
        return None
    if None in given:
        raise ProvisioningError("--wifi, --wifi-password-file and --country belong together: give all three")
    password = read_private_file(options.wifi_password_file).decode(errors="replace").rstrip("\r\n")
    return {"ssid": options.wifi, "password": password, "country": options.country}


def _package(path: Path) -> bytes:
    raw = path.read_bytes()
    if not raw.startswith(b"!<arch>\ndebian-binary"):
        raise ProvisioningError(f"{path}: is no Debian package")
    return raw


def _configuration(options: argparse.Namespace) -> bytes:
    if options.config is None:
        host, _, port = options.broker.partition(":")
        return terminal_yaml(host, int(port) if port.isdecimal() else 8883).encode()
    raw: bytes = options.config.read_bytes()
    try:
        document = yaml.safe_load(raw)
    except (yaml.YAMLError, ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or not {"camera", "broker", "keys", "outbox"} <= document.keys():
        raise ProvisioningError(
            f"{options.config}: is no terminal's configuration: it has camera, broker, keys, outbox"
        )
    return raw
