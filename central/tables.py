"""Results as CSV and as lines of JSON, each verified again, for other programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from central.custody import Custody
from central.registry import Registry
from central.shown import as_json, as_row

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet runs what begins with one of these."""


def json_lines(custodies: Iterable[Custody], registry: Registry) -> Iterator[str]:
    """One object a line."""
    for custody in custodies:
        yield as_json(custody, registry) + "\n"


def csv_lines(custodies: Iterable[Custody], registry: Registry) -> Iterator[str]:
    """A header, then one row for each; no cell begins a formula."""
    written = io.StringIO()
    writer: csv.DictWriter[str] | None = None
    for custody in custodies:
        row = as_row(custody, registry)
        if writer is None:
            writer = csv.DictWriter(written, list(row))
            writer.writeheader()
        writer.writerow({name: neutral(value) for name, value in row.items()})
        yield written.getvalue()
        written.seek(0)
        written.truncate()


def neutral(value: object) -> object:
    """Puts an apostrophe before text that a spreadsheet would take for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
