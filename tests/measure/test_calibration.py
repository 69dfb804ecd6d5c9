"""How far confidence can be trusted, and what cures it."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.core.classes import IGNORE
from factory.core.errors import ConfigError
from factory.measure.calibration import LEVELS, AsStated, Isotonic, Reliability, Temperature, level_of


def overconfident(pixels: int = 20_000, seed: int = 0) -> Reliability:
    """Confidence c is right with probability 0.5 + (c - 0.5) / 2, c between 0.5 and 1."""
    rng = np.random.default_rng(seed)
    confidence = rng.uniform(0.5, 1, pixels)
    right = rng.random(pixels) < 0.5 + (confidence - 0.5) / 2
    seen = Reliability()
    seen.add(np.zeros(pixels, np.uint8), np.where(right, 0, 1).astype(np.uint8), confidence)
    return seen


def test_ece_is_that_of_its_definition() -> None:
    """A sum over bins of the gap between confidence and accuracy, by hand."""
    truth = np.zeros(8, np.uint8)
    guess = np.array([0, 0, 1, 0, 0, 0, 1, 1], np.uint8)
    confidence = np.array([0.9, 0.9, 0.9, 0.9, 0.3, 0.3, 0.3, 0.3])
    seen = Reliability()
    seen.add(truth, guess, confidence)
    stated = [level / (LEVELS - 1) for level in level_of(np.array([0.9, 0.3]))]
    np.testing.assert_allclose(seen.ece(), 0.5 * abs(stated[0] - 0.75) + 0.5 * abs(stated[1] - 0.5))
    assert np.isnan(Reliability().ece())


def counted(**levels: tuple[int, int]) -> Reliability:
    """Pixels and right ones by level, as in ``l255=(4, 3)``."""
    seen = Reliability()
    for name, pair in levels.items():
        seen.pixels_l[int(name[1:])], seen.right_l[int(name[1:])] = pair
    return seen


def test_the_surest_level_shares_its_bin_with_those_beside_it() -> None:
    """Of 15 bins the last holds 14/15 (level 238) to 1: gaps within it even out, between bins they do not."""
    both = counted(l255=(4, 3), l240=(4, 4))
    assert both.ece() == pytest.approx(abs(7 / 8 - (1 + 240 / 255) / 2))
    apart = counted(l255=(4, 3), l237=(4, 4))
    assert apart.ece() == pytest.approx(((1 - 3 / 4) + (1 - 237 / 255)) / 2)


def test_pixels_of_two_parts_are_counted_together() -> None:
    """All of them, and the right ones."""
    both = counted(l255=(4, 3), l10=(1, 0)) + counted(l255=(2, 1), l240=(4, 4))
    assert both.as_json() == counted(l255=(6, 4), l10=(1, 0), l240=(4, 4)).as_json()


@pytest.mark.parametrize(("level", "right"), [(250, 60), (130, 80), (5, 40)])
def test_a_temperature_meets_the_share_of_right_pixels_of_a_single_level(level: int, right: int) -> None:
    """Far too sure (a temperature of 10), or far from sure enough (of 1/35)."""
    curve_l = Temperature()(counted(**{f"l{level}": (100, right)}))
    assert curve_l[level] == pytest.approx(right / 100, abs=1e-3)


def test_without_a_pixel_confidence_stays_as_it_is_but_for_half_a_level_from_certainty() -> None:
    """Whose odds are no number."""
    np.testing.assert_allclose(Temperature()(Reliability()), np.clip(np.arange(256), 0.5, 254.5) / 255)


@given(seed=st.integers(0, 1000), pixels=st.integers(1, 60), levels=st.sampled_from([1, 3, 256]))
@settings(deadline=None, max_examples=40)
def test_areas_of_risk_are_those_of_pixels_taken_one_after_the_other(seed, pixels, levels) -> None:
    """Beside a mean over many random orders of equally sure pixels, in small steps; the oracle knows what is wrong."""
    rng = np.random.default_rng(seed)
    confidence = rng.integers(0, levels, pixels) / max(levels - 1, 1)
    wrong = rng.random(pixels) < 0.4
    seen = Reliability()
    seen.add(np.zeros(pixels, np.uint8), wrong.astype(np.uint8), confidence)
    steps = 400

    def area(sureness: np.ndarray) -> float:
        """Each pixel is cut into equal parts; parts of equally sure pixels are spread evenly."""
        order = np.argsort(-np.repeat(sureness, steps), kind="stable")
        parts = np.repeat(wrong, steps).astype(float)[order]
        keys = np.repeat(sureness, steps)[order]
        for key in np.unique(keys):
            parts[keys == key] = parts[keys == key].mean()
        return float((np.cumsum(parts) / np.arange(1, len(parts) + 1)).mean())

    np.testing.assert_allclose(seen.aurc(), area(confidence), atol=3e-3)
    np.testing.assert_allclose(seen.ause(), area(confidence) - area(-wrong.astype(float)), atol=6e-3)
    assert np.isnan([Reliability().aurc(), Reliability().ause()]).all()


def test_counts_survive_json() -> None:
    """To the last pixel."""
    seen = overconfident(500)
    again = Reliability.of_json(json.loads(json.dumps(seen.as_json())))
    np.testing.assert_array_equal(again.pixels_l, seen.pixels_l)
    assert again.ece() == seen.ece()


def test_ignored_pixels_count_neither_as_right_nor_as_wrong() -> None:
    """In truth as in the labels."""
    seen = Reliability()
    seen.add(np.array([0, IGNORE, 0]), np.array([0, 0, IGNORE]), np.array([1.0, 1.0, 1.0]))
    assert (seen.pixels_l.sum(), seen.right_l.sum()) == (1, 1)
    moved = seen.mapped(np.full(LEVELS, 0.2))
    assert (moved.pixels_l[51], moved.right_l[51], moved.pixels_l.sum()) == (1, 1, 1)


@pytest.mark.parametrize("curve", [Isotonic(prior=5.0), Temperature()], ids=["isotonic", "temperature"])
def test_what_was_overconfident_is_cured_on_pixels_never_seen(curve) -> None:
    """From an error of 0.125 to less than 0.04, whatever is left alone."""
    fitted, fresh = curve(overconfident(seed=0)), overconfident(seed=1)
    assert fresh.ece() > 0.11
    assert fresh.mapped(fitted).ece() < (0.02 if isinstance(curve, Isotonic) else 0.06)
    assert fresh.mapped(AsStated()(fresh)).ece() == fresh.ece()


@pytest.mark.parametrize("curve", [Isotonic(prior=50.0), Temperature(), AsStated()])
@given(seed=st.integers(0, 1000), pixels=st.sampled_from([0, 1, 30, 3000]))
@settings(deadline=None, max_examples=30)
def test_curves_are_probabilities_that_never_fall(curve, seed, pixels) -> None:
    """Whatever was seen, nothing included: more confidence never means less."""
    rng = np.random.default_rng(seed)
    seen = Reliability()
    seen.add(rng.integers(0, 3, pixels), rng.integers(0, 3, pixels), rng.random(pixels))
    levels = curve(seen)
    assert levels.shape == (LEVELS,)
    assert (np.diff(levels) >= -1e-12).all()
    assert levels.min() >= 0
    assert levels.max() <= 1


def test_the_isotonic_curve_is_the_nearest_one() -> None:
    """No other non-decreasing curve has a smaller weighted squared error: tried at random around it."""
    seen, prior = overconfident(500), 5.0
    fitted = Isotonic(prior=prior)(seen)
    weight = seen.pixels_l + prior
    share = (seen.right_l + prior * np.arange(LEVELS) / (LEVELS - 1)) / weight
    rng = np.random.default_rng(0)
    least = (weight * (fitted - share) ** 2).sum()
    for _ in range(200):
        other = np.sort(fitted + rng.normal(0, 0.02, LEVELS))
        assert (weight * (other - share) ** 2).sum() >= least


def test_a_prior_must_be_positive() -> None:
    """Levels that nobody saw need something to go by."""
    with pytest.raises(ConfigError, match="prior"):
        Isotonic(prior=0.0)
