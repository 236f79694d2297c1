"""The real mosquitto, on an ephemeral loopback port with mutual TLS, started and stopped by the test that needs it."""

import os
import shutil
import signal
import subprocess
import threading
from contextlib import suppress

import pytest

from provisioning.demo import DemoAuthority

START_LIMIT_S = 20


def mosquitto() -> str:
    """Path of the program; Debian keeps it in a folder that not every user's PATH has."""
    found = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        message = "mosquitto is not installed (apt-get install mosquitto): this test did not run"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return found


class Broker:
    """A broker process; may be stopped and started again on the same port and data."""

    def __init__(self, made: DemoAuthority) -> None:
        self.port, self._configuration = made.port, made.mosquitto
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._reloading = threading.Event()
        self.log: list[str] = []

    def start(self) -> None:
        running = threading.Event()
        self._process = process = subprocess.Popen(
            [mosquitto(), "-c", str(self._configuration)], stderr=subprocess.PIPE, text=True
        )

        def read() -> None:
            for line in process.stderr:
                self.log.append(line.rstrip())
                if line.rstrip().endswith(" running"):
                    running.set()
                elif line.rstrip().endswith("Reloading config."):
                    self._reloading.set()

        self._reader = threading.Thread(target=read)
        self._reader.start()
        if not running.wait(START_LIMIT_S):
            self.stop()
            raise RuntimeError("mosquitto did not start:\n" + "\n".join(self.log))

    def reload(self) -> None:
        """SIGHUP; once mosquitto says that it reads its files again, it does nothing else before it has."""
        self._reloading.clear()
        self._process.send_signal(signal.SIGHUP)
        if not self._reloading.wait(START_LIMIT_S):
            raise RuntimeError("mosquitto did not reload:\n" + "\n".join(self.log))

    def stop(self, *, kill: bool = False) -> None:
        """SIGTERM, or SIGKILL; waits for the process.

        mosquitto says that it is running a moment before its loop begins, and forgets a SIGTERM that comes in between
        (13 of 150 that were sent at once): it is told again.
        """
        if self._process is None:
            return
        for _ in range(int(START_LIMIT_S)):
            (self._process.kill if kill else self._process.terminate)()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(1.0)
                break
        self._process.wait(0)
        self._reader.join()
        self._process.stderr.close()
        self._process = None
