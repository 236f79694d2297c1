"""The identity document before the camera: what its reading waits for. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from device.liveness.rules import Rules
from device.signals import CardFault, Signals


@dataclass(frozen=True, slots=True)
class Reading:
    """Waits until the portrait of an identity document was read.

    Attributes:
        since: seconds, the frame of the customer's agreement.
        last_at: seconds, the newest frame.
        agreeing: how many portraits in a row agreed.
        fault: what hinders the next one; None when nothing does.
    """

    since: float
    last_at: float
    agreeing: int = 0
    fault: CardFault | None = CardFault.NO_PORTRAIT


def read_card(state: Reading, signals: Signals) -> Reading:
    """Takes one frame; most frames are not looked at and change the time alone."""
    state = replace(state, last_at=signals.at)
    card = signals.card
    return state if card is None else replace(state, agreeing=card.agreeing, fault=card.fault)


def is_read(state: Reading, rules: Rules) -> bool:
    """Whether enough portraits agreed, the newest among them."""
    return state.fault is None and state.agreeing >= rules.card_portraits
