"""`likeness-terminal redteam`: its place on the command line, and what it prints."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from device.command_line import Add, add_model_options, seed
from device.evaluation.redteam.battery import BATTERY
from device.evaluation.redteam.campaign import Job, Progress, Setting, jobs_of, run
from device.evaluation.redteam.cast import Cast
from device.evaluation.redteam.gallery import Gallery, GalleryError
from device.evaluation.redteam.journal import Journal
from device.evaluation.redteam.report import PICTURE, TEXT, Report, as_markdown, write
from device.evaluation.redteam.species import Species
from device.evaluation.redteam.summary import summarise
from device.evaluation.redteam.trial import Trial
from device.vision.assembly import load_vision
from device.vision.inference import preferred_runtime
from device.vision.manifest import Models

SESSIONS = 60
STOPPED = 130


def add_redteam(add: Add) -> None:
    """Adds the command."""
    text = (
        "Play every attack species, and bona fide people beside them, through whole sessions. "
        "Exit 0 when every claim holds, 1 else."
    )
    command = add("redteam", redteam, text, "--media ../shared/data --out redteam --jobs 2")
    command.add_argument(
        "--media", type=Path, metavar="DIR", help="evaluation media; without them one portrait plays all"
    )
    command.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help=f"where to write {TEXT}, report.json and {PICTURE}; run again, a stopped campaign goes on there",
    )
    command.add_argument("--species", nargs="+", metavar="NAME", help="play these only; --list names them all")
    command.add_argument("--list", action="store_true", help="name the species, and what is claimed of each")
    command.add_argument("--sessions", type=_count, default=SESSIONS, metavar="N", help="of each species (default: 60)")
    command.add_argument("--jobs", type=_count, default=1, metavar="N", help="processes (default: 1)")
    command.add_argument("--seed", type=seed, default=1, metavar="N", help="fixes all that varies (default: 1)")
    command.add_argument("--json", action="store_true", help="print JSON")
    add_model_options(command)


def redteam(parsed: argparse.Namespace) -> int:
    """`redteam`: 0 when every claim holds, 1 when one does not, 130 when stopped."""
    if parsed.list:
        sys.stdout.writelines(f"{each.name:22} {each.claim:10} {each.what}\n" for each in BATTERY)
        return 0
    for module in ("scipy", "matplotlib"):
        if find_spec(module) is None:
            raise GalleryError(f"{module} is not installed: install likeness[evaluation]")
    chosen = _choose(parsed.species)
    if parsed.out is not None:
        _prepare(parsed.out)
    setting = Setting(parsed.models, parsed.runtime or preferred_runtime(), parsed.media, parsed.seed)
    cast = Cast(load_vision(setting.models, setting.runtime), Gallery(setting.media))
    jobs = jobs_of(chosen, cast.gallery, parsed.sessions, lru_cache(None)(cast.is_usable))
    if not jobs:
        raise GalleryError("nobody at hand can play these species: name the evaluation media with --media")
    journal = None if parsed.out is None else Journal(parsed.out, _heading(setting, cast.vision.models))
    try:
        trials, stopped = _play(jobs, setting, parsed.jobs, journal)
    finally:
        if journal is not None:
            journal.close()
    if not trials:
        return STOPPED
    planned = {(job.species, job.number) for job in jobs} | {(trial.species, trial.number) for trial in trials}
    report = Report(setting, len(planned), trials, summarise(BATTERY, trials))
    if parsed.out is not None:
        write(report, parsed.out)
    sys.stdout.write(json.dumps(report.as_json(), indent=1) + "\n" if parsed.json else as_markdown(report))
    return STOPPED if stopped else 0 if report.holds else 1


def _heading(setting: Setting, models: Models) -> dict[str, Any]:
    """What a campaign's trials have in common."""
    return {"seed": setting.seed, "runtime": setting.runtime.value, "models": models.hashes}


def _play(jobs: Sequence[Job], setting: Setting, workers: int, journal: Journal | None) -> tuple[list[Trial], bool]:
    """Returns the trials, those of the journal too, in the order of the battery, and whether they were stopped."""
    trials, stopped = list[Trial](journal.trials if journal is not None else ()), False
    played = {(trial.species, trial.number) for trial in trials}
    jobs = [job for job in jobs if (job.species, job.number) not in played]
    if played:
        sys.stderr.write(f"{len(played)} sessions are in the journal already\n")
    for stop in (signal.SIGINT, signal.SIGTERM):  # a shell starts what runs in its background deaf to Ctrl-C
        signal.signal(stop, signal.default_int_handler)
    try:
        for trial in run(jobs, setting, max(min(workers, len(jobs)), 1), Progress(len(jobs))):
            trials.append(trial)
            if journal is not None:
                journal.add(trial)
    except KeyboardInterrupt:
        stopped = True
        sys.stderr.write("\nstopped: what was measured is kept\n")
    places = {species.name: place for place, species in enumerate(BATTERY)}
    return sorted(trials, key=lambda trial: (places[trial.species], trial.number)), stopped


def _choose(names: Sequence[str] | None) -> list[Species]:
    known = {species.name: species for species in BATTERY}
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise GalleryError(f"{unknown[0]}: no such species: see likeness-terminal redteam --list")
    return [species for species in BATTERY if not names or species.name in names]


def _prepare(folder: Path) -> None:
    """Makes the folder before an hour of work, not after it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GalleryError(f"{folder}: cannot be made: {error.strerror}") from None


def _count(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text[:9]) <= 100_000 and len(text) <= 6):
        raise argparse.ArgumentTypeError(f"{text!r:.40} is no count: give a whole number from 1 on")
    return int(text)
