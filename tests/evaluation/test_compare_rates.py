import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.evaluation.rates import (
    equal_error_rate,
    false_match_rate,
    threshold_at,
    true_match_rate,
    true_match_rate_at,
)

scores = st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=80)


def test_rates_on_a_case_done_by_hand() -> None:
    genuine, impostor = [0.9, 0.8, 0.4, 0.7], [0.1, 0.2, 0.3, 0.5]
    assert threshold_at(impostor, 0.25) == pytest.approx(0.3)
    assert true_match_rate_at(genuine, impostor, 0.25) == 1
    assert true_match_rate_at(genuine, impostor, 0) == 0.75
    assert equal_error_rate(genuine, impostor) == 0.25
    assert false_match_rate(impostor, 0.3) == 0.5
    assert true_match_rate(genuine, 0.75) == 0.5


def test_separate_scores_have_no_errors() -> None:
    assert equal_error_rate([0.8, 0.9], [0.1, 0.2]) == 0
    assert true_match_rate_at([0.8, 0.9], [0.1, 0.2], 1e-3) == 1


@given(scores, st.floats(0, 1))
def test_the_threshold_keeps_its_rate_and_no_lower_one_does(impostor: list[float], rate: float) -> None:
    threshold = threshold_at(impostor, rate)
    assert false_match_rate(impostor, threshold) <= rate + 1e-9
    if np.isfinite(threshold):
        assert false_match_rate(impostor, np.nextafter(threshold, -np.inf)) > rate


@given(scores, scores)
def test_the_equal_error_rate_is_a_share(genuine: list[float], impostor: list[float]) -> None:
    assert 0 <= equal_error_rate(genuine, impostor) <= 1


@pytest.mark.parametrize("bad", [[], [0.1, float("nan")]])
def test_no_scores_give_no_rate(bad: list[float]) -> None:
    for rate in (lambda: threshold_at(bad, 0.1), lambda: equal_error_rate([0.5], bad), lambda: true_match_rate(bad, 0)):
        with pytest.raises(ValueError, match="at least one score"):
            rate()
