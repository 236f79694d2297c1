"""What stands in the picture of the panel's lights: every scene, cue and hint that has a light of its own, in order."""

from dataclasses import dataclass

from device.liveness.guidance import Guidance
from device.panel.prompts import Hint, Lights, Scene, prompt
from device.panel.sentences import sentence
from device.signals import CardFault
from device.wire.plan import Action


@dataclass(frozen=True)
class Row:
    """One thing that the panel tells, and what the customer does then."""

    customer: str
    scene: Scene
    guidance: Hint | None = None
    action: Action | None = None

    @property
    def name(self) -> str:
        what = self.guidance or self.action
        return self.scene.replace("-", " ") + (f": {what.replace('-', ' ')}" if what else "")

    @property
    def sentence(self) -> str:
        return sentence(self.scene, guidance=self.guidance, action=self.action)

    def lights(self, seconds: float, *, steady: bool) -> Lights:
        return prompt(self.scene, seconds, guidance=self.guidance, action=self.action, glides=steady)


def _cue(customer: str, action: Action) -> Row:
    return Row(customer, Scene.CUE, action=action)


def _hint(customer: str, hint: Hint) -> Row:
    return Row(customer, Scene.POSITION if isinstance(hint, Guidance) else Scene.CARD, guidance=hint)


_DONE, _TECHNICIAN = "Is done; the attendant sees the result.", "Nothing: the attendant calls a technician."
GROUPS: dict[str, tuple[Row, ...]] = {
    "Before": (
        Row("Nothing yet: the counter begins.", Scene.IDLE),
        Row("Nothing yet; results wait on the terminal.", Scene.OFFLINE_IDLE),
        Row("Presses START to begin, with a printed document.", Scene.OFFLINE_READY),
        Row("Presses START (agrees) or CANCEL (refuses).", Scene.CONSENT),
        Row("Presses START (agrees) or CANCEL (refuses); no face is looked at.", Scene.WITNESS),
    ),
    "The identity document, where it is read here": (
        Row("Holds the document still before the camera.", Scene.CARD),
        _hint("Brings it closer.", CardFault.TOO_SMALL),
        _hint("Tilts it out of the lamp's reflection.", CardFault.GLARE),
    ),
    "The face": (
        Row("Looks straight ahead. Other hints look so, too, with a tick.", Scene.POSITION),
        _hint("Steps to the side that is lit.", Guidance.MOVE_LEFT),
        _hint("Steps to the side that is lit.", Guidance.MOVE_RIGHT),
        _hint("Comes closer.", Guidance.CLOSER),
        _hint("Steps back.", Guidance.BACK),
        _hint("Opens the eyes.", Guidance.OPEN_EYES),
        _hint("Takes dark glasses off.", Guidance.UNCOVER_EYES),
        Row("Has chosen other tasks by holding START down.", Scene.OTHER_TASKS),
    ),
    "The challenge": (
        Row("Looks straight ahead and waits.", Scene.PAUSE),
        _cue("Turns the head to the side that is lit, and back.", Action.TURN_LEFT),
        _cue("Turns the head to the side that is lit, and back.", Action.TURN_RIGHT),
        _cue("Closes both eyes once.", Action.BLINK),
        _cue("Closes both eyes twice.", Action.BLINK_TWICE),
        _cue("Raises the head, and lowers it again.", Action.LOOK_UP),
        Row("Looks straight ahead: one task is done.", Scene.STEP_DONE),
        Row("Waits a moment.", Scene.COMPARING),
    ),
    "The outcome": (
        Row(_DONE, Scene.VERIFIED),
        Row(_DONE, Scene.WITNESSED),
        Row("Asks the attendant.", Scene.REJECTED),
        Row("Asks the attendant, and may try again.", Scene.INCONCLUSIVE),
        Row("Has refused: nothing was kept.", Scene.DECLINED),
        Row("Has cancelled: nothing was kept.", Scene.CANCELLED),
    ),
    "For the attendant and the technician": (
        Row("Waits, or asks elsewhere.", Scene.PAUSED),
        Row("Nothing: the attendant looks after the network.", Scene.OFFLINE_SPENT),
        Row("Nothing: somebody comes for this terminal.", Scene.IDENTIFY),
        Row(_TECHNICIAN, Scene.NO_CAMERA),
        Row(_TECHNICIAN, Scene.FAULT),
    ),
}
