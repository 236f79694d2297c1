"""An authority and a terminal beside each other, as functions: what the tests of enrolment play with."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from device.enrolment.generations import Generations
from device.enrolment.steps import finish, prepare_enrolment, prepare_rotation
from provisioning.authority import OpenAuthority, create, open_authority
from provisioning.issuing import answer_request
from provisioning.records import Records
from provisioning.tokens import make_token

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PASSPHRASE = "a long enough passphrase"
CHEAP = 2


@dataclass
class Shop:
    """One authority that knows `shop-17` and `shop-18`, and the keys' folder of a terminal."""

    folder: Path
    authority: OpenAuthority
    records: Records
    keys: Path

    def token(self, terminal="shop-17", now=NOW, **more):
        return make_token(self.authority, self.records, terminal, now, **more)

    def generations(self):
        return Generations(self.keys)

    def answer(self, request, now=NOW):
        return answer_request(self.authority, self.records, request, now).bundle

    def enrol(self, now=NOW):
        request = prepare_enrolment(self.generations(), self.token(now=now))
        return finish(self.generations(), self.answer(request, now), now)

    def rotate(self, now, *, new_keys=False):
        request = prepare_rotation(self.generations(), new_keys=new_keys)
        return finish(self.generations(), self.answer(request, now), now)

    def order_new_keys(self, terminal="shop-17"):
        with self.records.change() as database:
            database.execute("UPDATE terminals SET new_keys_ordered = 1 WHERE id = ?", (terminal,))


def open_shop(folder: Path) -> Shop:
    """Makes it, or opens it again."""
    create(folder / "authority", PASSPHRASE, "likeness", NOW, cost=CHEAP)
    records = Records(folder / "authority")
    with records.change() as database:
        for terminal in ("shop-17", "shop-18"):
            database.execute("INSERT OR IGNORE INTO terminals (id, outlet) VALUES (?, 'jakarta-04')", (terminal,))
    authority = open_authority(folder / "authority", PASSPHRASE)
    return Shop(folder / "authority", authority, records, folder / "terminal" / "keys")


def days(count):
    return timedelta(days=count)
