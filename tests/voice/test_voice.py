"""What is said when: whole sessions on recorded time, in every language."""

import itertools
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.liveness.guidance import Guidance
from device.liveness.session import Answered, Consent, Press, State
from device.panel.catalogue import LANGUAGES
from device.panel.prompts import Scene, Shown
from device.panel.staging import show_state
from device.signals import CardFault, Signals
from device.voice.speech import HINT_EVERY_S, Speech
from device.voice.voice import Voice
from device.wire.plan import Action, Plan
from tests.liveness.conftest import Show
from tests.voice.conftest import Listener

EVERY_ACTION = Plan((Action.TURN_LEFT, Action.BLINK, Action.LOOK_UP, Action.BLINK_TWICE, Action.TURN_RIGHT), (0.7,) * 5)


@dataclass
class Shop:
    """A session whose panel is watched by a voice."""

    voice: Voice
    long_presses: tuple[int, ...] = ()
    start: int = 30
    shown: Shown = field(default_factory=lambda: Shown(Scene.IDLE, 0.0))

    def play(self, plan: Plan) -> State:
        self.voice.begin("sim-registration", same_customer=False)

        def watch(signals: Signals, state: State) -> Signals:
            self.shown = show_state(self.shown, state, signals.at)
            if signals.number in self.long_presses and isinstance(state, Consent):
                self.voice.choose_next()
            self.voice.follow(self.shown, signals.at)
            return signals

        def presses(number: int) -> tuple[Press, ...]:
            return (Press.START,) if number == self.start else (Press.START_HELD,) * (number in self.long_presses)

        return Show(plan=plan, tamper=watch, presses=presses).play()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_whole_session_is_led_by_the_voice_alone(speaking, language):
    listener = Listener()
    shop = Shop(speaking(listener, [language]))
    assert isinstance(shop.play(EVERY_ACTION), Answered)
    assert {spoken for utterance in listener.heard for spoken, _ in utterance} == {language}
    cues = [f"cue.{action}" for action in EVERY_ACTION.actions]
    between = ["scene.step-done"] * len(cues)
    told = [part for pair in zip(cues, between, strict=True) for part in pair][:-1]
    assert listener.said == ["purpose.sim-registration", "scene.consent", "scene.pause", *told, "scene.comparing"]
    read = shop.voice.consent_read()
    assert (read.version, read.language, read.whole) == ("1", language, True)


@pytest.mark.parametrize("scene", list(Scene))
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_scene_that_somebody_stands_before_is_told(speaking, language, scene):
    listener = Listener()
    voice = speaking(listener, [language])
    shown = Shown(Scene.IDLE if scene is not Scene.IDLE else Scene.FAULT, 0.0).then(1.0, scene)
    for tick in range(60):
        voice.follow(shown, 1.0 + tick / 10)
    silent = {Scene.IDLE, Scene.OFFLINE_IDLE, Scene.OFFLINE_READY, Scene.OFFLINE_SPENT}
    assert (f"scene.{scene}" in listener.said) == (scene not in silent)


def test_a_long_press_changes_the_language_and_reads_the_consent_again(speaking):
    listener = Listener()
    shop = Shop(speaking(listener, LANGUAGES), long_presses=(10, 15, 20), start=25)
    assert isinstance(shop.play(EVERY_ACTION), Answered)
    heard = [[key for _, key in utterance] for utterance in listener.heard[:2]]
    consent = ["purpose.sim-registration", "scene.consent", "language.offer"]
    assert heard == [consent, ["language.chosen", *consent]]
    assert [utterance[-1] for utterance in listener.heard[:4]] == [
        (offered, "language.offer") for offered in ("zh-CN", "es", "hi", "en")
    ]
    assert {language for utterance in listener.heard[4:] for language, _ in utterance} == {"hi"}
    assert shop.voice.consent_read().language == "hi"


def test_a_long_press_never_consents(speaking):
    shop = Shop(speaking(Listener(), LANGUAGES), long_presses=tuple(range(5, 1700)), start=-1)
    shop.play(EVERY_ACTION)
    assert shop.shown.scene in (Scene.CONSENT, Scene.COMPARING)  # until nobody had consented for too long


def test_the_next_customer_hears_the_first_language_and_another_attempt_keeps_the_chosen_one(speaking):
    listener = Listener()
    voice = speaking(listener, ["en", "hi"])
    for same_customer, expected in ((False, "en"), (True, "hi"), (False, "en")):
        voice.begin("sim-registration", same_customer=same_customer)
        assert voice.consent_read() is None
        voice.follow(Shown(Scene.CONSENT, 1.0), 1.0)
        assert listener.heard[-1][0][0] == expected
        if not same_customer:
            voice.choose_next()


@pytest.mark.parametrize(("patience", "whole"), [(0, False), (1, False), (2, True), (3, True)])
def test_a_consent_that_was_cut_off_is_not_called_whole(speaking, patience, whole):
    voice = speaking(Listener(patience), ["en", "es"])
    voice.begin("sim-registration", same_customer=False)
    voice.follow(Shown(Scene.CONSENT, 1.0), 1.0)
    assert voice.consent_read().whole is whole


def test_a_purpose_without_words_of_its_own_is_the_attendants_to_tell(speaking):
    listener = Listener()
    voice = speaking(listener, ["en"])
    for purpose in ("account-opening", None, "x.wav"):
        voice.begin(purpose, same_customer=False)
        voice.follow(Shown(Scene.CONSENT, 1.0), 1.0)
    assert listener.said == ["purpose.other", "scene.consent"] * 3


def test_a_voice_without_its_consent_text_says_nothing_and_claims_nothing(speaking):
    listener = Listener()
    voice = speaking(listener, ["en"])
    mute = Voice(listener, voice._catalogues, {"en": {"cue.blink": voice._sounds["en"]["cue.blink"]}})
    mute.begin("sim-registration", same_customer=False)
    for scene in Scene:
        mute.follow(Shown(scene, 1.0, action=Action.BLINK), 1.0)
    mute.choose_next()
    assert listener.heard == []
    assert mute.consent_read() is None


hints = st.none() | st.sampled_from([*Guidance, *CardFault])


@given(st.sampled_from([Scene.POSITION, Scene.CARD]), st.lists(hints, min_size=100, max_size=300))
def test_hints_that_change_with_every_frame_are_not_a_chatter(scene, seen):
    shown, speech, said = Shown(Scene.PAUSE, 0.0), Speech(Scene.PAUSE), []
    for frame, hint in enumerate(seen):
        shown = shown.then(frame / 10, scene, guidance=hint)
        speech, key = speech.then(frame / 10, shown)
        if key is not None:
            said.append(frame / 10)
    assert all(later - before >= HINT_EVERY_S - 1e-9 for before, later in itertools.pairwise(said))


def test_a_hint_that_stands_is_said_and_said_again():
    shown, speech, said = Shown(Scene.CONSENT, 0.0), Speech(Scene.CONSENT), []
    for tick in range(200):
        shown = shown.then(tick / 10, Scene.POSITION, guidance=Guidance.NO_FACE if tick < 3 else Guidance.CLOSER)
        speech, key = speech.then(tick / 10, shown)
        said += [(tick // 10, key)] * (key is not None)
    assert {key for _, key in said} == {"guidance.closer"}
    assert 2 <= len(said) <= 3
