"""Writes the documents' pictures of panel and session, from the code that they show."""

import sys
from pathlib import Path

from tests.pictures.patterns import pattern_picture
from tests.pictures.states import state_picture
from tests.pictures.transitions import Transitions, record

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"


def pictures(found: Transitions) -> dict[str, str]:
    """Each file's name and text."""
    return {
        "panel.svg": pattern_picture(steady=False),
        "panel-steady.svg": pattern_picture(steady=True),
        "session.svg": state_picture(found),
    }


if __name__ == "__main__":
    for name, text in pictures(record()).items():
        (FOLDER / name).write_text(text)
        sys.stdout.write(f"{FOLDER / name}\n")
