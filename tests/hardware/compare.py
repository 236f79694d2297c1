"""Holds what two machines answered against each other. Usage: compare.py ONE.json OTHER.json ...

A file is what answers.py printed, or the JSON of a rehearsal; numbers may differ by MOST, all else not at all. Of
full-int8 embeddings the cosine counts, as in a comparison.
"""

import json
import math
import sys
from pathlib import Path
from typing import Any

MOST = 1e-3 * (1 + 1e-9)  # of times that are told to the millisecond, one of them
MOST_TURNED = 1e-2
TURNS = {"embedding_int8"}
TEXTS_THAT_DIFFER = {"machine", "runtime"}


def differences(one: Any, other: Any, place: str = "") -> dict[str, float]:
    """Each number's difference by its place; infinite where anything else differs."""
    if place in TURNS and len(one) == len(other):
        # So scaled that MOST is the limit of this, too.
        cosine = sum(left * right for left, right in zip(one, other, strict=True))
        return {place: math.inf if math.isnan(cosine) else (1.0 - cosine) * MOST / MOST_TURNED}
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        parts = [(f"{place}.{name}".lstrip("."), one[name], other[name]) for name in one.keys() - TEXTS_THAT_DIFFER]
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        parts = [(f"{place}[]", *pair) for pair in zip(one, other, strict=True)]
    elif isinstance(one, float) and isinstance(other, float):
        apart = abs(one - other)
        return {place: math.inf if math.isnan(apart) else apart}
    else:
        return {place: 0.0 if one == other else math.inf}
    found: dict[str, float] = {}
    for name, left, right in parts:
        for where, difference in differences(left, right, name).items():
            found[where] = max(found.get(where, 0.0), difference)
    return found


def main(first: str, *others: str) -> int:
    """Prints the greatest difference of each kind; returns 1 when one is too great."""
    one = json.loads(Path(first).read_text())
    worst = 0.0
    for name in others:
        other = json.loads(Path(name).read_text())
        print(f"{one.get('machine', first)}\n{other.get('machine', name)}")
        for place, difference in sorted(differences(one, other).items()):
            if difference > 0 or place in {
                "embedding_int8",
                "embedding[]",
                "landmarks[]",
                "comparison.score",
                "outcome",
            }:
                shown = difference * MOST_TURNED / MOST if place in TURNS else difference
                print(f"  {place:28} differs by {shown:.2g}")
            worst = max(worst, difference)
    print(f"greatest difference {worst:.2g}, allowed {MOST:g}")
    return int(not worst <= MOST)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
