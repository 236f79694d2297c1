import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.evaluation.bootstrap import RATES, ErrorRates, Scores, error_rates


def one_score_each(genuine: np.ndarray, impostor: np.ndarray) -> Scores:
    """Each subject has one genuine score, and one impostor score with the next subject."""
    subjects = np.arange(len(genuine))
    pairs = np.stack((subjects, np.roll(subjects, -1)), axis=1)
    return Scores(genuine, subjects, impostor, pairs)


def all_pairs(subjects: int, each: int, random: np.random.Generator, spread: float) -> Scores:
    """Scores of `each` pictures of every subject, all against all: a subject's pictures share their luck."""
    of = np.repeat(np.arange(subjects), each)
    luck = spread * random.normal(size=subjects)
    i, j = np.triu_indices(len(of), 1)
    same = of[i] == of[j]
    scores = np.where(same, 0.7 + luck[of[i]], 0.1 + (luck[of[i]] + luck[of[j]]) / 2) + 0.05 * random.normal(
        size=len(i)
    )
    pairs = np.stack((of[i], of[j]), axis=1)
    return Scores(scores[same], of[i][same], scores[~same], pairs[~same])


def estimates(rates: ErrorRates) -> list:
    fixed = [estimate for _, *both in rates.at for estimate in both]
    return [rates.eer, *rates.true_match.values(), *rates.threshold.values(), *fixed]


def test_values_are_the_plain_rates_and_lie_in_their_intervals() -> None:
    scores = all_pairs(30, 4, np.random.default_rng(1), spread=0.1)
    rates = error_rates(scores, (0.4,), replicates=200)
    threshold, false_match, false_non_match = rates.at[0]
    assert threshold == 0.4
    assert false_match.value == (scores.impostor >= 0.4).mean()
    assert false_non_match.value == pytest.approx((scores.genuine < 0.4).mean())
    assert tuple(rates.true_match) == RATES
    for estimate in estimates(rates):
        assert estimate.low <= estimate.value <= estimate.high


def test_pairs_that_share_a_person_widen_the_interval() -> None:
    """Ten pictures of one person tell less than ten persons: an interval over pairs would hide it."""
    random = np.random.default_rng(2)
    scores = all_pairs(20, 10, random, spread=0.2)
    missed = (scores.genuine < 0.6).mean()
    _, _, by_subject = error_rates(scores, (0.6,), replicates=300).at[0]
    by_pair = 2 * 1.96 * np.sqrt(missed * (1 - missed) / len(scores.genuine))
    assert by_subject.high - by_subject.low > 3 * by_pair


def test_with_one_pair_each_the_interval_is_the_binomial_one() -> None:
    random = np.random.default_rng(3)
    scores = one_score_each((random.random(400) > 0.1).astype(float), np.zeros(400))
    _, _, missed = error_rates(scores, (0.5,), replicates=1000).at[0]
    spread = np.sqrt(missed.value * (1 - missed.value) / 400)
    assert missed.high - missed.low == pytest.approx(2 * 1.96 * spread, rel=0.15)


def test_no_error_is_bounded_by_the_number_of_subjects() -> None:
    rates = error_rates(one_score_each(np.ones(51), np.zeros(51)), (0.5,), replicates=50)
    _, false_match, false_non_match = rates.at[0]
    assert false_non_match.high == pytest.approx(1 - 0.025 ** (1 / 51))
    assert false_match.high == pytest.approx(1 - 0.025 ** (1 / 51))
    assert rates.true_match[1e-3].low == pytest.approx(0.025 ** (1 / 51))
    assert (rates.eer.value, rates.eer.high) == (0, false_non_match.high)


def test_the_tail_gives_what_all_scores_give() -> None:
    """Only the highest impostor scores are weighed one by one; a short tail must not show."""
    random = np.random.default_rng(4)
    scores = all_pairs(45, 8, random, spread=0.1)
    assert len(scores.impostor) > 60_000
    short = error_rates(scores, (0.5,), replicates=20, seed=9)
    whole = error_rates(scores, (0.5, 0.11), replicates=20, seed=9)  # 0.11 needs nearly all of them
    assert estimates(short) == estimates(whole)[:-2]


def test_the_same_seed_gives_the_same_interval() -> None:
    scores = all_pairs(12, 3, np.random.default_rng(5), spread=0.2)
    once, again, other = (error_rates(scores, (0.4,), replicates=60, seed=seed) for seed in (7, 7, 8))
    assert once == again != other


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.floats(-1, 1, width=32)), min_size=1, max_size=20),
    st.lists(st.tuples(st.integers(0, 5), st.integers(6, 9), st.floats(-1, 1, width=32)), min_size=1, max_size=20),
    st.floats(-1, 1),
)
def test_any_scores_have_rates_between_none_and_all(genuine, impostor, threshold) -> None:
    scores = Scores(
        np.array([score for _, score in genuine]),
        np.array([subject for subject, _ in genuine]),
        np.array([score for *_, score in impostor]),
        np.array([pair for *pair, _ in impostor]),
    )
    rates = error_rates(scores, (threshold,), replicates=20)
    shares = [rates.eer, *rates.true_match.values(), *rates.at[0][1:]]
    assert all(0 <= share.low <= share.high <= 1 for share in shares)
