"""Plays sounds through aplay, in a thread of its own: one at a time, the newest wins, and nobody waits for it."""

from __future__ import annotations

import io
import logging
import subprocess
import threading
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np

LOG = logging.getLogger(__name__)
CLOSE_LIMIT_S = 2.0


class Utterance:
    """Sounds that are played one after the other; `played` says how many of them were, to their end."""

    def __init__(self, sounds: Sequence[Path]) -> None:
        self.sounds = tuple(sounds)
        self.played = 0


class Player:
    """One loudspeaker. Where there is none the panel's lights and tones are alone, and the log says so once."""

    def __init__(self, device: str, volume: float, command: Sequence[str] = ("aplay", "-q", "-t", "wav")) -> None:
        """Takes ALSA's name of the device, a volume from 0 to 1, and what plays a WAV file from standard input."""
        self._command = [*command, "-D", device]
        self._volume = volume
        self._changed = threading.Condition()
        self._next: Utterance | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False
        self._failed = False
        self._thread = threading.Thread(target=self._run, name="voice", daemon=True)
        self._thread.start()

    def say(self, utterance: Utterance) -> None:
        """Begins an utterance instead of the one that is played; returns at once."""
        if not self._thread.is_alive():
            raise RuntimeError("the voice's thread has ended, and nobody asked it to")
        with self._changed:
            self._next = utterance
            self._hush()
            self._changed.notify()

    def close(self) -> None:
        """Falls silent and ends the thread."""
        with self._changed:
            self._closed = True
            self._hush()
            self._changed.notify()
        self._thread.join(CLOSE_LIMIT_S)

    def _hush(self) -> None:
        if self._process is not None:
            self._process.terminate()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._next is not None)
                utterance, self._next = self._next, None
            if self._closed or utterance is None:
                return
            for sound in utterance.sounds:
                if not self._play(sound):
                    break
                utterance.played += 1

    def _play(self, sound: Path) -> bool:
        """Plays one sound; returns whether it came to its end."""
        try:
            wav = with_volume(sound.read_bytes(), self._volume)
            process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
            )
        except (OSError, wave.Error, EOFError) as error:
            return self._tell_failure(str(error))
        with self._changed:
            self._process = process
            if self._closed or self._next is not None:
                process.terminate()
        _, told = process.communicate(wav)
        with self._changed:
            code, self._process = process.returncode, None
        if code > 0:
            return self._tell_failure(told.decode(errors="replace"))
        if code == 0:
            self._failed = False
        return code == 0

    def _tell_failure(self, why: str) -> bool:
        if not self._failed:
            lines = why.split("\n")
            LOG.warning(
                "no voice, lights and tones alone: %s", next((line for line in lines[::-1] if line.strip()), "")
            )
        self._failed = True
        return False


def with_volume(wav: bytes, volume: float) -> bytes:
    """Returns a WAV file of 16-bit samples, as espeak-ng writes it, made quieter; raises wave.Error or EOFError."""
    with wave.open(io.BytesIO(wav)) as sound:
        form, frames = sound.getparams(), sound.readframes(sound.getnframes())
    if form.sampwidth != 2:
        raise wave.Error(f"has {form.sampwidth * 8}-bit samples, not 16")
    quieter = (np.frombuffer(frames[: len(frames) // 2 * 2], "<i2") * volume).astype("<i2")
    written = io.BytesIO()
    with wave.open(written, "wb") as sound:
        sound.setparams(form)
        sound.writeframes(quieter.tobytes())
    return written.getvalue()
