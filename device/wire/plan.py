"""The challenge plan: derived, never chosen, so that central recomputes it and nobody predicts it from a request.

HKDF-SHA256 (RFC 5869) over the request's nonce, with the terminal's salt, bound to session, terminal and action set.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MIN_PAUSE_S, PAUSE_SPREAD_S = 0.4, 1.2
MAX_PAUSE_S = MIN_PAUSE_S + PAUSE_SPREAD_S
DEFAULT_STEPS = 3

# What a session's times must keep to; the terminal enforces them, and central checks them again. Seconds.
MIN_REACTION_S = 0.2
MAX_REACTION_S = 3.5
MAX_STEP_S = 6.0
MAX_CHALLENGE_S = 25.0
MIN_FPS = 10.0


class Action(StrEnum):
    """What a customer can be asked to do; left and right are the customer's own."""

    TURN_LEFT = "turn-left"
    TURN_RIGHT = "turn-right"
    BLINK = "blink"
    BLINK_TWICE = "blink-twice"
    LOOK_UP = "look-up"


TURNS = frozenset({Action.TURN_LEFT, Action.TURN_RIGHT})
EYE_ACTIONS = frozenset({Action.BLINK, Action.BLINK_TWICE})
DEFAULT_ACTIONS = frozenset({Action.TURN_LEFT, Action.TURN_RIGHT, Action.BLINK, Action.BLINK_TWICE})


class PlanError(ValueError):
    """No plan satisfies what was asked for."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps of one session.

    Attributes:
        actions: in the order of their cues.
        pauses_s: seconds of neutral face before each cue, one for each action.
    """

    actions: tuple[Action, ...]
    pauses_s: tuple[float, ...]


def possible_plans(actions: Collection[Action], steps: int = DEFAULT_STEPS) -> tuple[tuple[Action, ...], ...]:
    """Returns every order of `steps` actions that a session may ask for, sorted.

    No action follows itself; a turn is always among them (planarity needs one), and so is an eye action
    when the set has any. Raises PlanError when there is none.
    """
    plans = _plans(tuple(sorted(set(actions))), steps)
    if not plans:
        raise PlanError(
            f"no plan of {steps} steps can be made of {', '.join(sorted(actions)) or 'no action'}: add a turn"
        )
    return plans


@functools.lru_cache(maxsize=64)  # central recomputes a plan for each result, and there are up to 5**8 orders
def _plans(allowed: tuple[Action, ...], steps: int) -> tuple[tuple[Action, ...], ...]:
    return tuple(
        plan
        for plan in itertools.product(allowed, repeat=steps)
        if all(before != after for before, after in itertools.pairwise(plan))
        and not TURNS.isdisjoint(plan)
        and (EYE_ACTIONS.isdisjoint(allowed) or not EYE_ACTIONS.isdisjoint(plan))
    )


def guess_probability(actions: Collection[Action], steps: int = DEFAULT_STEPS) -> float:
    """The chance, 0..1, that a recording made without knowing the plan holds its actions in its order."""
    return 1.0 / len(possible_plans(actions, steps))


def derive_plan(
    *,
    nonce: bytes,
    salt: bytes,
    session: str,
    terminal: str,
    actions: Collection[Action] = DEFAULT_ACTIONS,
    steps: int = DEFAULT_STEPS,
) -> Plan:
    """Derives the plan; the same arguments give the same plan on the terminal and at central.

    Args:
        nonce: drawn by central with the request, at least 16 bytes.
        salt: drawn by the terminal when the session starts, at least 16 bytes.
        session: the session's id.
        terminal: the terminal's id.
        actions: the action set that the policy and the customer allow.
        steps: how many actions, 1..8.

    Raises:
        PlanError: nonce or salt are too short, or no plan exists.
    """
    if min(len(nonce), len(salt)) < 16:
        raise PlanError("nonce and salt need at least 16 bytes")
    if not 1 <= steps <= 8:
        raise PlanError("a plan has 1 to 8 steps")
    plans = possible_plans(actions, steps)
    fields = ("likeness/v1/plan", session, terminal, ",".join(sorted(set(actions))), str(steps))
    info = b"".join(len(raw).to_bytes(2, "big") + raw for raw in (field.encode() for field in fields))
    stream = HKDF(algorithm=SHA256(), length=8 * (1 + steps), salt=salt, info=info).derive(nonce)
    words = [int.from_bytes(stream[i : i + 8], "big") for i in range(0, len(stream), 8)]
    # 64 bits over at most 5**8 plans: the bias of the remainder is below 1e-13.
    return Plan(
        actions=plans[words[0] % len(plans)],
        pauses_s=tuple(round(MIN_PAUSE_S + PAUSE_SPREAD_S * word / 2**64, 3) for word in words[1:]),
    )
