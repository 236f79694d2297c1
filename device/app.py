"""The daemon's loop: newest frame -> session -> panel, and each session's end -> signed result.

One thread owns all of it. The session runs on the frames' clock; the panel is set at each frame.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Event

from device.camera import CameraStalledError
from device.camera.newest import NewestFrame
from device.decision import decide
from device.delivery.clocks import TerminalClock
from device.delivery.link import Link
from device.delivery.link_status import LinkState
from device.delivery.outbox import Outbox, OutboxError
from device.delivery.request_queue import RequestQueue
from device.delivery.requests import AcceptedRequest, RequestDesk, RequestRefusedError
from device.liveness.evidence import Ending
from device.liveness.limits import Limits, Tally, begin_attempt, count_failure, end_attempt, read_tally, write_tally
from device.liveness.rules import DEFAULT_RULES
from device.liveness.session import Ended
from device.opening import SessionOpener
from device.panel.gpio import Panel
from device.panel.prompts import Scene, Shown
from device.panel.staging import show_state
from device.results import Session, Terminal, result_claims
from device.service import Service
from device.signals import Frame
from device.verification import Verdict, Verification
from device.vision.assembly import Vision
from device.vision.reference import PortraitError
from device.wire.claims import Outcome
from device.wire.fields import ClockState
from device.wire.light import DARK
from device.wire.plan import PlanError

LOG = logging.getLogger(__name__)
TALLY = "attempt-tally"
NO_FRAME_S = 3.0
RESULT_SHOWN_S = 4.0
APPEND_RETRY_S = 1.0
# A refusal is the customer's right and no failure.
NO_FAILURES = frozenset({Outcome.VERIFIED, Outcome.DECLINED})
SCENES = {
    Outcome.VERIFIED: Scene.VERIFIED,
    Outcome.REJECTED: Scene.REJECTED,
    Outcome.INCONCLUSIVE: Scene.INCONCLUSIVE,
    Outcome.DECLINED: Scene.DECLINED,
    Outcome.CANCELLED: Scene.CANCELLED,
}


@dataclass(slots=True)
class _Running:
    """A session under way."""

    session: Session
    verification: Verification


@dataclass(slots=True)
class _Finished:
    """A session that ended: its result is signed as soon as the outbox takes it, its outcome shown for a while."""

    session: Session
    verdict: Verdict
    shown_until: float
    signed: bool = False
    retry_at: float = 0.0


class App:
    """The terminal at work. `shown` and `running` are what a console may look at between ticks."""

    def __init__(
        self,
        *,
        terminal: Terminal,
        frames: NewestFrame,
        panel: Panel,
        vision: Vision,
        requests: RequestQueue,
        desk: RequestDesk,
        outbox: Outbox,
        link: Link,
        clock: TerminalClock,
        limits: Limits,
        service: Service,
    ) -> None:
        self._terminal, self._frames, self._panel, self._vision = terminal, frames, panel, vision
        self._requests, self._desk, self._outbox, self._link = requests, desk, outbox, link
        self._clock, self._limits, self._service = clock, limits, service
        self._opener = SessionOpener(terminal.id, vision)
        self._tally = self._recall_tally()
        self._now: _Running | _Finished | None = None
        self.shown = Shown(Scene.IDLE, 0.0)

    @property
    def title(self) -> str:
        """Which terminal this is, and what it looks through."""
        return f"{self._terminal.id} · {self._terminal.source.value}"

    @property
    def running(self) -> Verification | None:
        """The session under way."""
        return self._now.verification if isinstance(self._now, _Running) else None

    def run(self, stop: Event, on_tick: Callable[[], None] = lambda: None) -> None:
        """Works until `stop` is set; raises CameraError when the camera fails, for systemd to restart the process."""
        self._service.ready()
        try:
            while not stop.is_set():
                frame = self._frames.take(NO_FRAME_S)
                if frame is None:
                    raise CameraStalledError(f"the camera delivered no frame for {NO_FRAME_S:g} s")
                self.tick(frame)
                on_tick()
                if self._link.alive:
                    self._service.alive()
        finally:
            self.abandon(Ending.CANCELLED if stop.is_set() else Ending.CAPTURE_ENDED)

    def abandon(self, why: Ending) -> None:
        """Ends a session under way and signs its result: whoever pulls the camera's plug leaves a trace."""
        if isinstance(self._now, _Running):
            self._now.verification.end(why)
            self._finish(self._now, self.shown.since)

    def tick(self, frame: Frame) -> None:
        """Handles one frame."""
        at = frame.taken_at
        presses = self._panel.presses()
        if isinstance(self._now, _Running):
            state = self._now.verification.observe(frame, presses)
            self.shown = show_state(self.shown, state, at)
            if self._now.verification.finished:
                self._finish(self._now, at)
        elif isinstance(self._now, _Finished):
            self._deliver(self._now, at)
        else:
            self._idle(at)
        running = self.running
        self._frames.hold_colours(running is not None and running.shows_code)
        self._panel.show(replace(self.shown.lights(at), ring=DARK if running is None else running.ring(at)))

    def _idle(self, at: float) -> None:
        if self._tally.pause_left(self._clock.read().uptime_s) > 0:
            self.shown = self.shown.then(at, Scene.PAUSED)
            return
        connected = self._link.status.state in (LinkState.CONNECTED, LinkState.CENTRAL_SILENT)
        self.shown = self.shown.then(at, Scene.IDLE if connected else Scene.OFFLINE_IDLE)
        raw = self._requests.get()
        if raw is None or not self._outbox_has_room(at):
            return
        now = self._clock.read()
        try:
            request = self._desk.accept(raw, now.unix_s if now.state is ClockState.SYNCED else None)
            self._begin(request, attempt=1, at=at)
        except RequestRefusedError as error:
            LOG.warning("request refused reason=%s %s", error.reason, error)
        except OutboxError as error:
            LOG.error("no session without an outbox: %s", error)
            self.shown = self.shown.then(at, Scene.FAULT)

    def _outbox_has_room(self, at: float) -> bool:
        """Without room for its result no session starts; the request is not used up, and central repeats it."""
        try:
            if self._outbox.has_room():
                return True
            LOG.error("no session: the outbox is full of results that wait for a receipt")
        except OutboxError as error:
            LOG.error("no session without an outbox: %s", error)
        self.shown = self.shown.then(at, Scene.FAULT)
        return False

    def _begin(self, request: AcceptedRequest, *, attempt: int, at: float) -> None:
        """Starts a session. The attempt is on disk before anything else happens: a power cut does not give it back."""
        self._panel.presses()  # pressed before the prompt was lit: agrees to nothing
        self._tally = begin_attempt(self._tally, request.id)
        self._outbox.remember({TALLY: write_tally(self._tally)})
        try:
            able_to_light = self._terminal.has_ring and self._frames.can_hold_colours
            session = self._opener.derive(request, attempt, able_to_light=able_to_light)
        except PlanError as error:
            LOG.warning("request refused reason=no-plan %s", error)
            return
        LOG.info("session begins id=%s request=%s attempt=%d", session.id, request.id, attempt)
        try:
            self._now = _Running(session, self._opener.verification(session))
        except PortraitError as error:
            LOG.warning("reference unusable request=%s %s", request.id, error)
            final = Ended(at, Ending.REFERENCE_UNUSABLE)
            decision = decide(final, None, session.plan, DEFAULT_RULES)
            self._now = self._finished(session, Verdict(final, None, decision), at)

    def _finish(self, running: _Running, at: float) -> None:
        verdict = running.verification.verdict()
        LOG.info(
            "session ended id=%s outcome=%s reasons=%s",
            running.session.id,
            verdict.decision.outcome,
            ",".join(verdict.decision.reasons) or "-",
        )
        self._now = self._finished(running.session, verdict, at)
        self._deliver(self._now, at)

    def _finished(self, session: Session, verdict: Verdict, at: float) -> _Finished:
        if verdict.decision.outcome in NO_FAILURES:
            self._tally = end_attempt(self._tally)
        else:
            self._tally = count_failure(self._tally, self._clock.read().uptime_s, self._limits)
        self._vision.forget()
        self._opener.forget()
        return _Finished(session, verdict, shown_until=at + RESULT_SHOWN_S)

    def _deliver(self, finished: _Finished, at: float) -> None:
        """Signs the result into the outbox, again and again while that fails; then shows the outcome for a while."""
        if not finished.signed and at >= finished.retry_at:
            self._sign(finished, at)
        if not finished.signed:
            self.shown = self.shown.then(at, Scene.FAULT)
        elif at < finished.shown_until:
            self.shown = self.shown.then(at, SCENES.get(finished.verdict.decision.outcome, Scene.FAULT))
        else:
            self._next(finished, at)

    def _sign(self, finished: _Finished, at: float) -> None:
        now, random = self._clock.read(), secrets.token_bytes(10)
        try:
            self._outbox.append(
                lambda position: result_claims(
                    position, self._terminal, finished.session, finished.verdict, now, random
                ),
                remember={TALLY: write_tally(self._tally)},
            )
        except OutboxError as error:
            LOG.error("the result is kept in memory until the outbox works again: %s", error)
            finished.retry_at = at + APPEND_RETRY_S
            return
        finished.signed = True
        finished.shown_until = at + RESULT_SHOWN_S

    def _next(self, finished: _Finished, at: float) -> None:
        """Another attempt when the request allows one, else idle."""
        self._now = None
        request, outcome = finished.session.request, finished.verdict.decision.outcome
        left = request.policy.attempts - finished.session.attempt
        paused = self._tally.pause_left(self._clock.read().uptime_s) > 0
        if left > 0 and outcome not in NO_FAILURES and not paused and self._may_succeed(finished):
            try:
                self._begin(request, attempt=finished.session.attempt + 1, at=at)
            except OutboxError as error:
                LOG.error("no session without an outbox: %s", error)
                self.shown = self.shown.then(at, Scene.FAULT)

    @staticmethod
    def _may_succeed(finished: _Finished) -> bool:
        return Ending.REFERENCE_UNUSABLE not in finished.verdict.decision.reasons

    def _recall_tally(self) -> Tally:
        text = self._outbox.recall(TALLY)
        return read_tally(text, self._terminal.boot, self._clock.read().uptime_s, self._limits)
