"""The entry of `likeness-terminal`: the firmware in force takes over, or else the rest of the program is loaded."""

from __future__ import annotations

import sys

from device.updates.start import hand_over


def main() -> int:
    """Runs the command line; returns the exit status."""
    hand_over(sys.argv[1:])
    from device.__main__ import main as own  # noqa: PLC0415  what another firmware replaces is not loaded twice

    return own()
