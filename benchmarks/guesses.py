"""How many of the 32 standard plans one deaf script answers: footage that is played without a look at the cues.

Example: python -m benchmarks.guesses --tried 250 --climbed 120
A script is a perfect customer with turns and blinks at fixed times. Random scripts are played against every plan under
random pauses, and the best of them are changed little by little for as long as that helps; what is printed was counted
with fresh pauses. The session's rules run as they are; what it sees is made up, so that nothing fails by bad footage.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from device.liveness.rules import DEFAULT_RULES
from device.liveness.session import Answered, Consent, Ended, Positioning, Press, State, step
from device.signals import Signals, View
from device.wire.plan import DEFAULT_ACTIONS, MAX_PAUSE_S, MIN_PAUSE_S, TURNS, Action, Plan, possible_plans
from tests.liveness.captures import NEUTRAL
from tests.liveness.conftest import swaying

FPS = 15
TURN_S, BLINK_S, SECOND_S = 1.3, 0.2, 0.5
LASTS_S = {Action.TURN_LEFT: TURN_S, Action.TURN_RIGHT: TURN_S, Action.BLINK: 0.3, Action.BLINK_TWICE: 0.7}
PLANS = possible_plans(DEFAULT_ACTIONS)
Script = list[tuple[float, Action]]


def seen(script: Script, at: float) -> View:
    """The face at a time since the challenge began."""
    angle, closed = 0.0, False
    for start, action in script:
        since = at - start
        if action in TURNS:
            turned = 35 * math.sin(math.pi * min(max(since / TURN_S, 0), 1))
            angle += turned if action is Action.TURN_LEFT else -turned
        else:
            starts = (0.0, SECOND_S) if action is Action.BLINK_TWICE else (0.0,)
            closed |= any(begin <= since < begin + BLINK_S for begin in starts)
    view = replace(NEUTRAL, yaw=NEUTRAL.yaw + angle, relief=0.006 * abs(angle), aspect=1 - 0.005 * abs(angle))
    frontal, compared = abs(angle) < DEFAULT_RULES.frontal_deg, abs(angle) < DEFAULT_RULES.compared_deg
    view = replace(view, likeness=0.9 if frontal else None, turned_likeness=0.8 if compared and not frontal else None)
    return replace(view, left_eye=0.05, right_eye=0.05) if closed else view


def answers(film: list[View], plan: Plan) -> bool:
    """Whether a session under this plan takes the film, begun with the challenge, for its customer."""
    state: State = Consent()
    number, shown = 0, iter(film)
    while not isinstance(state, Answered | Ended):
        waiting = isinstance(state, Consent | Positioning)
        view = replace(NEUTRAL, likeness=0.9) if waiting else next(shown, None)
        at = 100 + number / FPS
        change = swaying(at, at - 1 / FPS)
        signals = Signals(at=at, number=number, faces=int(view is not None), view=view, change=change)
        state = step(state, signals, plan, DEFAULT_RULES, (Press.START,) if number == 5 else ())
        number += 1
    return isinstance(state, Answered)


def rate(script: Script, draws: int, seed: int) -> float:
    """How many plans of 32 the script answers, the mean over `draws` of their pauses."""
    chance = random.Random(seed)
    film = [seen(script, number / FPS) for number in range(int((script[-1][0] + 4) * FPS))]
    tried = [
        answers(film, Plan(plan, tuple(chance.uniform(MIN_PAUSE_S, MAX_PAUSE_S) for _ in plan)))
        for plan in PLANS
        for _ in range(draws)
    ]
    return sum(tried) / draws


def drawn(chance: random.Random) -> Script:
    """A script of three to seven actions."""
    at, script = 1.0, []
    for _ in range(chance.randint(3, 7)):
        at += chance.uniform(0.4, 2.6)
        script.append((at, chance.choice([Action.BLINK, Action.BLINK, *sorted(DEFAULT_ACTIONS)])))
        at += LASTS_S[script[-1][1]]
    return script


def changed(script: Script, chance: random.Random) -> Script:
    """The script with other times, and perhaps another action or one fewer."""
    other = sorted((max(at + chance.gauss(0, 0.25), 0.0), action) for at, action in script)
    place = chance.randrange(len(other))
    if chance.random() < 0.3:
        other[place] = (other[place][0], chance.choice(sorted(DEFAULT_ACTIONS)))
    if chance.random() < 0.1 and len(other) > 3:
        other.pop(place)
    return other


def climbed(script: Script, steps: int, chance: random.Random) -> Script:
    """The best that small changes make of a script."""
    best = rate(script, 3, 5)
    for _ in range(steps):
        other = changed(script, chance)
        if (reached := rate(other, 3, 5)) >= best:
            script, best = other, reached
    return script


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tried", type=int, default=250, metavar="N", help="random scripts (250)")
    parser.add_argument("--climbed", type=int, default=120, metavar="N", help="changes of each of the best six (120)")
    parser.add_argument("--seed", type=int, default=11, metavar="N", help="(11)")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    scripts = sorted((drawn(chance) for _ in range(options.tried)), key=lambda each: -rate(each, 1, 3))
    print("plans of 32 | script")
    for script in scripts[:6]:
        best = climbed(script, options.climbed, chance)
        told = ", ".join(f"{at:.2f} s {action}" for at, action in best)
        print(f"{rate(best, 8, 99):11.2f} | {told}", flush=True)


if __name__ == "__main__":
    main()
