"""A private PostgreSQL on a socket in a temporary folder, by an unprivileged user; stopped by whoever started it."""

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg
import pytest

START_LIMIT_S = 30
UNPRIVILEGED = "postgres"
"""PostgreSQL refuses to run as root; Debian's package makes this user."""


def programs() -> Path:
    """The folder with initdb and pg_ctl: Debian keeps them out of the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    if not found:
        message = "PostgreSQL is not installed (apt-get install postgresql): this test did not run"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return found[-1].parent


class Cluster:
    """A PostgreSQL server; each `address` is an empty place for one ledger.

    Args:
        durable: wait for the disk, as in production.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self._programs, self._numbers = programs(), itertools.count(1)
        self._user = UNPRIVILEGED if os.geteuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="likeness-pg-"))
        if self._user:
            os.chown(self._folder, pwd.getpwnam(self._user).pw_uid, -1)
        self._data = self._folder / "data"
        self._run("initdb", "--pgdata", self._data, "--username", "ledger", "--auth", "trust", "--no-sync")
        options = (
            f"-c listen_addresses='' -c unix_socket_directories={self._folder} -c fsync={'on' if durable else 'off'}"
        )
        log = self._folder / "log"
        self._run("pg_ctl", "start", "--pgdata", self._data, "--wait", "--log", log, "--options", options)

    def _run(self, program: str, *arguments: object) -> None:
        command = [self._programs / program, *map(str, arguments)]
        with (self._folder / "output").open("ab") as output:
            done = subprocess.run(
                command, check=False, user=self._user, cwd=self._folder, stdout=output, stderr=output,
                timeout=START_LIMIT_S,
            )  # fmt: skip
        assert done.returncode == 0, (self._folder / "output").read_text()

    @property
    def host(self) -> str:
        return f"postgresql://ledger@/postgres?host={self._folder}"

    def address(self) -> str:
        """A new schema: empty, and quicker than a new database."""
        name = f"ledger_{next(self._numbers)}"
        with psycopg.connect(self.host, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        return f"{self.host}&options=-csearch_path%3D{name}"

    def stop(self) -> None:
        self._run("pg_ctl", "stop", "--pgdata", self._data, "--mode", "immediate")
        shutil.rmtree(self._folder)
