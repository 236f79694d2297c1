"""The report of an evaluation: Markdown for people, JSON for machines. It names pictures and holds no face."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from device.evaluation.bootstrap import RATES, REPLICATES
from device.evaluation.evaluate import EXTREMES, Extreme, GroupRates, Measured
from device.evaluation.intervals import Estimate, Rate

DET_PICTURE, SCORES_PICTURE = "det.png", "scores.png"
_SHOWN_WITHOUT_FACE = 5


@dataclass(frozen=True, slots=True)
class Conditions:
    """What an evaluation was made with.

    Attributes:
        command: the command line that was given.
        runtime: the TFLite runtime.
        models: the sha256 of each model file.
        thresholds: the shipped threshold at each false match rate.
        seed: of the printed portraits and of the bootstrap.
    """

    command: str
    runtime: str
    models: dict[str, str]
    thresholds: dict[str, float]
    seed: int
    replicates: int = REPLICATES


def report_json(conditions: Conditions, measured: Sequence[Measured]) -> dict[str, Any]:
    """The whole report; rates are shares 0..1, each with its 95 % interval."""
    return {
        "command": conditions.command,
        "runtime": conditions.runtime,
        "models": conditions.models,
        "thresholds": conditions.thresholds,
        "seed": conditions.seed,
        "replicates": conditions.replicates,
        "sets": [_set_json(each, conditions) for each in measured],
    }


def report_markdown(conditions: Conditions, measured: Sequence[Measured]) -> str:
    """The report with its tables, to stand beside the two pictures."""
    return "\n".join(_lines(conditions, measured)) + "\n"


def summary(conditions: Conditions, measured: Sequence[Measured]) -> str:
    """The two tables that matter most, for the terminal's screen."""
    return "\n".join([*_own_threshold_table(measured), "", *_shipped_table(conditions, measured)])


def _lines(conditions: Conditions, measured: Sequence[Measured]) -> Iterator[str]:
    embedding = conditions.models["embedding"]
    yield from ("# Comparison accuracy", "", f"    {conditions.command}", "")
    yield f"Runtime {conditions.runtime}, embedding {embedding[:12]}, seed {conditions.seed}. In brackets: 95 %"
    yield f"intervals from {conditions.replicates} draws of subjects (subsets bootstrap, Bolle et al. 2004). Where no"
    yield "error was seen: Clopper and Pearson's bound for none among as many trials as subjects with a genuine pair;"
    yield "for false matches, as pairs, which flatters."
    yield from ("", "## Each set at its own thresholds", "", *_own_threshold_table(measured))
    yield from (
        "",
        "TAR in % at a false match rate. In round brackets: one impostor pair is more than that rate.",
    )
    yield from ("", "## Each set at the shipped thresholds", "", *_shipped_table(conditions, measured))
    yield from ("", f"![DET curves]({DET_PICTURE})", "", f"![Scores]({SCORES_PICTURE})")
    if any(each.groups for each in measured):
        yield from ("", "## Groups", "", *_group_table(conditions, measured))
    yield from ("", "## Pairs to look at", "")
    yield f"The {EXTREMES} highest impostor and the lowest genuine scores: kin, wrong labels, hard pictures."
    for each in measured:
        yield from ("", f"### {each.name}, {each.reference} reference", "", *_extreme_table(each))
        if each.without_face:
            shown = ", ".join(each.without_face[:_SHOWN_WITHOUT_FACE])
            more = len(each.without_face) - _SHOWN_WITHOUT_FACE
            yield from ("", f"No face found: {shown}" + (f" and {more} more" if more > 0 else ""))


def _own_threshold_table(measured: Sequence[Measured]) -> Iterator[str]:
    rates = " | ".join(f"TAR at {rate:g}" for rate in RATES)
    limits = " | ".join(f"threshold {rate:g}" for rate in RATES[1:])
    yield f"| set | reference | subjects | no face | genuine / impostor | EER % | {rates} | {limits} |"
    yield "|---" * (6 + 2 * len(RATES) - 1) + "|"
    for each in measured:
        cells = [each.name, each.reference.value, str(each.scores.subjects)]
        cells += [f"{len(each.without_face)} of {each.pictures}"]
        cells += [f"{len(each.scores.genuine)} / {len(each.scores.impostor)}", _percent(each.rates.eer)]
        cells += [_bracketed(_percent(each.rates.true_match[rate]), each, rate) for rate in RATES]
        cells += [_bracketed(_score(each.rates.threshold[rate]), each, rate) for rate in RATES[1:]]
        yield f"| {' | '.join(cells)} |"


def _shipped_table(conditions: Conditions, measured: Sequence[Measured]) -> Iterator[str]:
    heads = [f"FMR, FNMR % at {limit:.3f} ({name})" for name, limit in conditions.thresholds.items()]
    yield f"| set | reference | {' | '.join(heads)} |"
    yield "|---" * (2 + len(heads)) + "|"
    for each in measured:
        cells = [f"{_percent(matched, 4)}, {_percent(missed)}" for _, matched, missed in each.rates.at]
        yield f"| {each.name} | {each.reference} | {' | '.join(cells)} |"


def _group_table(conditions: Conditions, measured: Sequence[Measured]) -> Iterator[str]:
    names = {limit: name for name, limit in conditions.thresholds.items()}
    yield "False matches among the group's own people and false non-matches, Clopper and Pearson over pairs."
    yield from ("", "| set | reference | group | subjects | at | false matches | false non-matches |", "|---" * 7 + "|")
    for each in measured:
        for group in each.groups:
            cells = [each.name, each.reference.value, f"{group.label} {group.value}", str(group.subjects)]
            cells += [names.get(group.threshold, f"{group.threshold:.3f}")]
            cells += ["no pair" if rate is None else str(rate) for rate in (group.false_match, group.false_non_match)]
            yield f"| {' | '.join(cells)} |"


def _extreme_table(each: Measured) -> Iterator[str]:
    yield from ("| two persons | score | one person | score |", "|---|---|---|---|")
    for other, own in zip(each.highest_impostors, each.lowest_genuine, strict=False):
        cells = [f"{pair.reference} - {pair.probe} | {pair.score:.3f}" for pair in (other, own)]
        yield f"| {' | '.join(cells)} |"


def _set_json(each: Measured, conditions: Conditions) -> dict[str, Any]:
    names = {limit: name for name, limit in conditions.thresholds.items()}
    return {
        "name": each.name,
        "reference": each.reference.value,
        "pictures": each.pictures,
        "without_face": list(each.without_face),
        "subjects": each.scores.subjects,
        "genuine": len(each.scores.genuine),
        "impostor": len(each.scores.impostor),
        "eer": _estimate_json(each.rates.eer),
        "tar": {f"{rate:g}": _estimate_json(value) for rate, value in each.rates.true_match.items()},
        "threshold": {f"{rate:g}": _estimate_json(value) for rate, value in each.rates.threshold.items()},
        "at_shipped": {
            names[limit]: {"threshold": limit, "fmr": _estimate_json(matched), "fnmr": _estimate_json(missed)}
            for limit, matched, missed in each.rates.at
        },
        "highest_impostors": [_extreme_json(pair) for pair in each.highest_impostors],
        "lowest_genuine": [_extreme_json(pair) for pair in each.lowest_genuine],
        "groups": [_group_json(group, names) for group in each.groups],
    }


def _estimate_json(estimate: Estimate) -> dict[str, float]:
    return {name: round(getattr(estimate, name), 7) for name in ("value", "low", "high")}


def _extreme_json(pair: Extreme) -> dict[str, str | float]:
    return {"reference": pair.reference, "probe": pair.probe, "score": round(pair.score, 4)}


def _group_json(group: GroupRates, names: dict[float, str]) -> dict[str, Any]:
    def rate_json(rate: Rate | None) -> dict[str, float] | None:
        if rate is None:
            return None
        return {"hits": rate.hits, "trials": rate.trials, "low": round(rate.low, 7), "high": round(rate.high, 7)}

    return {
        "label": group.label,
        "value": group.value,
        "subjects": group.subjects,
        "at": names[group.threshold],
        "fmr": rate_json(group.false_match),
        "fnmr": rate_json(group.false_non_match),
    }


def _percent(rate: Estimate, digits: int = 2) -> str:
    low, high = (f"{100 * bound:.{digits}f}" for bound in (rate.low, rate.high))
    return f"{100 * rate.value:.{digits}f} [{low}, {high}]"


def _bracketed(text: str, each: Measured, rate: float) -> str:
    """Marks what rests on the single highest impostor score."""
    return text if rate * len(each.scores.impostor) >= 1 else f"({text})"


def _score(threshold: Estimate) -> str:
    return f"{threshold.value:.3f} [{threshold.low:.3f}, {threshold.high:.3f}]"
