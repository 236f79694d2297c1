"""A campaign: every session of the chosen species, in worker processes, with an estimate of the time left."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import cv2

from device.evaluation.redteam.battery import BATTERY
from device.evaluation.redteam.cast import Cast
from device.evaluation.redteam.gallery import Gallery
from device.evaluation.redteam.species import Species
from device.evaluation.redteam.trial import Trial, play
from device.vision.assembly import load_vision
from device.vision.inference import Runtime


@dataclass(frozen=True, slots=True)
class Setting:
    """Where models and media are, which runtime is used, and the battery's seed."""

    models: Path
    runtime: Runtime
    media: Path | None
    seed: int


@dataclass(frozen=True, slots=True)
class Job:
    """One session to play."""

    species: str
    identity: str
    number: int


def jobs_of(
    chosen: Sequence[Species], gallery: Gallery, sessions: int, is_usable: Callable[[str], bool] = lambda _: True
) -> list[Job]:
    """Every session, in an order that keeps one identity's sessions together and leaves none behind when stopped.

    A species that nobody at hand can play has none. Whoever is not usable is left out, and the next one plays.
    """
    people = {
        species.name: list(islice(filter(is_usable, species.identities(gallery)), sessions)) for species in chosen
    }
    return [
        Job(species.name, people[species.name][number % len(people[species.name])], number)
        for number in range(sessions)
        for species in chosen
        if people[species.name]
    ]


def run(jobs: Sequence[Job], setting: Setting, workers: int, tell: Callable[[int, float], None]) -> Iterator[Trial]:
    """Plays the jobs and yields the trials as they end; a KeyboardInterrupt ends it between two sessions.

    Args:
        jobs: what to play.
        setting: for the workers, each of which loads the models once.
        workers: how many processes.
        tell: told how many sessions have ended, and the seconds since the beginning.
    """
    began = time.monotonic()
    with ProcessPoolExecutor(workers, get_context("spawn"), _begin_work, (setting,)) as pool:
        futures: list[Future[Trial]] = [pool.submit(_work, job) for job in jobs]
        try:
            for done, future in enumerate(as_completed(futures), start=1):
                yield future.result()
                tell(done, time.monotonic() - began)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


class Progress:
    """Tells on standard error how far the campaign is: steadily where somebody watches, else now and then."""

    _EVERY_S = 60.0

    def __init__(self, total: int) -> None:
        self._total, self._told_s, self._watched = total, 0.0, sys.stderr.isatty()

    def __call__(self, done: int, seconds: float) -> None:
        """Takes how many sessions have ended, and after how many seconds."""
        if not self._watched and seconds - self._told_s < self._EVERY_S and done < self._total:
            return
        self._told_s = seconds
        left = seconds / done * (self._total - done)
        text = f"{done} of {self._total} sessions, about {left / 60:.0f} min left"
        end = "" if self._watched and done < self._total else "\n"
        sys.stderr.write((f"\r\x1b[K{text}" if self._watched else text) + end)
        sys.stderr.flush()


@dataclass(slots=True)
class _Worker:
    """What a worker process keeps between sessions."""

    cast: Cast
    seed: int


_worker: list[_Worker] = []


def _begin_work(setting: Setting) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, who lets running sessions end
    cv2.setNumThreads(1)
    _worker.append(_Worker(Cast(load_vision(setting.models, setting.runtime), Gallery(setting.media)), setting.seed))


def _work(job: Job) -> Trial:
    worker = _worker[0]
    (species,) = (each for each in BATTERY if each.name == job.species)
    return play(worker.cast, species, job.identity, job.number, worker.seed)
