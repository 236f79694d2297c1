"""Orders: what each of central's commands does to this terminal, and that new keys make it begin anew."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from device.admission import Admission
from device.delivery.commands import CommandDesk, CommandRefusedError, Effect
from device.delivery.inbox import Inbox
from device.delivery.keys import KeysInUse
from device.delivery.link import Link
from device.delivery.telemetry import Vitals
from device.updates.probation import Probation
from device.wire.command import Command
from device.wire.topics import Leaf

LOG = logging.getLogger(__name__)
IDENTIFY_S = 10.0


class Orders:
    """Obeys commands between sessions; `restart` is set when the daemon is to end."""

    def __init__(
        self,
        inbox: Inbox,
        desk: CommandDesk,
        link: Link,
        admission: Admission,
        vitals: Vitals,
        updates: Probation | None = None,
        keys: KeysInUse | None = None,
    ) -> None:
        self._inbox, self._desk, self._link = inbox, desk, link
        self._admission, self._vitals, self._keys, self._updates = admission, vitals, keys, updates
        self._identify_until = float("-inf")
        self.restart = False

    def obey(self, at: float) -> None:
        """Takes the next command, if there is one, at time `at` in seconds, and answers it."""
        if self._updates is not None and self._updates.must_restart(at, self._link.status.state):
            LOG.info("other releases are in force: restarting to use them")
            self.restart = True
        if self._keys is not None and self._keys.replaced and not self.restart:
            LOG.info("keys renewed: restarting to use them")
            self.restart = True
        raw = self._inbox.get()
        if raw is None:
            return
        try:
            reply = self._desk.obey(raw, lambda command: self._effect(command, at))
        except CommandRefusedError as error:
            LOG.warning("command refused reason=%s", error)
            self._vitals.refused += 1
            return
        self._link.say(Leaf.COMMAND_REPLY, reply)

    def identifies(self, at: float) -> bool:
        """Whether the panel is to show which terminal this is."""
        return at < self._identify_until

    def _effect(self, command: Command, at: float) -> Effect:
        LOG.info("command %s", command)
        if command is Command.PAUSE:
            return _lasting("The terminal pauses until it is told to resume.", self._admission.pausing(paused=True))
        if command is Command.RESUME:
            return _lasting("The terminal is at work again.", self._admission.pausing(paused=False))
        if command is Command.CLEAR_LOCKOUT:
            return _lasting("The failures are forgotten.", self._admission.clearing())
        if command is Command.IDENTIFY:
            return Effect("The panel shows itself for ten seconds.", lambda: self._identify(at + IDENTIFY_S))
        if command is Command.RESTART:
            return Effect("The terminal restarts.", self._restart)
        return Effect("The health was sent.", self._link.report_health)

    def _identify(self, until: float) -> None:
        self._identify_until = until

    def _restart(self) -> None:
        self.restart = True


def _lasting(sentence: str, change: tuple[Mapping[str, str], Callable[[], None]]) -> Effect:
    remember, apply = change
    return Effect(sentence, apply, remember)
