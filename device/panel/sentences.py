"""The panel in plain words: one sentence for each scene, cue and hint."""

from __future__ import annotations

from device.liveness.guidance import Guidance
from device.panel.prompts import Hint, Scene
from device.signals import CardFault
from device.wire.plan import Action

SCENES = {
    Scene.IDLE: "Ready. Waiting for the counter to ask for a check.",
    Scene.CONSENT: "Your face will be compared with your document. Press START to agree, CANCEL to refuse.",
    Scene.CARD: "Good. Hold your document still, then put it away.",
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
    Scene.PAUSED: "Paused. Please wait for the attendant.",
    Scene.OFFLINE_IDLE: "Ready, but not connected: results will wait on this terminal.",
    Scene.OFFLINE_READY: "Not connected. Press START to begin with your printed document.",
    Scene.OFFLINE_SPENT: "Not connected, and no more checks without it: central must be reached first.",
    Scene.IDENTIFY: "This is the terminal that central is looking for.",
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
    Guidance.LIGHT_FROM_FRONT: "Turn so that the light falls on your face from the front.",
    Guidance.HOLD_STILL: "Hold still.",
    Guidance.LOOK_STRAIGHT: "Look straight at the camera.",
    Guidance.OPEN_EYES: "Open your eyes, please.",
    Guidance.UNCOVER_EYES: "Take off dark glasses, please.",
    Guidance.CLOSE_MOUTH: "Close your mouth, please.",
}


CARD_HINTS = {
    CardFault.NO_PORTRAIT: "Hold your document before the camera, the side with your portrait.",
    CardFault.NO_DOCUMENT: "Hold your document before the camera so that all of it is seen.",
    CardFault.SEVERAL_PORTRAITS: "One document at a time, please.",
    CardFault.TOO_SMALL: "Hold your document closer to the camera.",
    CardFault.NOT_FRONTAL: "The portrait looks aside too far. Please ask the attendant.",
    CardFault.GLARE: "Tilt your document a little: it reflects a light.",
    CardFault.BLURRED: "Hold your document still, in good light.",
    CardFault.FAINT: "More light on your document, please.",
}


def sentence(scene: Scene, *, guidance: Hint | None = None, action: Action | None = None) -> str:
    """What the panel says now, in one sentence; takes what `prompt` takes."""
    if scene is Scene.CUE and action is not None:
        return CUES[action]
    if scene is Scene.POSITION and isinstance(guidance, Guidance):
        return HINTS[guidance]
    if scene is Scene.CARD and isinstance(guidance, CardFault):
        return CARD_HINTS[guidance]
    return SCENES[scene]
