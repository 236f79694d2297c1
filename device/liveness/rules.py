"""The numbers of a session. Angles in degrees, times in seconds, openness relative to the person's own open eye."""

from __future__ import annotations

from dataclasses import dataclass

from device.wire.plan import MAX_CHALLENGE_S, MAX_REACTION_S, MAX_STEP_S, MIN_FPS, MIN_REACTION_S


@dataclass(frozen=True, slots=True)
class Rules:
    """What counts as an answer, and what ends a session. docs/liveness.md tells where each number comes from."""

    # Position: the working points of the capture's quality, docs/quality.md; units as in `View` and `CaptureQuality`.
    min_face_width: float = 0.24
    max_face_width: float = 0.80
    max_off_centre: float = 0.22
    min_margin: float = 0.0
    min_eye_distance: float = 24.0
    max_position_yaw: float = 15.0
    max_position_pitch: float = 22.0
    max_position_roll: float = 30.0
    min_eye_openness: float = 0.1
    min_eye_visibility: float = 0.34
    max_mouth_opening: float = 0.2
    min_brightness: float = 0.12
    max_under_exposed: float = 0.3
    max_over_exposed: float = 0.4
    min_dynamic_range: float = 5.2
    min_uniformity: float = 0.4
    min_sharpness: float = 0.15
    position_hold_s: float = 0.2  # the first pause follows, docs/adr/0050
    position_limit_s: float = 30.0
    choice_s: float = 0.0  # no challenge sooner after consent: time to choose the alternative, where there is one
    consent_limit_s: float = 45.0

    # The identity document held before the camera, where it gives the reference: docs/documents.md.
    card_limit_s: float = 45.0
    card_every_s: float = 0.2
    card_portraits: int = 5
    min_card_likeness: float = 0.7  # of any two portraits that were read

    # Timing of the challenge.
    min_reaction_s: float = MIN_REACTION_S
    max_reaction_s: float = MAX_REACTION_S
    max_step_s: float = MAX_STEP_S
    max_challenge_s: float = MAX_CHALLENGE_S

    # Turns, measured against the person's own neutral.
    turn_onset_deg: float = 10.0
    turn_peak_deg: float = 18.0
    neutral_deg: float = 8.0
    neutral_hold_s: float = 0.2
    look_up_onset_deg: float = 8.0
    look_up_peak_deg: float = 12.0
    max_turn_deg_s: float = 500.0  # faster than any neck; a slide show is
    far_end_deg: float = 14.0  # frames beyond it tell a head from a picture; a peak of one frame tells nothing
    min_far_end_frames: int = 3
    min_relief: float = 0.12  # of the nose over the plane of the face
    min_turned_aspect: float = 0.94  # at the far end, over the cosine of the turn
    min_aspect: float = 0.86  # near the frontal view
    aspect_deg: float = 10.0  # how near: yaw and pitch
    max_narrow_s: float = 0.1

    # Blinks.
    closed_share: float = 0.55
    min_blink_s: float = 0.06
    max_blink_s: float = 0.50
    max_blink_openness: float = 0.5  # at the deepest; lids that are lowered no further did not blink
    blink_still_deg: float = 8.0
    # From one blink's end to the next one's beginning: up to it two blinks are a pair, beyond it they never are. One
    # number for both actions: with two of them footage of two blinks in between would answer either cue.
    blink_pair_s: float = 1.1

    # Continuity.
    max_gap_s: float = 0.2
    min_fps: float = MIN_FPS
    max_lost_s: float = 0.3
    max_lost_in_turn_s: float = 1.5
    max_several_faces_s: float = 0.4
    max_repeated_share: float = 0.1
    max_repeated_s: float = 0.15

    # Motion: a cut is what no change around it explains. `python -m benchmarks.liveness continuity` measures each.
    max_jump: float = 0.06  # of a face's size beyond what the changes around explain,
    max_jump_ratio: float = 4.0  # and so many times as much
    max_face_jump: float = 0.26  # of the face's contrast, beyond the same
    max_shift: float = 1.0  # face sizes from one true picture to the next, whatever is around
    moving_shift: float = 0.01
    moving_face: float = 0.08
    min_moving_frames: int = 20
    max_stalled_share: float = 0.35
    min_sway: float = 0.002  # of a face's size, within `sway_s`; whoever lives sways more
    sway_s: float = 2.0
    max_pace_ratio: float = 3.0  # longest over shortest time per frame number; a Pi camera's exposure alone makes two

    # Identity between frames: cosine scores of one session's embeddings.
    frontal_deg: float = 15.0
    embed_every_s: float = 0.2
    max_unembedded_s: float = 0.3
    min_likeness: float = 0.35  # of any two frames
    min_probe_likeness: float = 0.45  # of any frame to the fused probe
    compared_deg: float = 40.0  # how far a head may be turned to be compared at all
    embed_in_turn_every_s: float = 0.1
    min_turned_likeness: float = 0.45  # of any turned frame to the mean of the frontal ones before it


DEFAULT_RULES = Rules()
