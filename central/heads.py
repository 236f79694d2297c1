"""What a terminal says of its chain when it comes on the line, against what is held.

A fork shows with the next result. Results that are taken out of an outbox before they were sent, or an outbox that
was put back, show only here when no further result comes.
"""

from __future__ import annotations

from collections.abc import Iterator

from central.alarms import Alarm
from central.database import Database
from device.wire.birth import BirthClaims
from device.wire.claims import ResultClaims
from device.wire.fields import ClaimsError, decode_base64url

RULE = "chains"
SIGNING_S = 5.0
"""A result reads the clock before it is signed and on the disk: a birth may be made in between."""


def chain_alarms(database: Database, terminal: str, birth: BirthClaims) -> Iterator[Alarm]:
    """What is wrong with the chain of a birth; what came before it has to be held already."""
    if birth.epoch is None or birth.head_seq is None or birth.waiting is None:
        return
    head, query = birth.head_seq, f"{_HELD} WHERE terminal = ? AND epoch = ? AND linked AND seq IN (?, ?)"
    held = {row[0]: row[1:] for row in database.rows(query, terminal, birth.epoch, head, head + 1)}
    place = f"epoch {birth.epoch}, seq {head}"
    if head in held and held[head][0] != birth.head_sha256:
        what = f"{place}: its newest result is not the one that is held: a clone, or an outbox that was put back"
        yield Alarm(RULE, terminal, f"other {birth.epoch} {head} {birth.head_sha256}", what, (held[head][1],))
    if head + 1 in held and _is_older(held[head + 1][2], birth):
        what = f"{place}: it has forgotten results that are held: its outbox was put back"
        yield Alarm(RULE, terminal, f"back {birth.epoch} {head}", what, (held[head + 1][1],))
    gone = _missing(database, terminal, birth.epoch, head) - birth.waiting
    if gone > 0:
        what = f"{place}: {gone} results before it are neither in the chain that is held nor in its outbox"
        yield Alarm(RULE, terminal, f"gone {birth.epoch} {head} {gone}", what)


_HELD = """SELECT seq, sha256, journal.number, coalesce(results.envelope, quarantine.envelope) FROM journal
    LEFT JOIN results ON results.number = journal.number LEFT JOIN quarantine ON quarantine.number = journal.number"""


def _is_older(envelope: bytes, birth: BirthClaims) -> bool:
    """Whether a result was made before a birth: what came after one is beyond its head as a matter of course."""
    try:
        claims = ResultClaims.read(decode_base64url(bytes(envelope).split(b".")[1].decode()))
    except ClaimsError:
        return False
    if claims.boot == birth.boot:
        return claims.uptime_s < birth.uptime_s - SIGNING_S
    return claims.iat < birth.iat - SIGNING_S


def _missing(database: Database, terminal: str, epoch: int, head: int) -> int:
    """How many of the places up to `head` are not held."""
    query = "SELECT coalesce(max(seq), 0) FROM journal WHERE terminal = ? AND epoch = ? AND linked"
    newest = int(database.rows(query, terminal, epoch)[0][0])
    query = "SELECT first, last FROM gaps WHERE terminal = ? AND epoch = ? AND first <= ?"
    gaps = database.rows(query, terminal, epoch, head)
    return max(0, head - newest) + sum(int(min(last, head) - first + 1) for first, last in gaps)
