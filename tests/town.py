"""A town of terminals: some days of signed results, good and bad, in a real ledger, by the receiver's own custody.

The keys are real and throw-away, the claims are made up: nobody stood before these terminals.
"""

import math
import random
from collections.abc import Iterator

import samples

from central.assessment import Asked
from central.config import load_central
from central.custodian import Custodian
from central.evidence import Sealed
from central.ledger import Ledger
from central.numbers import customer_number
from central.registry import Registry, load_registry, registry_text
from central.rules import Rules
from central.subjects import number_pseudonym, read_pseudonym_key
from central.verify import open_result
from device.delivery.keys import TerminalKeys, load_terminal_keys
from device.results import seal_evidence
from device.wire.chain import ChainHead
from device.wire.claims import Capture, Challenge, Comparison, Outcome, StepTiming
from device.wire.envelope import Envelope, Kind, sign
from device.wire.evidence import EvidenceClaims, EvidenceCue, EvidenceKind, EvidencePack, EvidenceSignals
from device.wire.fields import uuid7
from device.wire.plan import DEFAULT_ACTIONS, derive_plan, guess_probability
from device.wire.request import Policy
from device.wire.slip import slip_digest
from provisioning.demo import DemoAuthority

NAMES = (*(f"shop-{number:02}" for number in range(1, 13)), "kiosk-1", "kiosk-2")
DAY_S, HOUR_S = 86_400, 3600
RUSH = (0, 0, 0, 0, 0, 0, 0, 1, 3, 5, 7, 8, 9, 7, 6, 7, 8, 10, 9, 5, 2, 1, 0, 0)
ENDINGS = (
    (82, Outcome.VERIFIED, ()),
    (4, Outcome.REJECTED, ("faces-do-not-match",)),
    (3, Outcome.REJECTED, ("wrong-action",)),
    (2, Outcome.REJECTED, ("flat-face", "person-changed")),
    (2, Outcome.INCONCLUSIVE, ("no-good-view",)),
    (2, Outcome.INCONCLUSIVE, ("challenge-not-answered",)),
    (2, Outcome.DECLINED, ("consent-not-given",)),
    (2, Outcome.CANCELLED, ("cancelled",)),
    (1, Outcome.FAULT, ("capture-ended",)),
)
FAMILIAR = {"verified": "The live person matches the document.", "declined": "The customer did not agree."}
STOLEN = "f" * 32
"""The pseudonym under which somebody registers number after number."""


class Town:
    """Fills a ledger; to be used with `with`."""

    def __init__(self, made: DemoAuthority, now: int, *, seed: int = 7, source: str = "pi-camera") -> None:
        self.made, self.settings, self.now, self.source = made, load_central(made.central), now, source
        self._random = random.Random(seed)
        self.keys: dict[str, TerminalKeys] = {name: load_terminal_keys(made.terminals[name]) for name in NAMES}
        self.heads = dict.fromkeys(NAMES, ChainHead(1))
        self.ledger, self._rehearsal = Ledger(self.settings.ledger), source == "rehearsal"
        if self.ledger.database.place.endswith(".sqlite"):
            self.ledger.database.rows("PRAGMA synchronous = OFF")  # for nobody who would mind a power cut
        self._rules = Rules(self.ledger, self.settings.rules)
        self.registry = load_registry(self.settings.registry)

    def __enter__(self) -> "Town":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.ledger.close()

    def resumed(self) -> "Town":
        """Goes on where a ledger that was filled before ends."""
        for name in NAMES:
            epoch = load_registry(self.settings.registry).terminals[name].epoch
            self.heads[name] = self.ledger.head(name, epoch) or ChainHead(epoch)
        return self

    def fill(self, days: int = 3, each_day: int = 150) -> None:
        """Days of business up to now, with everything that an auditor looks for."""
        self.registry = self._registered()
        times = sorted(self._times(days, each_day))
        for index, at in enumerate(times):
            self._mischief(index, len(times), at)
            self.session(self._random.choice(NAMES[:-2]), at)
            if index % 40 == 0:
                self._rules.apply(self.registry, at)
        self._fleet_speaks()
        self._rules.apply(self.registry, self.now)

    def session(self, terminal: str, at: int, **changes: object) -> Envelope:
        """One session, asked for by central and taken into custody; with evidence where it was measured."""
        (_, outcome, reasons) = self._random.choices(ENDINGS, [weight for weight, *_ in ENDINGS])[0]
        return self._session(terminal, at, **({"outcome": outcome, "reasons": reasons} | changes))

    def slip(self, terminal: str, at: int, code: str, number: str | None = None, **changes: object) -> Envelope:
        """A session whose customer went away with this slip, and was asked for by this phone number."""
        key = self.settings.keys.numbers
        known = number_pseudonym(read_pseudonym_key(key), customer_number(number)) if number and key else None
        told = {"outcome": Outcome.VERIFIED, "reasons": (), "slip": slip_digest(code), "number": known} | changes
        return self._session(terminal, at, **told)

    def take(self, terminal: str, envelope: Envelope, at: int) -> None:
        """As the receiver does."""
        with self.ledger.batch():
            opened = open_result(envelope.raw, terminal, self.registry, rehearsal=self._rehearsal)
            _, runs = Custodian(self.ledger).take([opened], self.registry, at)
            self.ledger.note_receipts(runs, at + 1)

    def _session(self, terminal: str, at: int, *, outcome: str, reasons: tuple[str, ...], **told: object) -> Envelope:
        nonce, jti = self._random.randbytes(32), uuid7(at * 1000, self._random.randbytes(10))
        asked = samples.request(
            jti=uuid7(at * 1000 - 30_000, self._random.randbytes(10)),
            aud=terminal,
            iat=at - 30,
            exp=at + 270,
            nonce=nonce,
            outlet=f"outlet-{NAMES.index(terminal) % 5 + 1}",
            attendant=told.pop("attendant", f"attendant-{NAMES.index(terminal) * 2 + self._random.randrange(2)}"),
            transaction=f"sim-{at % 1_000_000:06}",
            subject=told.pop("subject", self._random.randbytes(16).hex()),
            policy=Policy(grades=(told.pop("grade", "card"),), evidence=(EvidenceKind.SIGNALS,)),
        )
        row = (asked.jti, terminal, asked.boot, asked.exp, Asked.of(asked).write().decode(), told.pop("number", None))
        self.ledger.database.rows("INSERT INTO requests VALUES (?, ?, ?, ?, ?, ?)", *row)
        challenge = self._challenge(terminal, nonce, outcome)
        pack = EvidencePack(signals=self._signals(challenge)) if challenge else None
        sealed = pack and seal_evidence(
            pack, self.keys[terminal].evidence_recipient, result=jti, terminal=terminal, purpose=asked.purpose
        )
        score = self._random.gauss(0.62, 0.07) if outcome == Outcome.VERIFIED else self._random.gauss(0.2, 0.06)
        score = round(min(max(score, 0.41), 0.95) if outcome == Outcome.VERIFIED else min(score, 0.39), 4)
        long_s = challenge.steps[-1].done_s or challenge.steps[-1].cue_s + 4 if challenge else 0.0
        values: dict[str, object] = {
            "jti": jti, "iat": at - 1, "nonce": nonce, "offline": False, "request": asked.echo(),
            "outcome": outcome, "reasons": reasons,
            "sentence": FAMILIAR.get(outcome, f"The session ended: {', '.join(reasons)}."),
            "challenge": challenge, "evidence": sealed.mark if sealed else None,
            "comparison": Comparison(score=score, threshold=0.4, fmr="1e-3", match=score >= 0.4) if challenge else None,
            "reference": samples.card() if challenge else None,
            "capture": Capture(source=self.source, frames=int(long_s * 15) + 1 if challenge else 0, fps=15.0),
        }  # fmt: skip
        place = self.heads[terminal].next()
        claims = samples.result(place, terminal=terminal, **(values | told))
        envelope = sign(Kind.RESULT, claims.write(), self.keys[terminal].result_key)
        self.heads[terminal] = self.heads[terminal].advanced(envelope.sha256)
        self.take(terminal, envelope, at)
        if sealed and claims.evidence:
            said = EvidenceClaims(iss=terminal, epoch=place.epoch, seq=place.seq, result=jti, sealed=sealed.sealed)
            signed = sign(Kind.EVIDENCE, said.write(), self.keys[terminal].result_key)
            with self.ledger.batch():
                self.ledger.evidence.take(Sealed(terminal, signed, said), at)
        return envelope

    def _challenge(self, terminal: str, nonce: bytes, outcome: str) -> Challenge | None:
        if outcome in (Outcome.DECLINED, Outcome.FAULT):
            return None
        salt, session = self._random.randbytes(32), uuid7(self.now * 1000, self._random.randbytes(10))
        plan = derive_plan(nonce=nonce, salt=salt, session=session, terminal=terminal)
        good = len(plan.actions) if outcome == Outcome.VERIFIED else self._random.randrange(len(plan.actions))
        steps, at = [], 0.0
        for index, (action, pause) in enumerate(zip(plan.actions, plan.pauses_s, strict=True)):
            cue = at + pause
            onset, took = 0.35 + self._random.random() * 0.6, 0.7 + self._random.expovariate(1.2)
            onset_s, at = round(cue + onset, 3), round(cue + onset + min(took, 4.0), 3)
            passed = index < good
            step = StepTiming(action=action, cue_s=round(cue, 3), onset_s=onset_s, done_s=at, passed=passed)
            steps.append(step if passed else step.model_copy(update={"onset_s": None, "done_s": None}))
            if not passed:
                break
        return Challenge(
            salt=salt,
            session=session,
            actions=tuple(sorted(DEFAULT_ACTIONS)),
            plan=plan.actions,
            pauses_s=plan.pauses_s,
            steps=tuple(steps),
            guess_probability=guess_probability(DEFAULT_ACTIONS),
        )

    def _signals(self, challenge: Challenge) -> EvidenceSignals:
        """A head that turns and eyes that close where the steps say so."""
        end = max(step.done_s or step.cue_s + 2 for step in challenge.steps) + 0.4
        times = [index / 15 for index in range(int(end * 15))]
        yaw, pitch, left, right = [], [], [], []
        for at in times:
            angle, closed = self._random.gauss(0, 0.7), 0.0
            for step in challenge.steps:
                if step.onset_s is None or step.done_s is None or not step.onset_s <= at <= step.done_s:
                    continue
                share = math.sin(math.pi * (at - step.onset_s) / (step.done_s - step.onset_s))
                angle += {"turn-left": 31, "turn-right": -31}.get(step.action, 0) * share
                dips = {"blink": 1, "blink-twice": 2}.get(step.action, 0)
                closed = max(closed, abs(math.sin(math.pi * dips * (at - step.onset_s) / (step.done_s - step.onset_s))))
            open_by = 0.31 * (1 - 0.8 * closed**3)
            yaw.append(round(angle, 2))
            pitch.append(round(self._random.gauss(-3, 0.5), 2))
            left.append(round(open_by + self._random.gauss(0, 0.006), 4))
            right.append(round(open_by + self._random.gauss(-0.01, 0.006), 4))
        cues = tuple(EvidenceCue(action=step.action, at_s=step.cue_s) for step in challenge.steps)
        return EvidenceSignals(
            at_s=tuple(times), yaw_deg=tuple(yaw), pitch_deg=tuple(pitch), left_eye=tuple(left),
            right_eye=tuple(right), cues=cues,
        )  # fmt: skip

    def _mischief(self, index: int, total: int, at: int) -> None:
        """What goes wrong in a town, each at its time."""
        part, verified = total // 12 or 1, {"outcome": Outcome.VERIFIED, "reasons": ()}
        if index % part == part // 2 and index // part < 7:
            self.session(NAMES[index // part], at, subject=STOLEN, **verified)
        if index == 2 * part:  # a clone, or an outbox that was put back
            before = self.heads["shop-03"]
            self.session("shop-03", at, **verified)
            after, self.heads["shop-03"] = self.heads["shop-03"], before
            self.session("shop-03", at, **verified)
            self.heads["shop-03"] = after
        if index == 3 * part:  # two results that never came
            self.heads["shop-05"] = ChainHead(1, self.heads["shop-05"].seq + 2, "e" * 64)
        if index == 4 * part:
            self.session("shop-06", at, capture=Capture(source="recording", frames=200, fps=15.0), **verified)
        if index == 5 * part:
            self.session("shop-07", at, attendant="attendant-99", comparison=None, **verified)
        if index == 6 * part:
            for _ in range(6):
                self.session("shop-08", at, attendant="attendant-15", outcome=Outcome.CANCELLED, reasons=("cancelled",))
        if index == 7 * part:
            self.registry = self._registered(epoch=2)
            anchor = samples.anchor(iss="shop-09", iat=at, reason="restored-card")
            envelope = sign(Kind.ANCHOR, anchor.write(), self.keys["shop-09"].result_key)
            self.take("shop-09", envelope, at)
            self.heads["shop-09"] = ChainHead(2, 0, envelope.sha256)
        if index == 8 * part:
            self.session("kiosk-2", at, **verified)

    def _fleet_speaks(self) -> None:
        births, health, quiet = {}, {}, {}
        for index, name in enumerate(NAMES[:-1]):
            software = samples.SOFTWARE
            if name == "shop-04":
                software = software.model_copy(update={"models_sha256": "c" * 64, "firmware": "0.0.9"})
            clock = {"shop-10": 400}.get(name, 0)
            presence = {"shop-11": "lost", "kiosk-1": "stopped"}.get(name, "online")
            head = self.heads[name]
            born = samples.birth(
                iss=name, iat=self.now - 7000 + clock, presence=presence, software=software, epoch=head.epoch,
                head_seq=head.seq, head_sha256=head.sha256,
            )  # fmt: skip
            heard = self.now - (6000 if name == "shop-01" else 20)
            said = samples.health(
                iss=name, iat=heard + clock, waiting=2 if name == "shop-02" else 0,
                oldest_waiting_s=95.0 if name == "shop-02" else None, temperature_c=round(44 + 2.3 * index % 17, 1),
                lockout_s=140.0 if name == "shop-08" else None, throttled=name == "shop-12",
            )  # fmt: skip
            key = self.keys[name].result_key
            births[name] = sign(Kind.BIRTH, born.write(), key).raw
            told = quiet if name == "shop-01" else health
            told[name] = sign(Kind.HEALTH, said.write(), key).raw
        with self.ledger.batch():
            self.ledger.fleet.set_births(births, self.now - 7000)
            self.ledger.fleet.set_health(quiet, self.now - 6000)
            self.ledger.fleet.set_health(health, self.now - 20)
            self.ledger.refuse([("shop-02", "a" * 64, "bad-signature")] * 3, self.now - 500)

    def _registered(self, epoch: int = 1) -> Registry:
        """The registry as it stands, with one terminal in this epoch and one revoked."""
        path = self.settings.registry
        entries = dict(load_registry(path).terminals)
        entries["shop-09"] = entries["shop-09"].model_copy(update={"epoch": epoch})
        entries["kiosk-2"] = entries["kiosk-2"].model_copy(update={"revoked": True})
        path.write_text(registry_text(entries))
        return load_registry(path)

    def _times(self, days: int, each_day: int) -> Iterator[int]:
        midnight = self.now - self.now % DAY_S
        for day in range(days):
            for hour in self._random.choices(range(24), RUSH, k=each_day):
                at = midnight - day * DAY_S + hour * HOUR_S + self._random.randrange(HOUR_S)
                if at < self.now - 60:
                    yield at
