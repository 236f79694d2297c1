"""A terminal without a camera, to be killed at any moment: the real outbox, link, keys and clock in their own process.

Tells each result on standard output once it is on the disk, and each one that the outbox refused. After a line on
standard input it makes no more, and ends when central has receipted every one.

Example: python kill_terminal.py KEYS OUTBOX PORT SEED
"""

from __future__ import annotations

import hashlib
import logging
import random
import sys
import threading
from pathlib import Path

import samples

from device.delivery.clocks import TerminalClock
from device.delivery.database import OutboxError
from device.delivery.keys import load_terminal_keys
from device.delivery.link import Link
from device.delivery.link_settings import LinkSettings
from device.delivery.outbox import Outbox
from device.wire.chain import ChainPosition
from device.wire.claims import ResultClaims
from device.wire.evidence import EvidenceMark

MEAN_PAUSE_S = 0.04
EVIDENCE_SHARE = 0.1
LOOK_S = 0.05


def main(keys_folder: str, path: str, port: str, seed: str) -> int:
    """Works until told, or killed."""
    logging.basicConfig(level=logging.CRITICAL)
    keys, chance, told = load_terminal_keys(Path(keys_folder)), random.Random(seed), threading.Event()
    outbox = Outbox(Path(path), keys.terminal, keys.result_key, epoch=keys.epoch, max_bytes=1 << 30)
    patience = {"first_retry_s": 0.05, "longest_retry_s": 0.5, "receipt_wait_s": 1.0, "longest_receipt_wait_s": 2.0}
    clock = TerminalClock()
    link = Link(
        LinkSettings("127.0.0.1", int(port), connect_limit_s=5.0, **patience),
        keys,
        outbox,
        boot=samples.BOOT,
        software=samples.SOFTWARE,
        clock=clock,
        on_request=lambda _: None,
    )
    threading.Thread(target=lambda: (sys.stdin.readline(), told.set()), daemon=True).start()
    link.start()
    while not told.wait(chance.uniform(0, 2 * MEAN_PAUSE_S)):
        make_result(outbox, keys.terminal, clock, chance)
    pause = threading.Event()
    while outbox.depth():
        if not link.alive:
            return 1
        pause.wait(LOOK_S)
    link.stop()
    outbox.close()
    return 0


def make_result(outbox: Outbox, terminal: str, clock: TerminalClock, chance: random.Random) -> None:
    """Makes one result, some with evidence, and tells what became of it."""
    sealed = chance.randbytes(chance.randrange(100, 20_000)) if chance.random() < EVIDENCE_SHARE else None
    mark = None
    if sealed is not None:
        mark = EvidenceMark(sha256=hashlib.sha256(sealed).hexdigest(), bytes=len(sealed), kinds=("portrait",))

    now = clock.read()
    times = {"iat": int(now.unix_s), "uptime_s": now.uptime_s, "clock": now.state}

    def build(position: ChainPosition) -> ResultClaims:
        return samples.result(position, terminal=terminal, evidence=mark, **times)

    try:
        envelope = outbox.append(build, evidence=sealed)
    except OutboxError as error:
        print("refused", error.state, flush=True)
    else:
        print("made", envelope.sha256, "with-evidence" if sealed else "", flush=True)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
