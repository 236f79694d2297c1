"""What is said when: from what the panel shows to the next sentence. Pure; a hint that flickers is not a chatter."""

from __future__ import annotations

from dataclasses import dataclass

from device.panel.prompts import Scene, Shown
from device.panel.sentences import message_key

HINT_STANDS_S = 1.2  # longer than a hint is held: one that comes and goes is not said
HINT_EVERY_S = 3.5
HINT_AGAIN_S = 8.0
HINTING = frozenset({Scene.CARD, Scene.POSITION})
SILENT = frozenset({Scene.IDLE, Scene.OFFLINE_IDLE, Scene.OFFLINE_READY, Scene.OFFLINE_SPENT})
"""Scenes in which nobody may be standing there: a terminal does not talk to itself."""


@dataclass(frozen=True, slots=True)
class Speech:
    """What was said last; carries the voice from one tick to the next.

    Attributes:
        scene: the scene that was told.
        key: the last message in it.
        at: seconds, when it was said.
    """

    scene: Scene = Scene.IDLE
    key: str = "scene.idle"
    at: float = 0.0

    def then(self, at: float, shown: Shown) -> tuple[Speech, str | None]:
        """Returns what is carried on, and the key of the message to begin now, if any; `at` in seconds."""
        key = message_key(shown.scene, guidance=shown.guidance, action=shown.action)
        if shown.scene is not self.scene or (shown.scene is Scene.CUE and key != self.key):
            if shown.scene is Scene.POSITION:
                return Speech(shown.scene, "", at - HINT_EVERY_S), None  # where the face stands is not known yet
            return Speech(shown.scene, key, at), key if self._is_told(shown) else None
        if shown.scene not in HINTING or at - shown.guided_since < HINT_STANDS_S:
            return self, None
        if at - self.at < (HINT_AGAIN_S if key == self.key else HINT_EVERY_S):
            return self, None
        return Speech(shown.scene, key, at), key

    def _is_told(self, shown: Shown) -> bool:
        """Whether the new scene is told. Between two steps is no time for it: the next cue would cut it off."""
        between_steps = shown.scene is Scene.PAUSE and self.scene in (Scene.CUE, Scene.STEP_DONE)
        return shown.scene not in SILENT and not between_steps
