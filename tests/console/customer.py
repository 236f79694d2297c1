"""The public page in a thread of the test, customers who went away with slips, and a browser of theirs."""

from pathlib import Path

from town import Town
from visitor import NOW, Answer, Clock, Served, Visitor

from central.config import load_central
from central.public.server import Server
from device.wire.claims import Capture, Outcome
from device.wire.slip import shown_code, slip_code
from provisioning.__main__ import free_port
from provisioning.demo import DemoAuthority

NUMBER = "+91 98765 43210"
KNOWN, OFFLINE, APART, WITNESSED, REFUSED, UNKNOWN = (slip_code(bytes([place] * 8)) for place in range(1, 7))
"""Codes: of a verified session, of one without a request, of one that central distrusts, and so on; of none."""


def give_slips(town: Town) -> None:
    at = town.now - 7200
    bare = {"comparison": None, "challenge": None, "reference": None, "evidence": None}
    none = bare | {"capture": Capture(source="pi-camera", frames=0, fps=15.0)}
    town.slip("shop-06", at, KNOWN, NUMBER)
    town.slip("shop-06", at + 60, OFFLINE, offline=True, request=None, evidence=None, clock="never-synced")
    town.slip("shop-07", at + 120, APART, capture=Capture(source="recording", frames=200, fps=15.0))
    town.slip("shop-06", at + 180, WITNESSED, NUMBER, outcome=Outcome.WITNESSED, grade="witnessed", **none)
    town.slip("shop-07", at + 240, REFUSED, NUMBER, outcome=Outcome.REJECTED, reasons=("faces-do-not-match",))


class Public(Served):
    """`likeness-central public`, on a free port of loopback."""

    def __init__(self, made: DemoAuthority, folder: Path, *, ledger: str | None = None, **changes: object) -> None:
        settings = load_central(made.central)
        if ledger is not None:
            settings = settings.model_copy(update={"ledger": ledger})
        changes = {"port": free_port(), "store": folder / "public.sqlite", "region": "IN"} | changes
        self.settings = settings.model_copy(update={"public": settings.public.model_copy(update=changes)})
        self.clock = Clock(NOW)
        super().__init__(Server(self.settings, self.clock), self.settings.public.port)

    def customer(self) -> "Customer":
        return Customer(self)


class Customer(Visitor):
    """Somebody with a slip before a browser."""

    def look_up(self, code: str, number: str = NUMBER, **headers: str) -> Answer:
        return self.post("/", {"code": shown_code(code) if len(code) == 12 else code, "number": number}, **headers)

    def object_to(self, code: str, number: str = NUMBER, objection: str = "not-there", note: str = "") -> Answer:
        return self.post("/dispute", {"code": code, "number": number, "objection": objection, "note": note})
