"""Prompts are safe to look at, and can be told apart without seeing colours."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.liveness.guidance import Guidance
from device.panel.patterns import GLIDE_S, Melody, Rhythm
from device.panel.prompts import GUIDANCE_HOLD_S, Lights, Scene, Shown, prompt
from device.panel.sentences import KEYS, message_key, sentence
from device.signals import CardFault
from device.wire.plan import Action

TICK_S = 0.01
MAX_FLASHES = 3
FLASH = 0.1  # WCAG 2.3.1: a change of a tenth of the full brightness

scenes, hints, actions = (st.sampled_from(kind) for kind in (list(Scene), [*Guidance, *CardFault], list(Action)))


def channels(lights: Lights) -> tuple[float, ...]:
    return (*lights.status, lights.left, lights.right, lights.eyes)


def grey(lights: Lights) -> tuple[float, ...]:
    """What somebody sees who sees no colours: brightness and place."""
    return (max(lights.status), lights.left, lights.right, lights.eyes)


def rising_edges(levels: list[float]) -> list[int]:
    """Ticks at which a level has risen by FLASH above its last low, each rise counted once."""
    edges, low, high, rising = [], levels[0], levels[0], False
    for tick, level in enumerate(levels):
        if rising:
            high = max(high, level)
            if level <= high - FLASH:
                rising, low = False, level
        elif level >= low + FLASH:
            rising, high = True, level
            edges.append(tick)
        else:
            low = min(low, level)
    return edges


def most_in_a_second(edges: list[int]) -> int:
    window = round(1 / TICK_S)
    return max((sum(1 for other in edges if edge <= other <= edge + window) for edge in edges), default=0)


def assert_safe(timeline: list[Lights]) -> None:
    for levels in zip(*(channels(lights) for lights in timeline), strict=True):
        assert most_in_a_second(rising_edges(list(levels))) <= MAX_FLASHES


def timeline(scene: Scene, *, seconds: float = 6.0, **what: object) -> list[Lights]:
    return [prompt(scene, tick * TICK_S, **what) for tick in range(round(seconds / TICK_S))]


@given(scenes, st.none() | hints, st.none() | actions, st.floats(0, 3600))
def test_no_light_flashes_more_than_three_times_a_second(scene, guidance, action, begin):
    lights = [prompt(scene, begin + tick * TICK_S, guidance=guidance, action=action) for tick in range(400)]
    assert_safe([Lights(), *lights])


@given(st.sampled_from([Scene.POSITION, Scene.CARD]), st.lists(st.none() | hints, min_size=40, max_size=80))
def test_guidance_that_changes_with_every_frame_does_not_flicker(scene, guidance):
    shown, lights = Shown(scene, 0.0), []
    for frame, hint in enumerate(guidance):
        for tick in range(3):
            at = (frame * 3 + tick) * TICK_S
            shown = shown.then(at, scene, guidance=hint)
            lights.append(shown.lights(at))
    assert_safe(lights)


@given(scenes, st.floats(-10, 1e6), st.none() | hints, st.none() | actions)
def test_levels_and_tones_stay_within_what_the_panel_can_show(scene, seconds, guidance, action):
    lights = prompt(scene, seconds, guidance=guidance, action=action)
    assert all(0 <= level <= 1 for level in channels(lights))
    assert lights.tone_hz is None or 440 <= lights.tone_hz <= 1760


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations([s for s in Scene if s is not Scene.CUE], 2)))
def test_scenes_differ_without_colour(one, other):
    pairs = zip(timeline(one), timeline(other), strict=True)
    apart = sum(any(abs(a - b) >= 0.2 for a, b in zip(grey(x), grey(y), strict=True)) for x, y in pairs)
    assert apart * TICK_S >= 0.4


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(Action, 2)))
def test_cues_differ_in_light_without_colour_and_in_sound(one, other):
    first, second = timeline(Scene.CUE, action=one), timeline(Scene.CUE, action=other)
    assert [grey(x) for x in first] != [grey(y) for y in second]
    assert [x.tone_hz for x in first] != [y.tone_hz for y in second]


OUTCOMES = [Scene.VERIFIED, Scene.REJECTED, Scene.INCONCLUSIVE, Scene.DECLINED, Scene.CANCELLED]


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(OUTCOMES, 2)))
def test_outcomes_differ_in_sound(one, other):
    assert [x.tone_hz for x in timeline(one)] != [y.tone_hz for y in timeline(other)]


@pytest.mark.parametrize(
    ("action", "lit"),
    [
        (Action.TURN_LEFT, (1, 0, 0)),
        (Action.TURN_RIGHT, (0, 1, 0)),
        (Action.LOOK_UP, (1, 1, 0)),
        (Action.BLINK, (0, 0, 1)),
        (Action.BLINK_TWICE, (0, 0, 1)),
    ],
)
def test_a_cue_begins_at_once_in_its_place(action, lit):
    lights = prompt(Scene.CUE, 0.0, action=action)
    assert (lights.left, lights.right, lights.eyes) == lit


def test_one_blink_and_two_are_told_apart_within_a_third_of_a_second_at_ten_frames_a_second():
    for offset in range(10):
        eyes = [prompt(Scene.CUE, (offset + 10 * k) / 100, action=Action.BLINK_TWICE).eyes for k in range(4)]
        assert 0.0 in eyes
    assert {lights.eyes for lights in timeline(Scene.CUE, action=Action.BLINK)} == {1.0}


def test_left_falls_and_right_rises():
    def melody(action: Action) -> list[float]:
        return [
            tone
            for tone, _ in itertools.groupby(x.tone_hz for x in timeline(Scene.CUE, seconds=1, action=action))
            if tone
        ]

    assert melody(Action.TURN_LEFT) == sorted(melody(Action.TURN_LEFT), reverse=True)
    assert melody(Action.TURN_RIGHT) == sorted(melody(Action.TURN_RIGHT))


@pytest.mark.parametrize("scene", [s for s in Scene if s is not Scene.CUE])
def test_only_a_cue_lights_a_cue_light_fully(scene):
    for guidance in (None, *Guidance):
        for lights in timeline(scene, guidance=guidance):
            assert max(lights.left, lights.right, lights.eyes) <= 0.5


def test_a_hint_stays_for_a_while_and_a_new_scene_shows_at_once():
    shown = Shown(Scene.POSITION, 0.0).then(5.0, Scene.POSITION, guidance=Guidance.CLOSER)
    assert shown.guidance is Guidance.CLOSER
    assert shown.then(5.0 + GUIDANCE_HOLD_S / 2, Scene.POSITION, guidance=Guidance.BACK) is shown
    assert shown.then(5.0 + GUIDANCE_HOLD_S, Scene.POSITION, guidance=Guidance.BACK).guidance is Guidance.BACK
    cue = shown.then(5.1, Scene.CUE, action=Action.BLINK)
    assert (cue.scene, cue.since, cue.guidance) == (Scene.CUE, 5.1, None)
    assert cue.then(5.2, Scene.CUE, action=Action.BLINK) is cue


def test_every_scene_cue_and_hint_has_a_message_of_its_own():
    keys = [
        *(message_key(scene) for scene in Scene),
        *(message_key(Scene.CUE, action=action) for action in Action),
        *(message_key(Scene.POSITION, guidance=hint) for hint in Guidance),
        *(message_key(Scene.CARD, guidance=fault) for fault in CardFault),
    ]
    assert len(set(keys)) == len(keys)
    assert set(keys) <= KEYS
    assert sentence(Scene.POSITION, guidance=Guidance.BACK) == "Step back a little."
    assert sentence(Scene.IDLE, guidance=Guidance.BACK, action=Action.BLINK) == sentence(Scene.IDLE)


EVERYTHING = [
    *({"scene": scene} for scene in Scene),
    *({"scene": Scene.CUE, "action": action} for action in Action),
    *({"scene": Scene.POSITION, "guidance": hint} for hint in Guidance),
    *({"scene": Scene.CARD, "guidance": fault} for fault in CardFault),
]


@pytest.mark.parametrize("what", EVERYTHING, ids=lambda what: "-".join(what.values()))
def test_steady_light_never_jumps_and_rises_at_most_once_a_second(what):
    lights = timeline(glides=True, **what)
    for levels in zip(*(channels(each) for each in lights), strict=True):
        assert max(abs(after - before) for before, after in itertools.pairwise(levels)) <= TICK_S / GLIDE_S + 1e-9
        assert most_in_a_second(rising_edges(list(levels))) <= 1
    assert {x.tone_hz for x in lights} == {x.tone_hz for x in timeline(**what)}


def test_steady_light_tells_the_scenes_and_the_cues_apart_too():
    scenes_shown = {scene: timeline(scene, glides=True) for scene in Scene if scene is not Scene.CUE}
    for one, other in itertools.combinations(scenes_shown.values(), 2):
        pairs = zip(one, other, strict=True)
        apart = sum(any(abs(a - b) >= 0.2 for a, b in zip(grey(x), grey(y), strict=True)) for x, y in pairs)
        assert apart * TICK_S >= 0.4
    once, twice = (prompt(Scene.CUE, 0.4, action=a, glides=True).eyes for a in (Action.BLINK, Action.BLINK_TWICE))
    assert once == 1.0 and twice < 0.7
    for action in Action:
        assert prompt(Scene.CUE, 0.0, action=action, glides=True) == prompt(Scene.CUE, 0.0, action=action)


def test_what_is_shown_stays_steady_from_scene_to_scene():
    shown = Shown(Scene.IDLE, 0.0, glides=True).then(1.0, Scene.POSITION, guidance=Guidance.CLOSER)
    shown = shown.then(3.0, Scene.POSITION, guidance=Guidance.BACK).then(4.0, Scene.CONSENT)
    assert shown.lights(5.0) == prompt(Scene.CONSENT, 1.0, glides=True) != prompt(Scene.CONSENT, 1.0)


def test_a_rhythm_that_does_not_repeat_keeps_its_last_level():
    rhythm = Rhythm(((0.5, 1.0), (0.5, 0.2)), repeats=False)
    assert [rhythm.level(t) for t in (-1.0, 0.0, 0.49, 0.5, 99.0)] == [1.0, 1.0, 1.0, 0.2, 0.2]


def test_a_melody_plays_again_only_when_it_says_so():
    assert Melody(((0.1, 440.0),), every_s=2.0).tone(4.05) == 440.0
    assert Melody(((0.1, 440.0),)).tone(4.05) is None
