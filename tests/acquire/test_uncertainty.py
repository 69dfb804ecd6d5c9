"""Doubt is measured as the formulas say: one property suite over every measure, and what each means by itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.acquire.moments import Moments
from factory.acquire.uncertainty import (
    Margin,
    MutualInformation,
    PredictiveEntropy,
    RegionImpurity,
    Variance,
    VoteEntropy,
    entropy,
)
from factory.command import tree
from factory.command.bind import make_part
from factory.core.errors import ConfigError
from tests.command.composing import composed


def configured(choice: str):
    """The measure as its YAML file sets it up."""
    ((config, _),) = composed("select", f"uncertainty={choice}")
    return make_part("uncertainty", config["uncertainty"])


MEASURES = {choice: configured(choice) for choice in tree.choices("uncertainty")}
every_measure = pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES.keys())


def averaged(kept: np.ndarray) -> Moments:
    """Of answers (T, K, H, W)."""
    logs = np.log(np.clip(kept, 1e-12, 1))
    votes = np.stack([kept.argmax(axis=1) == k for k in range(kept.shape[1])], axis=1).mean(axis=0)
    return Moments(
        mean_khw=kept.mean(axis=0).astype(np.float32),
        entropy_hw=-(kept * logs).sum(axis=1).mean(axis=0).astype(np.float32),
        squares_hw=(kept**2).sum(axis=1).mean(axis=0).astype(np.float32),
        votes_khw=votes.astype(np.float32),
        label_hw=kept.mean(axis=0).argmax(axis=0).astype(np.uint8),
    )


def answers(classes: int, count: int, seed: int, size=(6, 5)) -> np.ndarray:
    """Random ones, sure and unsure."""
    return np.random.default_rng(seed).dirichlet(np.full(classes, 0.3), (count, *size)).transpose(0, 3, 1, 2)


@every_measure
@given(st.integers(1, 5), st.integers(1, 6), st.integers(0, 999), st.sampled_from([(1, 1), (6, 5), (1, 9)]))
@settings(deadline=None, max_examples=40)
def test_measures_are_finite_never_negative_and_nothing_where_all_is_certain(measure, classes, count, seed, size):
    """Down to one pixel and one class; the names of classes do not matter."""
    kept = answers(classes, count, seed, size)
    found = measure(averaged(kept))
    assert (found.shape, found.dtype) == (size, np.float32)
    assert np.isfinite(found).all()
    assert found.min() >= 0
    np.testing.assert_allclose(measure(averaged(kept[:, ::-1])), found, atol=1e-5)
    certain = np.zeros((count, classes, *size))
    certain[:, 0] = 1
    np.testing.assert_allclose(measure(averaged(certain)), 0, atol=1e-5)


@given(st.integers(2, 5), st.integers(1, 6), st.integers(0, 999))
def test_information_is_the_divergence_from_the_mean_and_less_than_all_doubt(classes, count, seed) -> None:
    """BALD and the mean Kullback-Leibler divergence of a committee are one."""
    kept = answers(classes, count, seed) * 0.98 + 0.02 / classes
    divergence = (kept * (np.log(kept) - np.log(kept.mean(axis=0)))).sum(axis=1).mean(axis=0)
    information, doubt = MutualInformation()(averaged(kept)), PredictiveEntropy()(averaged(kept))
    np.testing.assert_allclose(information, divergence, atol=1e-4)
    assert (information <= doubt + 1e-5).all()
    assert (doubt <= np.log(classes) + 1e-5).all()


def test_each_measure_by_hand() -> None:
    """Two answers for one pixel: sure of different classes, or unsure together."""
    apart = averaged(np.array([[1.0, 0.0], [0.0, 1.0]]).reshape(2, 2, 1, 1))
    unsure = averaged(np.full((2, 2, 1, 1), 0.5))
    for measure, of_apart, of_unsure in (
        (PredictiveEntropy(), np.log(2), np.log(2)),
        (Margin(), 1, 1),
        (MutualInformation(), np.log(2), 0),
        (Variance(), 0.5, 0),
        (VoteEntropy(), np.log(2), 0),
    ):
        np.testing.assert_allclose([measure(apart).item(), measure(unsure).item()], [of_apart, of_unsure], atol=1e-6)


def test_a_pixel_without_a_number_leaves_the_others_theirs() -> None:
    """It has none itself; impurity around it stays finite."""
    mean = np.full((1, 2, 9, 12), 0.5)
    mean[0, :, 4, 6] = np.nan
    found = RegionImpurity(reach=2)(averaged(mean))
    assert np.argwhere(~np.isfinite(found)).tolist() == [[4, 6]]


def test_a_pixel_without_a_number_is_of_no_class_around_it() -> None:
    """Least of all of the first one: all others are of the second, and nothing is impure."""
    mean = np.stack([np.full((9, 12), 0.2), np.full((9, 12), 0.8)])[None]
    mean[0, :, 4, 6] = np.nan
    assert np.nanmax(RegionImpurity(reach=1)(averaged(mean))) == pytest.approx(0, abs=1e-6)


def test_regions_are_impure_where_predictions_meet() -> None:
    """By hand in one square; zero far from any border, however great the doubt."""
    mean = np.full((1, 2, 9, 12), 0.4)
    mean[0, 0, :, :6] = 0.6
    mean[0, 1] = 1 - mean[0, 0]
    found = RegionImpurity(reach=1)(averaged(mean))
    assert found[:, :5].max() < 1e-9
    assert found[:, 7:].max() < 1e-9
    doubt = entropy(np.array([0.6, 0.4], np.float32).reshape(2, 1, 1)).item()
    np.testing.assert_allclose(found[4, 5:7], doubt * -(np.log(1 / 3) / 3 + 2 * np.log(2 / 3) / 3), rtol=1e-5)
    np.testing.assert_allclose(found[0, 5], found[4, 5], rtol=1e-5)
    with pytest.raises(ConfigError, match="reach"):
        RegionImpurity(reach=0)
