"""Export: results as a file, each verified again while it is written."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

from starlette.responses import Response, StreamingResponse

from central.console.search import NEWEST, Search, find
from central.console.visit import Visit
from central.custody import Custody
from central.tables import csv_lines, json_lines
from device.wire.claims import Outcome

AT_ONCE = 200
FORMATS = {"csv": (csv_lines, "text/csv; charset=utf-8"), "jsonl": (json_lines, "application/x-ndjson")}


def form(visit: Visit) -> Response:
    """What is to be exported."""
    return visit.page("export.html", search=Search.read(visit.query), words_of_outcomes=[*Outcome])


def export(visit: Visit) -> Response:
    """The file, newest first; as long as it may be, it is never in memory as a whole."""
    name = visit.form.get("format", "")
    if name not in FORMATS:
        return visit.page("error.html", HTTPStatus.BAD_REQUEST, title="No export", text="Choose CSV or JSON lines.")
    write, media = FORMATS[name]
    search = Search.read(visit.form)
    visit.note("exported", f"{name} " + " ".join(f"{key}={value}" for key, value in search.shown().items()))
    return StreamingResponse(
        write(_all(visit, search), visit.house.registry.current()),
        media_type=media,
        headers={"Content-Disposition": f'attachment; filename="results.{name}"'},
    )


def _all(visit: Visit, search: Search) -> Iterator[Custody]:
    before = NEWEST
    while before:
        with visit.house.readers.lend() as ledger:
            some = find(ledger, search, visit.house.zone, before, AT_ONCE)
        yield from some
        before = some[-1].number if some else 0
