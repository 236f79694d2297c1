"""Who is signed in: what the browser holds is random, new at each sign-in, and ends by idleness and by age."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from central.config import ConsoleSettings
from central.console.accounts import Account, account_of, digest_of
from central.web.attempts import network_of
from central.web.store import Store

TOUCH_S = 30
"""Use is noted no more often: a page must not wait for the disk."""
PER_ACCOUNT, PER_ADDRESS = 10, 30
"""Attempts to sign in within the window."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """One sign-in; `token` is what the browser holds."""

    account: Account
    token: str = field(repr=False)


class SignIns:
    """The sign-ins of a store."""

    def __init__(self, store: Store, settings: ConsoleSettings, wall: Callable[[], float]) -> None:
        self._store, self._wall = store, wall
        self._idle_s, self._whole_s = settings.idle_minutes * 60, settings.hours * 3600

    def begin(self, account: Account) -> SignIn:
        """Signs in under a token that nobody has seen before."""
        token, now = secrets.token_urlsafe(32), int(self._wall())
        with self._store.transaction() as database:
            database.rows("DELETE FROM sign_ins WHERE began <= ? OR used <= ?", now - self._whole_s, now - self._idle_s)
            database.rows("INSERT INTO sign_ins VALUES (?, ?, ?, ?)", digest_of(token), account.name, now, now)
        return SignIn(account, token)

    def find(self, token: str, *, touch: bool = True) -> SignIn | None:
        """The sign-in of a token, with the account as it is now; None when it ended.

        Args:
            token: what the browser sent.
            touch: whether a person is behind it; pages that renew themselves are no use.
        """
        now = int(self._wall())
        with self._store.transaction() as database:
            query = "SELECT account, used FROM sign_ins WHERE digest = ? AND began > ? AND used > ?"
            rows = database.rows(query, digest_of(token), now - self._whole_s, now - self._idle_s)
            account = account_of(database, rows[0][0]) if rows else None
            if account is None or account.disabled:
                return None
            if touch and now - rows[0][1] >= TOUCH_S:
                database.rows("UPDATE sign_ins SET used = ? WHERE digest = ?", now, digest_of(token))
        return SignIn(account, token)

    def end(self, token: str) -> None:
        """Signs out."""
        with self._store.transaction() as database:
            database.rows("DELETE FROM sign_ins WHERE digest = ?", digest_of(token))


def limits(address: str, account: str | None = None) -> dict[str, int]:
    """What an attempt to sign in, or to use a link, is counted under, and how often that may be."""
    of_account = {} if account is None else {about_account(account): PER_ACCOUNT}
    return {f"address {network_of(address)}": PER_ADDRESS} | of_account


def about_account(account: str) -> str:
    """What attempts to sign in to an account are counted under."""
    return f"account {account[:40]}"


def form_token(token: str) -> str:
    """What every form must bring along: only the page that we sent to this browser knows it."""
    return hashlib.sha256(b"form " + token.encode()).hexdigest()


def is_form_token(given: str, token: str) -> bool:
    """Whether a form brought it along."""
    return hmac.compare_digest(given.encode(), form_token(token).encode())
