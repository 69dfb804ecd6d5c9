"""How far a figure of few pictures may lie from that of all like them."""

import numpy as np
import pytest

from factory.calibrate.audit import miou
from factory.calibrate.interval import interval

NAMES = [str(number) for number in range(80)]


def counted(rng: np.random.Generator, number: int) -> list[np.ndarray]:
    """Confusion counts of pictures, four in five of whose pixels are right, more or fewer in each."""
    shares = rng.normal(0.8, 0.05, number).clip(0, 1)
    return [np.array([[k, 2500 - k], [2500 - m, m]]) for k, m in rng.binomial(2500, shares, (2, number)).T]


def test_intervals_hold_the_figure_and_narrow_with_more_pictures() -> None:
    """Of the mean IoU, and of what the refiner gains; no mean IoU lies beyond 0 and 1, and one picture says nothing."""
    counts = counted(np.random.default_rng(0), 80)
    few, many = interval(counts[:8], NAMES[:8], seed=0), interval(counts, NAMES, seed=0)
    assert few[0] < miou(counts[:8]) < few[1]
    assert many[1] - many[0] < few[1] - few[0]
    assert interval(counts, NAMES, beside=counts, seed=0) == (0, 0)
    gain, loss = (
        interval(a, NAMES[:40], beside=b, seed=0) for a, b in ((counts[:40], counts[40:]), (counts[40:], counts[:40]))
    )
    assert gain == pytest.approx((-loss[1], -loss[0]))
    assert min(*gain, *loss) < 0
    assert interval([np.diag([9, 9]), 9 - np.diag([9, 9])], NAMES[:2], seed=0) == (0, 1)
    assert interval(counts[:1], NAMES[:1], seed=0) is None


def test_two_photographs_reach_as_far_as_students_t_of_their_difference() -> None:
    """12.7 times half of it: of the resamples half are one photograph twice, and sqrt(2) makes up for that."""
    pair = [np.array([[k, 10_000 - k], [10_000 - k, k]]) for k in (8000, 8010)]
    first, second = (miou([one]) for one in pair)
    low, high = interval(pair, NAMES[:2], seed=0)
    assert (high - low) / 2 == pytest.approx(12.706 * (second - first) / 2, rel=0.06)


@pytest.mark.parametrize("number", [2, 3, 5, 10])
def test_of_a_hundred_intervals_about_95_hold_the_truth_however_few_the_pictures(number, monkeypatch) -> None:
    """With 2 pictures as with 10 (bare percentiles: 50, 75, 83 and 89)."""
    monkeypatch.setattr("factory.calibrate.interval.RESAMPLES", 200)
    rng = np.random.default_rng(number)
    truth = miou(counted(rng, 5000))
    held = [interval(counted(rng, number), NAMES[:number], seed=seed) for seed in range(200)]
    assert 0.91 <= np.mean([low <= truth <= high for low, high in held]) <= 0.98


def test_tiles_of_a_photograph_are_one_witness() -> None:
    """Four tiles each of six photographs say what the six say whole."""
    wholes = counted(np.random.default_rng(0), 6)
    assert interval(
        [one for one in wholes for _ in range(4)], [name for name in NAMES[:6] for _ in range(4)], seed=0
    ) == (interval([4 * one for one in wholes], NAMES[:6], seed=0))
    assert interval(wholes, NAMES[:1] * 6, seed=0) is None
