"""Opens sessions: an accepted request becomes a derived plan, a reference, and a verification that waits for frames."""

from __future__ import annotations

import secrets
from dataclasses import replace
from functools import partial

from device.card import CardReading
from device.coloured_light import ColouredLight
from device.delivery.requests import AcceptedRequest
from device.keepsake import Keepsake
from device.liveness.rules import DEFAULT_RULES
from device.results import Session
from device.slip.code import draw_code
from device.verification import Verification
from device.vision.assembly import Vision
from device.vision.document import DocumentReader
from device.vision.embedding import Embedding
from device.vision.reference import PortraitReader
from device.wire.light import LightChoice, derive_light
from device.wire.plan import derive_plan

# The offer is spoken in about 3 s, understood, and START is held for one.
CHOOSING_RULES = replace(DEFAULT_RULES, choice_s=6.0)


class SessionOpener:
    """Opens the sessions of one terminal with its one set of models."""

    def __init__(self, terminal: str, vision: Vision, *, gives_slips: bool) -> None:
        self._terminal, self._vision, self._gives_slips = terminal, vision, gives_slips
        self._portraits, self._documents = PortraitReader(vision.models), DocumentReader(vision.models)

    def derive(self, request: AcceptedRequest, attempt: int, *, able_to_light: bool) -> Session:
        """Draws salt and id of a session and derives what it asks of the customer; raises PlanError.

        Args:
            request: it stays the same for each attempt.
            attempt: counts from 1.
            able_to_light: there is a ring to show a colour code with, and a camera that can hold its colours.
        """
        salt, session, policy = secrets.token_bytes(16), secrets.token_hex(16), request.policy
        derive = partial(derive_plan, nonce=request.nonce, salt=salt, session=session, terminal=self._terminal)
        plan, other = derive(actions=policy.actions, steps=policy.steps), policy.alternative
        alternative = None if other is None else derive(actions=other.actions, steps=other.steps)
        code = None
        if able_to_light and policy.light is not LightChoice.OFF:
            code = derive_light(nonce=request.nonce, salt=salt, session=session, terminal=self._terminal)
        slip = draw_code() if self._gives_slips else None
        return Session(request, attempt, session, salt, plan, policy.actions, alternative, light=code, slip=slip)

    def verification(self, session: Session) -> Verification:
        """Returns the verification of a derived session; raises PortraitError when its reference cannot be used."""
        return Verification(
            self._vision.follower,
            self._vision.embedder,
            self._reference(session.request),
            self._vision.models.thresholds.at(session.request.policy.fmr),
            session.plan,
            DEFAULT_RULES if session.alternative is None else CHOOSING_RULES,
            light=None if session.light is None else ColouredLight(session.light),
            keepsake=Keepsake(session.request.policy.evidence) if session.request.policy.evidence else None,
        )

    def forget(self) -> None:
        """Overwrites what is left of the last reference."""
        self._portraits.forget()
        self._documents.forget()

    def _reference(self, request: AcceptedRequest) -> Embedding | CardReading | None:
        """What the request brought, or the printed card, still to be read; None where the attendant vouches."""
        if request.policy.is_witnessed:
            return None
        if request.reference is None:
            return CardReading(self._documents, request.nonce, DEFAULT_RULES)
        return self._portraits.read(request.reference).embedding
