"""The command desk: what central orders is obeyed once, in order, and answered each time it is asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from device.delivery.clocks import TerminalClock
from device.delivery.database import OutboxError
from device.delivery.keys import TerminalKeys
from device.delivery.outbox import Outbox
from device.wire.command import Command, CommandClaims, ReplyClaims, ReplyStatus
from device.wire.envelope import EnvelopeError, Fault, Kind, open_envelope, sign
from device.wire.fields import ClaimsError, ClockState

OBEYED = "commands-obeyed"
REPLIES_KEPT = 16
_SENTENCES = {
    "other-boot": "The command was made before this terminal was last started: central has to order it again.",
    "expired": "The command has expired: central has to order it again.",
    "replayed": "A later command was obeyed already: central has to order it again.",
    "unknown-command": "This terminal knows no such command.",
    "outbox-fault": "The command cannot be written down, and is not obeyed.",
}


class CommandRefusedError(ValueError):
    """The message is no command for this terminal, and is not answered; the text is its reason code."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a command does.

    Attributes:
        sentence: what the reply says.
        remember: what has to be on the disk before it is obeyed.
        apply: obeys; it cannot fail.
    """

    sentence: str
    apply: Callable[[], None]
    remember: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Obeyed:
    """The counter of the last command obeyed, and the newest replies (id, envelope)."""

    counter: int = 0
    replies: tuple[tuple[str, str], ...] = ()

    def reply_to(self, command: str) -> str | None:
        return dict(self.replies).get(command)

    def after(self, claims: CommandClaims, reply: bytes) -> _Obeyed:
        return _Obeyed(claims.counter, (*self.replies, (claims.jti, reply.decode()))[-REPLIES_KEPT:])

    def text(self) -> str:
        return json.dumps([self.counter, self.replies])


def _read_obeyed(text: str) -> _Obeyed:
    counter, replies = json.loads(text)
    return _Obeyed(int(counter), tuple((str(command), str(reply)) for command, reply in replies))


class CommandDesk:
    """Takes the commands for one terminal during one boot."""

    def __init__(self, keys: TerminalKeys, boot: str, outbox: Outbox, clock: TerminalClock) -> None:
        self._keys, self._boot, self._outbox, self._clock = keys, boot, outbox, clock

    def obey(self, raw: bytes, effect_of: Callable[[Command], Effect]) -> bytes:
        """Obeys a command, or says why not; returns the reply, signed.

        Counter and reply are on the disk before the effect: a power cut in between leaves a reply that promised too
        much, but nothing is ever obeyed twice.

        Raises:
            CommandRefusedError: nobody is owed a reply.
        """
        claims = self._read(raw)
        try:
            obeyed = self._outbox.recall(OBEYED, _read_obeyed) or _Obeyed()
            known = obeyed.reply_to(claims.jti)
            if known is not None:
                return known.encode()
            reason = self._reason_to_refuse(claims, obeyed)
            if reason is not None:
                return self._reply(claims, ReplyStatus.REFUSED, reason, _SENTENCES[reason])
            effect = effect_of(Command(claims.command))
            reply = self._reply(claims, ReplyStatus.DONE, None, effect.sentence)
            self._outbox.remember({**effect.remember, OBEYED: obeyed.after(claims, reply).text()})
        except OutboxError:
            return self._reply(claims, ReplyStatus.FAILED, "outbox-fault", _SENTENCES["outbox-fault"])
        effect.apply()
        return reply

    def _read(self, raw: bytes) -> CommandClaims:
        try:
            claims = CommandClaims.read(open_envelope(raw, Kind.COMMAND, self._keys.request_signers).payload)
        except EnvelopeError as error:
            raise CommandRefusedError(error.fault.value) from None
        except ClaimsError:
            raise CommandRefusedError(Fault.MALFORMED.value) from None
        if claims.aud != self._keys.terminal:
            raise CommandRefusedError("other-terminal")
        return claims

    def _reason_to_refuse(self, claims: CommandClaims, obeyed: _Obeyed) -> str | None:
        now = self._clock.read()
        if claims.boot != self._boot:
            return "other-boot"
        if now.state is ClockState.SYNCED and now.unix_s >= claims.exp:
            return "expired"
        if claims.counter <= obeyed.counter:
            return "replayed"
        return None if claims.command in set(Command) else "unknown-command"

    def _reply(self, claims: CommandClaims, status: ReplyStatus, reason: str | None, sentence: str) -> bytes:
        now = self._clock.read()
        reply = ReplyClaims(
            iss=self._keys.terminal,
            iat=max(0, int(now.unix_s)),
            boot=self._boot,
            uptime_s=round(now.uptime_s, 3),
            clock=now.state,
            command=claims.jti,
            counter=claims.counter,
            status=status,
            reason=reason,
            sentence=sentence,
        )
        return sign(Kind.REPLY, reply.write(), self._keys.result_key).raw
