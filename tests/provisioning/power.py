"""Cuts the power of a step: a forked child runs it and is killed before its n-th change to the disk."""

import os
import signal
import sys
from collections.abc import Callable

CUT, FAILED = 9, 1
_CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.symlink", "os.link", "os.truncate", "shutil.rmtree"}


def _changes_the_disk(event: str, arguments: tuple) -> bool:
    if event in _CHANGES:
        return True
    return event == "open" and isinstance(arguments[2], int) and bool(arguments[2] & (os.O_CREAT | os.O_WRONLY))


def run_until_cut(step: Callable[[], object], number: int) -> bool:
    """Runs `step` in a child that is killed before change `number` (from 1); returns whether it was."""
    child = os.fork()
    if child == 0:
        left = number

        def count(event: str, arguments: tuple) -> None:
            nonlocal left
            if _changes_the_disk(event, arguments):
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        try:
            step()
        except BaseException as error:  # noqa: BLE001 - a child must never return into the test
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            os._exit(FAILED)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return True
    assert os.WEXITSTATUS(status) == 0, "the step failed, it was not cut"
    return False


def every_cut(prepare: Callable[[], Callable[[], object]], limit: int = 200):
    """Yields for each change that a step makes, after a run that was cut before it; `prepare` makes the step anew."""
    for number in range(1, limit):
        if not run_until_cut(prepare(), number):
            assert number > 1, "the step changed nothing"
            return
        yield number
    raise AssertionError("the step never ends")
