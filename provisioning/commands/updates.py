"""`update make`: a signed bundle of firmware, models or configuration."""

from __future__ import annotations

import argparse
from datetime import timedelta
from pathlib import Path

from device.durable import PUBLIC, replace_file
from device.wire.update import BundleKind
from provisioning.command_line import Add, add_authority, now, opened
from provisioning.updates import Audience, Made, gather, make_update, published_at
from provisioning.vault import ProvisioningError


def add_update(add: Add) -> None:
    """Adds the command."""
    text = "Make a signed update. The same content again keeps its number: so its share grows, or its date is renewed."
    update = add("update", _make, text, "make ./models --kind models --canary 5 --publish")
    update.add_argument("action", choices=["make"], help="what to do")
    update.add_argument("source", type=Path, metavar="SOURCE", help="a wheel, a folder of models, or a terminal.yaml")
    update.add_argument("--kind", type=BundleKind, choices=list(BundleKind), required=True, help="what it replaces")
    update.add_argument("--out", type=Path, metavar="FILE", help="write the bundle here: for a USB stick")
    update.add_argument("--publish", action="store_true", help="let `serve` hand it out to the terminals that ask")
    update.add_argument("--canary", type=float, default=100, metavar="PERCENT", help="the share that gets it now (100)")
    update.add_argument("--only", nargs="+", metavar="ID", help="for these terminals alone")
    update.add_argument("--again", action="store_true", help="give it a new number: terminals that gave it back try it")
    update.add_argument("--days", type=int, default=90, metavar="N", help="how long it may be installed (90)")
    add_authority(update)


def _make(options: argparse.Namespace) -> None:
    if options.out is None and not options.publish:
        raise ProvisioningError("nowhere to put it: give --out FILE, --publish, or both")
    if not 0.1 <= options.canary <= 100:
        raise ProvisioningError(f"--canary {options.canary:g}: give 0.1 to 100")
    if not 1 <= options.days <= 365:
        raise ProvisioningError(f"--days {options.days}: give 1 to 365")
    content = gather(options.kind, options.source)
    with opened(options) as (authority, records):
        for terminal in options.only or ():
            records.terminal(terminal)
        audience = Audience(tuple(sorted(options.only)) if options.only else None, round(options.canary * 10))
        lifetime = timedelta(days=options.days)
        made = make_update(authority, records, options.kind, content, audience, now(), lifetime, renumber=options.again)
    written = [replace_file(place, made.raw, PUBLIC) for place in _places(options)]
    _report(made, any(written) or not made.repeated)
    if options.kind is BundleKind.FIRMWARE:
        print(f"its digest in results, firmware_sha256: {content.firmware_sha256}")


def _places(options: argparse.Namespace) -> list[Path]:
    places = [options.out] if options.out is not None else []
    published = published_at(options.authority, options.kind.value)
    if options.publish and published is not None:
        published.parent.mkdir(exist_ok=True)
        places.append(published)
    return places


def _report(made: Made, changed: bool) -> None:
    claims = made.claims
    whom = "all terminals" if claims.terminals is None else ", ".join(claims.terminals)
    share = "" if claims.permille == 1000 else f"{claims.permille / 10:g} % of "
    done = "made" if changed else "nothing changed"
    size = f"{len(claims.members)} files, {len(made.raw) / 1e6:.1f} MB"
    print(f"{claims.kind} update {claims.number}, version {claims.version}, {size}, for {share}{whom}: {done}")
