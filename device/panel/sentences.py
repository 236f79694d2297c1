"""The panel in words: which message of the catalogues tells a scene, a cue or a hint. Pure but for the catalogue."""

from __future__ import annotations

from device.liveness.guidance import Guidance
from device.panel.catalogue import ENGLISH, load_catalogue
from device.panel.prompts import Hint, Scene
from device.signals import CardFault
from device.wire.plan import Action

PURPOSE, OTHER_PURPOSE = "purpose.", "purpose.other"
CHALLENGE_OFFER = "challenge.offer"
LANGUAGE_CHOSEN, LANGUAGE_OFFER = "language.chosen", "language.offer"
KEYS = frozenset(
    {
        *(f"scene.{scene}" for scene in Scene),
        *(f"cue.{action}" for action in Action),
        *(f"guidance.{hint}" for hint in Guidance),
        *(f"card.{fault}" for fault in CardFault),
        f"{PURPOSE}sim-registration",
        OTHER_PURPOSE,
        CHALLENGE_OFFER,
        LANGUAGE_CHOSEN,
        LANGUAGE_OFFER,
    }
)
"""Every message that a catalogue has; what a check is for may be told by more of them."""


def message_key(scene: Scene, *, guidance: Hint | None = None, action: Action | None = None) -> str:
    """The key of what the panel says now; takes what `prompt` takes."""
    if scene is Scene.CUE and action is not None:
        return f"cue.{action}"
    if scene is Scene.POSITION and isinstance(guidance, Guidance):
        return f"guidance.{guidance}"
    if scene is Scene.CARD and isinstance(guidance, CardFault):
        return f"card.{guidance}"
    return f"scene.{scene}"


def sentence(scene: Scene, *, guidance: Hint | None = None, action: Action | None = None) -> str:
    """What the panel says now, in one English sentence; takes what `prompt` takes."""
    return load_catalogue(ENGLISH).messages[message_key(scene, guidance=guidance, action=action)]
