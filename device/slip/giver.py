"""Gives slips to customers in a thread of its own: whatever becomes of paper and screen, no session waits for it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from device.durable import replace_file
from device.panel.catalogue import ENGLISH
from device.slip.content import Slip, wording
from device.slip.drawing import draw_slip, png
from device.slip.fonts import PACKAGES, Typeface, typeface
from device.slip.printer import PrinterError, print_picture
from device.slip.settings import SlipSettings

LOG = logging.getLogger(__name__)
CLOSE_LIMIT_S = 3.0
PICTURE_MODE = 0o640  # the screen's program is of the folder's group


class SlipGiver:
    """One printer, one screen, or both. A slip that could not be given is lost, and the log says so: none is kept."""

    def __init__(self, settings: SlipSettings, language: str) -> None:
        """Takes the language of whoever heard none."""
        self._settings, self.language = settings, language
        self._changed = threading.Condition()
        self._waiting: tuple[Slip, int] | None = None
        self._customer = 0
        self._hide_at: float | None = None
        self._closed = False
        self._hide()  # a crash may have left one
        self._thread = threading.Thread(target=self._run, name="slip", daemon=True)
        self._thread.start()

    def give(self, slip: Slip) -> None:
        """Begins to draw and to print; returns at once. One slip may wait for another."""
        if not self._thread.is_alive():
            raise RuntimeError("the slip's thread has ended, and nobody asked it to")
        with self._changed:
            if self._waiting is not None:
                LOG.warning("a slip is lost: the printer is still busy with those before it")
                return
            self._waiting = slip, self._customer
            self._changed.notify()

    def next_customer(self) -> None:
        """Takes the last slip off the screen, or keeps it from coming there late."""
        with self._changed:
            self._customer += 1
            self._hide()

    def close(self) -> None:
        """Gives what still waits, within a limit; the screen is empty then."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(CLOSE_LIMIT_S)
        if self._thread.is_alive():
            LOG.warning("a slip is lost: the printer was still at it when the terminal stopped")
        self.next_customer()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._waiting is not None, self._patience_s())
                waiting, self._waiting = self._waiting, None
                if waiting is None and self._closed:
                    return
                if self._patience_s() == 0.0:
                    self._hide()
            if waiting is not None:
                self._give(*waiting)
                waiting = None  # its code is forgotten while nobody is there

    def _patience_s(self) -> float | None:
        """Until the picture has to go."""
        return None if self._hide_at is None else max(0.0, self._hide_at - time.monotonic())

    def _give(self, slip: Slip, customer: int) -> None:
        try:
            face, slip = self._face(slip)
            picture = draw_slip(wording(slip, self._settings.address), self._settings.paper_mm, face)
            self._show(png(picture), customer)
            if self._settings.printer is not None:
                print_picture(self._settings.printer, picture)
        except (OSError, PrinterError) as error:  # a font's file may be damaged
            LOG.warning("a slip is lost: %s", error)

    @staticmethod
    def _face(slip: Slip) -> tuple[Typeface, Slip]:
        """What writes the slip, and the slip in a language that can be written."""
        face = typeface(slip.language)
        if face is not None:
            return face, slip
        LOG.warning("no font for %s, the slip is English: apt-get install %s", slip.language, PACKAGES[slip.language])
        return typeface(ENGLISH) or Typeface(None), replace(slip, language=ENGLISH)

    def _show(self, raw: bytes, customer: int) -> None:
        """Puts the picture in its place unless the next customer stands there already."""
        place = self._settings.picture
        if place is None:
            return
        draft = place.with_name(f".{place.name}.draft")
        try:
            replace_file(draft, raw, PICTURE_MODE)
            with self._changed:
                if customer != self._customer:
                    draft.unlink()
                    return
                draft.replace(place)
                self._hide_at = time.monotonic() + self._settings.picture_s
        except OSError as error:
            LOG.warning("no slip on the screen: %s: %s", place, error.strerror or error)

    def _hide(self) -> None:
        self._hide_at = None
        if self._settings.picture is None:
            return
        try:
            self._settings.picture.unlink(missing_ok=True)
        except OSError as error:
            LOG.warning("a slip stays on the screen: %s: %s", self._settings.picture, error.strerror or error)


@contextmanager
def open_slips(settings: SlipSettings, spoken: Sequence[str]) -> Iterator[SlipGiver]:
    """Who gives slips as configured; `spoken` are the languages of the voice."""
    giver = SlipGiver(settings, settings.language or next(iter(spoken), ENGLISH))
    try:
        yield giver
    finally:
        giver.close()
