"""The daemon's loop: newest frame -> session -> panel, and each session's end -> signed result.

One thread owns all of it. The session runs on the frames' clock; the panel is set at each frame.
"""

from __future__ import annotations

import logging
import math
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from threading import Event

from device.admission import Admission
from device.camera import CameraStalledError
from device.camera.newest import NewestFrame
from device.closing import NO_FAILURES, Closing, Finished
from device.decision import decide
from device.delivery.clocks import TerminalClock
from device.delivery.database import OutboxError
from device.delivery.inbox import Inbox
from device.delivery.link import Link
from device.delivery.link_status import LinkState
from device.delivery.requests import AcceptedRequest, RequestDesk, RequestRefusedError
from device.delivery.telemetry import Vitals
from device.liveness.evidence import Ending
from device.liveness.rules import DEFAULT_RULES
from device.liveness.session import Consent, Ended, Positioning, Press
from device.opening import SessionOpener
from device.orders import Orders
from device.panel.gpio import Panel
from device.panel.prompts import Scene, Shown
from device.panel.staging import OUTCOMES, show_state
from device.results import Session, Terminal
from device.service import Service
from device.signals import Frame
from device.verification import Verdict, Verification
from device.vision.assembly import Vision
from device.vision.reference import PortraitError
from device.voice.voice import Voice
from device.wire.fields import ClockState
from device.wire.light import DARK
from device.wire.plan import PlanError

LOG = logging.getLogger(__name__)
NO_FRAME_S = 3.0
CHOICE_SHOWN_S = 1.5
IDLE_PAUSE_S = 0.1  # nobody waits for a tenth of a second, and the light still glides


@dataclass(slots=True)
class _Running:
    """A session under way."""

    session: Session
    verification: Verification
    chose_at: float = -math.inf


class App:
    """The terminal at work. `shown` and `running` are what a console may look at between ticks."""

    def __init__(
        self,
        *,
        terminal: Terminal,
        frames: NewestFrame,
        panel: Panel,
        voice: Voice,
        vision: Vision,
        requests: Inbox,
        desk: RequestDesk,
        link: Link,
        clock: TerminalClock,
        vitals: Vitals,
        admission: Admission,
        closing: Closing,
        orders: Orders,
        service: Service,
        steady: bool = False,
    ) -> None:
        self._terminal, self._frames, self._panel, self._vision = terminal, frames, panel, vision
        self._voice = voice
        self._requests, self._desk, self._link = requests, desk, link
        self._clock, self._vitals, self._service = clock, vitals, service
        self._admission, self._closing, self._orders = admission, closing, orders
        self._opener = SessionOpener(terminal.id, vision, gives_slips=closing.gives_slips)
        self._now: _Running | Finished | None = None
        self.shown = Shown(Scene.IDLE, 0.0, glides=steady)

    @property
    def title(self) -> str:
        """Which terminal this is, and what it looks through."""
        return f"{self._terminal.id} · {self._terminal.source.value}"

    @property
    def running(self) -> Verification | None:
        """The session under way."""
        return self._now.verification if isinstance(self._now, _Running) else None

    def run(self, stop: Event, on_tick: Callable[[], None] = lambda: None) -> None:
        """Works until `stop` is set or central orders a restart; raises CameraError when the camera fails."""
        self._service.ready()
        try:
            while not (stop.is_set() or self._orders.restart):
                frame = self._frames.take(NO_FRAME_S)
                if frame is None and self._frames.drops:
                    raise CameraStalledError(f"the camera delivered no frame for {NO_FRAME_S:g} s")
                if frame is None:
                    continue  # recorded time waits for a slow machine
                self.tick(frame)
                on_tick()
                if self._link.alive:
                    self._service.alive()
                if self._now is None and self._frames.drops:
                    stop.wait(IDLE_PAUSE_S)
        finally:
            self.abandon(Ending.CANCELLED if stop.is_set() else Ending.CAPTURE_ENDED)

    def abandon(self, why: Ending) -> None:
        """Ends a session under way and signs its result: whoever pulls the camera's plug leaves a trace."""
        if isinstance(self._now, _Running):
            self._now.verification.end(why)
            self._finish(self._now, self.shown.since)
        if isinstance(self._now, Finished) and not self._closing.sign(self._now, float("inf")):
            LOG.critical("the result of session %s is lost: the outbox did not take it", self._now.session.id)

    def tick(self, frame: Frame) -> None:
        """Handles one frame."""
        at, self._vitals.camera = frame.taken_at, "ok"
        presses, before = self._panel.presses(), self.shown
        if isinstance(self._now, _Running):
            if Press.START_HELD in presses:
                self._start_held(self._now, at)
            state = self._now.verification.observe(frame, presses)
            self.shown = show_state(self.shown, state, at)
            if isinstance(state, Positioning) and at - self._now.chose_at < CHOICE_SHOWN_S:
                self.shown = before.then(at, Scene.OTHER_TASKS)
            if self._now.verification.finished:
                self._finish(self._now, at)
        elif isinstance(self._now, Finished):
            self._deliver(self._now, at)
        else:
            self._idle(at, presses)
        running = self.running
        self._frames.hold_colours(running is not None and running.shows_code)
        if self.shown.scene in (Scene.CONSENT, Scene.WITNESS) and self.shown.since == at:
            self._panel.forget_presses()  # begun before the prompt was lit: agrees to nothing
        self._voice.follow(self.shown, at)
        self._panel.show(replace(self.shown.lights(at), ring=DARK if running is None else running.ring(at)))

    def _start_held(self, running: _Running, at: float) -> None:
        """What a long press of START means: another language before consent, the alternative afterwards."""
        if isinstance(running.verification.state, Consent):
            self._voice.choose_next()
            return
        other = running.session.alternative
        if other is not None and running.verification.choose(other):
            running.session, running.chose_at = running.session.with_alternative(), at
            LOG.info("alternative chosen id=%s", running.session.id)

    def _idle(self, at: float, presses: Collection[Press]) -> None:
        self._orders.obey(at)
        self._admission.look(at)
        obstacle = self._admission.obstacle
        self.shown = self.shown.then(at, self._idle_scene(at, obstacle))
        if obstacle is not None:
            return
        try:
            raw = self._requests.get()
            if raw is not None:
                now = self._clock.read()
                request = self._desk.accept(raw, now.unix_s if now.state is ClockState.SYNCED else None)
                self._begin(request, attempt=1, at=at)
            elif Press.START in presses and self.shown.scene is Scene.OFFLINE_READY:
                self._begin(self._desk.offline(self._clock.read(), secrets.token_bytes(42)), attempt=1, at=at)
        except RequestRefusedError as error:
            LOG.warning("request refused reason=%s %s", error.reason, error)
            self._vitals.refused += not error.believed
        except OutboxError as error:
            self._admission.fault(error)
            self.shown = self.shown.then(at, Scene.FAULT)

    def _idle_scene(self, at: float, obstacle: Scene | None) -> Scene:
        if self._orders.identifies(at):
            return Scene.IDENTIFY
        if obstacle is not None:
            return obstacle
        state, offline = self._link.status.state, self._admission.offline_scene
        # Who may work offline does so when central is silent, too; everybody else can only wait for a request.
        silent = state is LinkState.CENTRAL_SILENT and offline is Scene.OFFLINE_IDLE
        return Scene.IDLE if silent or state is LinkState.CONNECTED else offline

    def _begin(self, request: AcceptedRequest, *, attempt: int, at: float) -> None:
        """Starts a session. It is counted on the disk before anything else happens: a power cut takes nothing back."""
        self._panel.forget_presses()
        self._closing.next_customer()
        self._admission.begin(request.id, offline=request.echo is None)
        try:
            able_to_light = self._terminal.has_ring and self._frames.can_hold_colours
            session = self._opener.derive(request, attempt, able_to_light=able_to_light)
        except PlanError as error:
            LOG.warning("request refused reason=no-plan %s", error)
            return
        LOG.info("session begins id=%s request=%s attempt=%d", session.id, request.id, attempt)
        self._voice.begin(None if request.echo is None else request.echo.purpose, same_customer=attempt > 1)
        self._voice.offer_alternative(offered=session.alternative is not None)
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

    def _finished(self, session: Session, verdict: Verdict, at: float) -> Finished:
        self._vision.forget()
        self._opener.forget()
        return self._closing.finish(session, verdict, at, self._voice.consent_read())

    def _deliver(self, finished: Finished, at: float) -> None:
        """Signs the result into the outbox, again and again while that fails; then shows the outcome for a while."""
        if not self._closing.sign(finished, at):
            self.shown = self.shown.then(at, Scene.FAULT)
        elif at < finished.shown_until:
            self.shown = self.shown.then(at, OUTCOMES.get(finished.verdict.decision.outcome, Scene.FAULT))
        else:
            self._next(finished, at)

    def _next(self, finished: Finished, at: float) -> None:
        """Another attempt when the request allows one, else idle."""
        self._now = None
        request, outcome = finished.session.request, finished.verdict.decision.outcome
        left = request.policy.attempts - finished.session.attempt
        if left <= 0 or outcome in NO_FAILURES or not self._may_succeed(finished):
            return
        self._admission.look(at)
        if self._admission.obstacle is not None:
            return
        try:
            self._begin(request, attempt=finished.session.attempt + 1, at=at)
        except OutboxError as error:
            self._admission.fault(error)

    @staticmethod
    def _may_succeed(finished: Finished) -> bool:
        return Ending.REFERENCE_UNUSABLE not in finished.verdict.decision.reasons
