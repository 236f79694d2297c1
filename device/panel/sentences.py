"""The panel in plain words: one sentence for each scene, cue and hint."""

from __future__ import annotations

from device.liveness.guidance import Guidance
from device.panel.prompts import Scene
from device.wire.plan import Action

SCENES = {
    Scene.IDLE: "Ready. Waiting for the counter to ask for a check.",
    Scene.CONSENT: "Your face will be compared with your document. Press START to agree, CANCEL to refuse.",
    Scene.POSITION: "Good. Look straight ahead and hold still.",
    Scene.PAUSE: "Look straight ahead and wait for a light.",
    Scene.CUE: "Follow the light.",
    Scene.STEP_DONE: "Well done.",
    Scene.COMPARING: "Thank you. Comparing your face with the document.",
    Scene.VERIFIED: "Verified: the face matches the document.",
    Scene.REJECTED: "Not verified. Please ask the attendant.",
    Scene.INCONCLUSIVE: "No result this time. Please ask the attendant to try again.",
    Scene.DECLINED: "You refused. No picture was kept.",
    Scene.CANCELLED: "Cancelled. No picture was kept.",
    Scene.PAUSED: "Paused after several failures. Please wait for the attendant.",
    Scene.OFFLINE_IDLE: "Ready, but not connected: results will wait on this terminal.",
    Scene.NO_CAMERA: "No camera. The terminal needs a technician.",
    Scene.FAULT: "Out of order. The terminal needs a technician.",
}
CUES = {
    Action.TURN_LEFT: "Turn your head to your left, then look straight ahead again.",
    Action.TURN_RIGHT: "Turn your head to your right, then look straight ahead again.",
    Action.BLINK: "Close both eyes and open them again, once.",
    Action.BLINK_TWICE: "Close both eyes and open them again, twice.",
    Action.LOOK_UP: "Look up, then straight ahead again.",
}
HINTS = {
    Guidance.NO_FACE: "Please stand in front of the camera.",
    Guidance.ONE_PERSON_ONLY: "Only one person at a time, please.",
    Guidance.CLOSER: "Come a little closer.",
    Guidance.BACK: "Step back a little.",
    Guidance.MOVE_LEFT: "Move a little to your left.",
    Guidance.MOVE_RIGHT: "Move a little to your right.",
    Guidance.MOVE_UP: "Move up a little.",
    Guidance.MOVE_DOWN: "Move down a little.",
    Guidance.MORE_LIGHT: "More light on your face, please.",
    Guidance.LESS_LIGHT: "Less light on your face, please.",
    Guidance.HOLD_STILL: "Hold still.",
    Guidance.LOOK_STRAIGHT: "Look straight at the camera.",
    Guidance.OPEN_EYES: "Open your eyes, please.",
}


def sentence(scene: Scene, *, guidance: Guidance | None = None, action: Action | None = None) -> str:
    """What the panel says now, in one sentence; takes what `prompt` takes."""
    if scene is Scene.CUE and action is not None:
        return CUES[action]
    if scene is Scene.POSITION and guidance is not None:
        return HINTS[guidance]
    return SCENES[scene]
