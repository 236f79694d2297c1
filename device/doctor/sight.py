"""Judgements over what the camera sees: pace, picture, focus, how it hangs, and the light of the site. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from device.camera import Conditions
from device.camera.calibration import Calibration
from device.doctor.findings import Finding, Gauge, Level, skipped, well
from device.liveness.calibrating import Found
from device.liveness.rules import DEFAULT_RULES, Rules

DARK_LUMA, BURNT_SHARE, FLAT_CONTRAST = 0.06, 0.4, 0.012
CHANGED_LIGHT = 2.0
CALIBRATE = "likeness-terminal calibrate --config FILE"


@dataclass(frozen=True, slots=True)
class Film:
    """What some seconds of frames were like; nothing of it shows a person.

    Attributes:
        width: pixels.
        height: pixels.
        taken_at: seconds, of each frame.
        luma: mean, 0..1.
        contrast: standard deviation of the luma, 0..1.
        burnt: share of the picture that is burnt out.
        repeated: share of frames that are the one before, pixel for pixel.
        sharpness: of the one face in the picture, as `CaptureQuality` has it; None where there was none.
        conditions: what the camera tells of itself; None where it does not.
    """

    width: int
    height: int
    taken_at: tuple[float, ...]
    luma: float
    contrast: float
    burnt: float
    repeated: float
    sharpness: float | None = None
    conditions: Conditions | None = None

    @property
    def gaps_ms(self) -> tuple[float, ...]:
        """From each frame to the next, milliseconds."""
        return tuple((later - earlier) * 1000 for earlier, later in pairwise(self.taken_at))

    @property
    def fps(self) -> float:
        """Frames a second, by the usual gap."""
        return 1000 / max(median(self.gaps_ms), 0.001) if self.gaps_ms else 0.0


def judge_film(kind: str, film: Film, rules: Rules = DEFAULT_RULES) -> list[Finding]:
    """Judges pace, picture and focus."""
    told = film.conditions
    found = f"{kind}, {film.width}x{film.height}"
    if told is not None:
        found += f"; {told.model}; {'; '.join(told.streams)}"
    return [well("camera", found), _pace(film, rules), _picture(film), _focus(film, rules)]


def judge_orientation(calibration: Calibration | None, model: str, found: Found | None, asked_nobody: str) -> Finding:
    """Judges the calibration against the camera, and against one person's turn.

    Args:
        calibration: what is on file.
        model: which camera this is.
        found: what the turn showed; None when nobody turned.
        asked_nobody: why not.
    """
    why = "left and right are not the customer's then: every turn made rightly counts as wrong"
    if calibration is None:
        return Finding("orientation", Level.STOPS, "the camera was never calibrated", why, CALIBRATE)
    shown = f"turned by {calibration.rotation} degrees, {'mirrors' if calibration.mirrored else 'does not mirror'}"
    told = f"{shown}, found on {calibration.calibrated:%Y-%m-%d}"
    if calibration.camera != model:
        other = f"the calibration is of another camera or socket ({calibration.camera}), this is {model}"
        return Finding("orientation", Level.STOPS, other, why, CALIBRATE)
    if found is None:
        return well("orientation", f"{told}; not tried: {asked_nobody}")
    if (found.rotation, found.mirrored) != (calibration.rotation, calibration.mirrored):
        now = f"turned by {found.rotation} degrees, {'mirrors' if found.mirrored else 'does not mirror'}"
        found_now = f"on file: {shown}; seen now: {now}: camera or mount were moved, or the turn was not to the left"
        return Finding("orientation", Level.STOPS, found_now, why, CALIBRATE)
    return well("orientation", f"{told}, and seen so now")


def judge_site(found: Found, calibration: Calibration | None, rules: Rules = DEFAULT_RULES) -> Finding:
    """Judges light and distance of the person who stood before the camera, against the day of the calibration."""
    told = f"face: brightness {found.brightness:.2f}, width {found.width:.2f} of the picture"
    why = "guidance keeps customers waiting, or sessions end as inconclusive"
    gauge = Gauge("light on the face", found.brightness, "", 0.0, 1.0, rules.min_brightness, 0.9)
    if found.brightness < rules.min_brightness:
        return Finding("site", Level.MEND, told, why, "put light on the face, from the front", gauge)
    if not rules.min_face_width <= found.width <= rules.max_face_width:
        advice = "move the terminal nearer" if found.width < rules.min_face_width else "move the terminal back"
        return Finding("site", Level.MEND, told, why, f"{advice}: customers do not stand where you put it", gauge)
    if calibration is not None and not _like(found.brightness, calibration.brightness):
        before = f"{told}; it was {calibration.brightness:.2f} on {calibration.calibrated:%Y-%m-%d}"
        return Finding("site", Level.NOTE, f"{before}: the light of this place changes", gauge=gauge)
    return well("site", told, gauge)


def _pace(film: Film, rules: Rules) -> Finding:
    if not film.gaps_ms:
        return skipped("frame rate", "fewer than two frames came")
    worst = max(film.gaps_ms)
    gauge = Gauge("frames a second", film.fps, "", 0.0, 40.0, rules.min_fps, 1e9)
    found = f"{film.fps:.0f} frames a second, longest gap {worst:.0f} ms"
    why = f"a session needs {rules.min_fps:.0f} frames a second and no gap beyond {rules.max_gap_s * 1000:.0f} ms"
    advice = "more light (long exposures make few frames), fewer programs beside it, likeness-terminal tune"
    if film.fps < rules.min_fps:
        return Finding("frame rate", Level.STOPS, found, why, advice, gauge)
    if worst > rules.max_gap_s * 1000:
        return Finding("frame rate", Level.MEND, found, why, advice, gauge)
    return well("frame rate", found, gauge)


def _picture(film: Film) -> Finding:
    told = film.conditions
    found = f"brightness {film.luma:.2f}, contrast {film.contrast:.2f}, burnt out {film.burnt:.0%}"
    if told is not None and told.exposure_us is not None:
        found += f"; exposed {told.exposure_us / 1000:.1f} ms"
    if told is not None and told.gain is not None:
        found += f", gain {told.gain:.1f}"
    gauge = Gauge("brightness", film.luma, "", 0.0, 1.0, DARK_LUMA, 0.95)
    if film.contrast < FLAT_CONTRAST:
        why = "the camera looks at nothing: no face will ever be found"
        return Finding(
            "picture", Level.STOPS, found, why, "take the cap or the film off the lens; clear the view", gauge
        )
    if film.repeated > DEFAULT_RULES.max_repeated_share:
        why = "a session is refused when pictures are repeated, as an injected recording repeats them"
        return Finding(
            "picture",
            Level.STOPS,
            f"{film.repeated:.0%} of the frames are repeated",
            why,
            "restart; then another cable",
        )
    if film.luma < DARK_LUMA:
        why = "faces are not found in the dark"
        return Finding("picture", Level.MEND, found, why, "put light before the counter", gauge)
    if film.burnt > BURNT_SHARE:
        why = "the exposure follows the brightest part, and faces stay dark"
        return Finding("picture", Level.MEND, found, why, "turn the terminal away from window and lamp", gauge)
    return well("picture", found, gauge)


def _focus(film: Film, rules: Rules) -> Finding:
    lens = film.conditions.lens_position if film.conditions else None
    where = f"; lens at {lens:.1f} dioptres" if lens is not None else ""
    if film.sharpness is None:
        return skipped("focus", f"nobody stood before the camera{where}")
    gauge = Gauge("sharpness", film.sharpness, "", 0.0, 0.7, rules.min_sharpness, 1e9)
    found = f"sharpness of the face {film.sharpness:.2f}{where}"
    if film.sharpness < rules.min_sharpness:
        why = "a blurred face compares badly: customers are turned away who are who they say"
        return Finding("focus", Level.MEND, found, why, "clean the lens, stand still, mend the distance", gauge)
    return well("focus", found, gauge)


def _like(one: float, other: float) -> bool:
    return max(one, other) <= CHANGED_LIGHT * max(min(one, other), 0.01)
