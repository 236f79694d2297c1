"""The report of a campaign: report.json, report.md with tables for the documents, and the intervals as a picture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from device.evaluation.redteam.campaign import Setting
from device.evaluation.redteam.species import Claim
from device.evaluation.redteam.summary import Summary, bona_fide_rate
from device.evaluation.redteam.trial import Trial

JSON, TEXT, PICTURE = "report.json", "report.md", "intervals.png"
_COLOURS = {Claim.COVERED: "#1f5fa8", Claim.GUESS: "#7a4fa3", Claim.RESIDUAL: "#c0392b", Claim.BONA_FIDE: "#2e7d4f"}
_LEGEND = {
    Claim.COVERED: "APCER, covered",
    Claim.GUESS: "APCER, guessed plans",
    Claim.RESIDUAL: "APCER, residual",
    Claim.BONA_FIDE: "BPCER",
}
_TITLES = {
    Claim.COVERED: "Covered: none is to be verified",
    Claim.GUESS: "Guessed plans: verified no more often than a plan is guessed",
    Claim.RESIDUAL: "Residuals: not stopped by the camera alone",
    Claim.BONA_FIDE: "Bona fide",
}


@dataclass(frozen=True, slots=True)
class Report:
    """What a campaign measured; `planned` sessions were to be played."""

    setting: Setting
    planned: int
    trials: Sequence[Trial]
    summaries: Sequence[Summary]

    @property
    def complete(self) -> bool:
        """Whether every session was played."""
        return len(self.trials) == self.planned

    @property
    def holds(self) -> bool:
        """Whether every claim holds."""
        return all(each.holds is not False for each in self.summaries)

    def as_json(self) -> dict[str, Any]:
        """The promised keys; `trials` hold no biometrics."""
        return {
            "complete": self.complete,
            "holds": self.holds,
            "planned": self.planned,
            "played": len(self.trials),
            "seed": self.setting.seed,
            "runtime": self.setting.runtime.value,
            "species": [each.as_json() for each in self.summaries],
            "trials": [trial.as_json() for trial in self.trials],
        }


def write(report: Report, folder: Path) -> None:
    """Writes the three files; raises OSError, and ModuleNotFoundError without Matplotlib."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / JSON).write_text(json.dumps(report.as_json(), indent=1) + "\n", encoding="utf-8")
    (folder / TEXT).write_text(as_markdown(report), encoding="utf-8")
    draw_intervals(report.summaries, folder / PICTURE)


def as_markdown(report: Report) -> str:
    """The report in words and tables."""
    lines = ["# Attack battery", ""]
    if not report.complete:
        lines += [f"PARTIAL: stopped after {len(report.trials)} of {report.planned} sessions.", ""]
    lines += [
        f"{len(report.trials)} sessions, runtime {report.setting.runtime}, seed {report.setting.seed}. Intervals are "
        "Clopper and Pearson's with 95 % confidence.",
        "APCER counts an identity as accepted when any of its sessions was verified; it is that of the whole terminal, "
        "comparison included.",
        "",
    ]
    for claim in Claim:
        lines += _section(claim, [each for each in report.summaries if each.species.claim is claim])
    lines += _residuals(report.summaries)
    return "\n".join(lines) + "\n"


def _section(claim: Claim, summaries: Sequence[Summary]) -> list[str]:
    if not summaries:
        return []
    rate = "BPCER" if claim is Claim.BONA_FIDE else "APCER"
    lines = [f"## {_TITLES[claim]}", ""]
    lines += [
        f"| species | identities | sessions (saw a cue) | verified | {rate} | first reasons |",
        "|---|---|---|---|---|---|",
    ]
    lines += [_row(each) for each in summaries]
    total = bona_fide_rate(summaries)
    if total is not None:
        people = max(each.identities for each in summaries)
        lines += ["", f"All together: BPCER {_percent(total)} over {total.trials} sessions of {people} people."]
    if claim is Claim.GUESS:
        lines += ["", *(_guessed(each) for each in summaries)]
    broken = [each.species.name for each in summaries if each.holds is False]
    lines += ["", f"Does not hold: {', '.join(broken)}."] if broken else []
    return [*lines, ""]


def _row(summary: Summary) -> str:
    reasons = ", ".join(f"{count} {name}" for name, count in summary.reasons) or "-"
    cells = (
        f"`{summary.species.name}`: {summary.species.what}",
        summary.identities,
        f"{summary.sessions} ({summary.challenged})",
        summary.verified,
        _percent(summary.rate),
        reasons,
    )
    return "| " + " | ".join(map(str, cells)) + " |"


def _percent(rate: Any) -> str:
    return f"{100 * rate.value:.1f} % [{100 * rate.low:.1f}, {100 * rate.high:.1f}]"


def _guessed(summary: Summary) -> str:
    chance, sessions = summary.guess or 0.0, summary.sessions
    verdict = "No more than that" if summary.holds else "MORE than that"
    return (
        f"`{summary.species.name}`: {summary.verified} of {sessions} verified; guessing alone, {100 * chance:.1f} %, "
        f"gives {chance * sessions:.1f}. {verdict}, within the interval."
    )


def _residuals(summaries: Sequence[Summary]) -> list[str]:
    residuals = [each for each in summaries if each.species.claim is Claim.RESIDUAL]
    if not residuals:
        return []
    lines = ["## What is not stopped, and what an outlet should do", ""]
    for each in residuals:
        share = f"{each.accepted} of {each.identities} identities were accepted"
        lines.append(f"- `{each.species.name}`: {share}. {each.species.advice}")
    return [*lines, ""]


def draw_intervals(summaries: Sequence[Summary], path: Path) -> None:
    """Draws each rate and its interval as a horizontal line."""
    from matplotlib.figure import Figure  # noqa: PLC0415  slow to import, and only reports need it

    figure = Figure(figsize=(9, 1.4 + 0.27 * len(summaries)), layout="constrained")
    axes = figure.subplots()
    named = set[Claim]()
    for row, each in enumerate(summaries):
        claim, rate = each.species.claim, each.rate
        label = "_" if claim in named else _LEGEND[claim]  # Matplotlib leaves out what begins with _
        named.add(claim)
        axes.hlines(row, 100 * rate.low, 100 * rate.high, color=_COLOURS[claim], linewidth=2.5, label=label)
        axes.plot(100 * rate.value, row, "o", color=_COLOURS[claim], markersize=5, clip_on=False)
        if each.guess is not None:
            axes.plot(100 * each.guess, row, "|", color="black", markersize=11)
    axes.set_yticks(
        range(len(summaries)), [f"{each.species.name}  ({_counts(each)})" for each in summaries], fontsize=8
    )
    axes.set(xlim=(0, 100), xlabel="per cent, with the 95 % interval; a black mark is the chance of guessing the plan")
    axes.invert_yaxis()
    axes.grid(axis="x", alpha=0.3)
    figure.legend(loc="outside upper center", ncols=len(named), fontsize=8)
    figure.savefig(path, dpi=130)


def _counts(summary: Summary) -> str:
    return f"{summary.identities} identities, {summary.sessions} sessions"
