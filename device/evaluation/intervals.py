"""Confidence intervals of measured rates. SciPy comes with the extra `evaluation`, which a terminal does not need."""

from __future__ import annotations

from dataclasses import dataclass

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Rate:
    """`hits` of `trials`, with the bounds 0..1 between which the true rate lies with 95 % confidence."""

    hits: int
    trials: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The measured share, 0..1."""
        return self.hits / self.trials

    def __str__(self) -> str:
        bounds = f"[{100 * self.low:.1f}, {100 * self.high:.1f}] %"
        return f"{self.hits}/{self.trials} = {100 * self.value:.1f} % {bounds}"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measured value with the bounds between which the true one lies with 95 % confidence."""

    value: float
    low: float
    high: float


def clopper_pearson(hits: int, trials: int) -> Rate:
    """Returns the exact two-sided interval of a proportion (Clopper and Pearson, 1934).

    Raises:
        ValueError: there are no trials, or not between none and all of them hit.
        ModuleNotFoundError: SciPy is not installed.
    """
    if trials < 1 or not 0 <= hits <= trials:
        raise ValueError(f"{hits} of {trials} is no proportion")
    from scipy.stats import binomtest  # noqa: PLC0415  one second to import, and only reports need it

    interval = binomtest(hits, trials).proportion_ci(CONFIDENCE, method="exact")
    return Rate(hits, trials, float(interval.low), float(interval.high))
