"""The report as text: a line for each check as it ends, then what to do, the worst first. Pure."""

from __future__ import annotations

import textwrap

from device.doctor.findings import Finding, Level, Report

WIDTH = 100
MARKS = {Level.STOPS: "STOPS", Level.MEND: "MEND", Level.SKIPPED: "skip", Level.NOTE: "note", Level.WELL: "ok"}


def line(finding: Finding) -> str:
    """One check in one line."""
    return f"{MARKS[finding.level]:<5}  {finding.check}: {finding.found}"


def summary(report: Report) -> str:
    """What to do, the worst first."""
    lines = ["", f"{report.terminal}: {report.verdict}"]
    for number, finding in enumerate(report.to_do, 1):
        lines += ["", *_told(f"{number:>2}. {finding.check}: ", finding.found)]
        lines += _told("    why: ", finding.why) + _told("    do:  ", finding.advice)
    return "\n".join(lines) + "\n"


def _told(head: str, words: str) -> list[str]:
    """Wrapped under its head; nothing is broken that somebody has to type."""
    if not words:
        return []
    return textwrap.wrap(
        words, WIDTH, initial_indent=head, subsequent_indent=" " * 9, break_long_words=False, break_on_hyphens=False
    )
