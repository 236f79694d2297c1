"""The documents' pictures: current, complete, harmless to look at, and true of whatever the session does."""

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.decision import SENTENCES, Comparison, decide
from device.liveness.evidence import Ending
from device.liveness.guidance import Guidance
from device.liveness.rules import DEFAULT_RULES
from device.liveness.session import Consent, Ended
from device.panel.prompts import Scene
from device.signals import CardFault
from device.wire.claims import Outcome
from device.wire.plan import Action
from tests.liveness.footage import PLAN, film
from tests.liveness.test_session_properties import doctored, doctors
from tests.panel.test_prompts import MAX_FLASHES, TICK_S, most_in_a_second, rising_edges
from tests.pictures.draw import FOLDER, pictures
from tests.pictures.patterns import samples
from tests.pictures.rows import GROUPS, Row
from tests.pictures.states import LABELS, STATES, from_outside
from tests.pictures.transitions import Transitions, record

SVG = "{http://www.w3.org/2000/svg}"
ROWS = [row for rows in GROUPS.values() for row in rows]
SMALL_AREA, SMALL_HEIGHT = 341 * 256 / 4, 256  # WCAG 2.3.1: what flashes at once within 341 x 256 pixels
WHOLE = film(PLAN)


@pytest.fixture(scope="module")
def found() -> Transitions:
    return record()


@pytest.fixture(scope="module")
def drawn(found) -> dict[str, str]:
    return pictures(found)


def test_the_committed_pictures_are_current(drawn):
    for name, text in drawn.items():
        assert (FOLDER / name).read_text() == text, f"{name} is older than the code: scripts/pictures"


def test_every_scene_and_cue_has_a_row_and_every_hint_one_that_looks_like_it():
    everything = [
        *(Row("", scene) for scene in Scene if scene is not Scene.CUE),
        *(Row("", Scene.CUE, action=action) for action in Action),
        *(Row("", Scene.POSITION, guidance=hint) for hint in Guidance),
        *(Row("", Scene.CARD, guidance=fault) for fault in CardFault),
    ]
    assert {(row.scene, row.action) for row in ROWS} == {(row.scene, row.action) for row in everything}

    def look(row):
        return [(x.status, x.left, x.right, x.eyes) for x in samples(row, steady=False)]

    looks = {scene: [look(row) for row in ROWS if row.scene is scene] for scene in Scene}
    for row in everything:
        assert look(row) in looks[row.scene], row.name


@pytest.mark.parametrize(("name", "most"), [("panel.svg", MAX_FLASHES), ("panel-steady.svg", 1)])
def test_the_picture_itself_harms_nobody(drawn, name, most):
    """Each light as a browser moves it, from one loop into the next; and all that move side by side are small."""
    root = ElementTree.fromstring(drawn[name])
    style = root.find(f"{SVG}style").text
    moving = {light.get("id"): light for light in root.iter(f"{SVG}circle") if light.get("class") == "light"}
    told = re.findall(
        r"@keyframes (\w+)\{((?:[^{}]+\{[^{}]+\})+)\}#\1\{animation:\1 ([\d.]+)s ([\w-]+) infinite\}", style
    )
    assert sorted(moving) == sorted(light for light, *_ in told) and len(told) > 20
    for _, steps, seconds, timing in told:
        frames = [(float(at) / 100, float(level)) for at, level in re.findall(r"([\d.]+)%\{opacity:([\d.]+)\}", steps)]
        levels = [seen(frames, tick * TICK_S / float(seconds) % 1.0, timing) ** 2.2 for tick in range(1300)]
        assert most_in_a_second(rising_edges(levels)) <= most
    heights = sorted(float(light.get("cy")) for light in moving.values())
    most_at_once = max(sum(height <= other < height + SMALL_HEIGHT for other in heights) for height in heights)
    assert most_at_once * 3.15 * 7**2 < SMALL_AREA
    assert "@media (prefers-reduced-motion: reduce){.light{animation:none!important}}" in style


def seen(frames, share, timing):
    """A light's opacity at a share of its loop."""
    before = max(index for index, (at, _) in enumerate(frames) if at <= share + 1e-9)
    (at, level), (until, after) = frames[before], frames[min(before + 1, len(frames) - 1)]
    if timing == "step-end" or until == at:
        return level
    return level + (after - level) * (share - at) / (until - at)


def test_every_state_transition_and_reason_is_in_the_picture(found, drawn):
    assert set(found.made) == set(LABELS) and set(found.scenes) == set(STATES)
    assert {reason or "verified" for _, reason, _ in found.endings} | {why for _, why in from_outside(found)} == set(
        SENTENCES
    )
    assert {why for _, why in from_outside(found)} == {Ending.CAPTURE_ENDED, Ending.REFERENCE_UNUSABLE}
    root = ElementTree.fromstring(drawn["session.svg"])
    words = [text.text for text in root.iter(f"{SVG}text")]
    assert {reason.replace("-", " ") for reason in SENTENCES} - set(words) == set()
    assert len([path for path in root.iter(f"{SVG}path") if path.get("class") == "arc"]) == len(found.made)
    assert len(list(root.iter(f"{SVG}circle"))) == len(found.endings)


@settings(max_examples=100, deadline=None)
@given(st.lists(doctors, max_size=3), st.sampled_from([Consent(), Consent(card=True), Consent(witnessed=True)]))
def test_no_session_does_what_the_picture_does_not_show(found, operations, begin):
    seen_now = Transitions()
    seen_now.play(doctored(WHOLE, operations), begin)
    assert seen_now.made <= found.made and seen_now.endings <= found.endings
    for state, scenes in seen_now.scenes.items():
        assert set(scenes) <= set(found.scenes[state])


def test_a_face_that_does_not_match_rejects_whatever_ended_the_session():
    another = Comparison(score=0.0, threshold=0.4, compared_at=(1.0,), least_likeness=0.8)
    for why in set(Ending) - {Ending.DECLINED}:  # nobody who declined is compared
        assert decide(Ended(1.0, why), another, PLAN, DEFAULT_RULES).outcome is Outcome.REJECTED
