"""`likeness-terminal voice`: makes the spoken prompts."""

from __future__ import annotations

import argparse
from pathlib import Path

from device.command_line import Add
from device.panel.catalogue import LANGUAGES, load_catalogue
from device.voice.rendering import make_sounds


def add_voice(add: Add) -> None:
    """Adds the command."""
    text = "Speak the panel's sentences into sound files with espeak-ng; only what is missing or out of date is made."
    voice = add("voice", _make, text, "make --out /var/lib/likeness/voice --language zh-CN --language en")
    voice.add_argument("action", choices=["make"], help="the one thing that can be done")
    voice.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder that voice.folder names")
    voice.add_argument(
        "--language", choices=LANGUAGES, action="append", metavar="TAG", help=f"{', '.join(LANGUAGES)}; may stand again"
    )


def _make(parsed: argparse.Namespace) -> int:
    languages = tuple(dict.fromkeys(parsed.language or LANGUAGES))
    made = make_sounds(parsed.out, [load_catalogue(language) for language in languages])
    print(f"{parsed.out}: {', '.join(languages)}; {made} sentences spoken")
    return 0
