"""The evaluation commands' places on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path

from device.command_line import Add, add_model_options, seed
from device.evaluation.commands import analyse_clip, compare, rehearse, replay
from device.evaluation.evaluate_command import add_evaluate
from device.evaluation.redteam.command_line import add_redteam


def add_evaluation_commands(add: Add) -> None:
    """Adds the commands that look at recordings and pictures, and never at a customer."""
    _add_sessions(add)
    see = add("analyse", analyse_clip, "Tell what the terminal's eyes see in a clip: faces, blinks, turns.", "clip.mp4")
    see.add_argument("clip", type=Path, metavar="CLIP", help="a video or GIF")
    text = "Compare two pictures, or every pair of a list. Exit 0 whatever the match."
    pairs = add("compare", compare, text, "document.jpg live.jpg --json")
    pairs.add_argument("pictures", type=Path, nargs="*", metavar="A B", help="two pictures with one face each")
    pairs.add_argument("--pairs", type=Path, metavar="FILE.csv", help="a list with the columns a and b")
    pairs.add_argument("--root", type=Path, metavar="DIR", help="where the pictures of the list are")
    for command in (see, pairs):
        command.add_argument("--json", action="store_true", help="print JSON")
        add_model_options(command)
    add_evaluate(add)
    add_redteam(add)


def _add_sessions(add: Add) -> None:
    text = "Play a whole session in which a recorded person answers the panel's cues. Exit 0 when verified, 1 else."
    sessions = add("rehearse", rehearse, text, "PERSON.json --reference portrait.jpg --seed 7 --json")
    sessions.add_argument("person", type=Path, metavar="PERSON.json", help="clip and segments, or a rendered person")
    text = "Play a whole session before a clip that simply plays, deaf to the cues. Exit 0 when verified, 1 else."
    deaf = add("replay", replay, text, "clip.mp4 --reference portrait.jpg --seed 7 --json")
    deaf.add_argument("clip", type=Path, metavar="CLIP", help="a video or GIF")
    references = sessions.add_mutually_exclusive_group(required=True)
    references.add_argument("--reference", type=Path, metavar="PHOTO", help="the document's portrait")
    references.add_argument("--card", type=Path, metavar="PICTURE", help="a document, held up before the cues")
    text = "show the coloured light, simulated in a room of LUX (300); experimental"
    sessions.add_argument("--light", type=_lux, nargs="?", const=300.0, metavar="LUX", help=text)
    deaf.add_argument("--reference", type=Path, required=True, metavar="PHOTO", help="the document's portrait")
    for command in (sessions, deaf):
        command.add_argument("--seed", type=seed, metavar="N", help="fixes plan and reaction times; drawn without it")
        command.add_argument("--json", action="store_true", help="print JSON")
        add_model_options(command)


def _lux(text: str) -> float:
    try:
        lux = float(text)
    except ValueError:
        lux = 0.0
    if not 1.0 <= lux <= 100_000.0:  # false for NaN, too
        raise argparse.ArgumentTypeError(f"{text!r:.40} is no light level: give 1 to 100000 lux")
    return lux
