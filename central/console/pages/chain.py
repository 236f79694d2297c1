"""Chain: an envelope on its own, and what does not fit together in the ledger."""

from __future__ import annotations

from starlette.responses import Response

from central.console.visit import Visit
from central.shown import verification

FORKS = 100


def chain(visit: Visit) -> Response:
    """Gaps, forks, anchors and what could not be verified; and the check of an envelope that was sent along."""
    house = visit.house
    raw = visit.upload.strip() or visit.form.get("envelope", "").strip().encode()
    checked = verification(raw, house.registry.current()) if raw else None
    with house.readers.lend() as ledger:
        forks = "SELECT number FROM journal WHERE NOT linked ORDER BY number DESC LIMIT ?"
        numbers = [number for (number,) in ledger.database.rows(forks, FORKS)]
        return visit.page(
            "chain.html",
            checked=checked,
            nothing=visit.request.method == "POST" and not raw,
            gaps=ledger.gaps(),
            forks=ledger.numbered(numbers),
            anchors=ledger.anchors()[::-1][:FORKS],
            refusals=ledger.refusals(),
        )
