"""The sensor turns linear light into an 8-bit picture, repeatably, whatever the lights were."""

from typing import Any

import numpy as np
import pytest

from factory.core.seeds import generator
from scenes.kit.sensor import photograph, plan_sensor

NEUTRAL: dict[str, Any] = {"highlight": 0.8, "black": 0.0, "gamma": 2.2, "blur": 0.0, "halo": 0.0, "vignette": 0.0}
NEUTRAL |= {"noise": 0.0, "grain": 0.0, "grey": False, "cast": [1.0, 1.0, 1.0], "seed": 0}
RANGES = {"highlight": (0.5, 1.0), "black": (0.0, 0.1), "gamma": (2.0, 2.4), "blur": (0, 5), "halo": (0, 0.5)}
RANGES |= {"vignette": (0, 0.4), "noise": (0.01, 0.03)}


@pytest.fixture
def light() -> np.ndarray:
    """A small linear picture."""
    return np.random.default_rng(1).uniform(0.0, 3.0, (32, 48, 3)).astype(np.float32)


def test_exposure_makes_the_strength_of_the_lights_irrelevant(light: np.ndarray) -> None:
    """A scene lit a thousand times as brightly gives the same picture, but for rounding."""
    dim, bright = (photograph(light * factor, NEUTRAL).astype(int) for factor in (1.0, 1000.0))
    assert np.abs(dim - bright).max() <= 1


def test_the_same_plan_gives_the_same_pixels(light: np.ndarray) -> None:
    """Noise comes from the plan's seed and from nowhere else."""
    noisy = NEUTRAL | {"noise": 0.05}
    assert np.array_equal(photograph(light, noisy), photograph(light, noisy))
    assert not np.array_equal(photograph(light, noisy), photograph(light, noisy | {"seed": 1}))


def test_a_greyscale_picture_has_three_equal_channels(light: np.ndarray) -> None:
    """Noise and cast do not colour it."""
    image = photograph(light, NEUTRAL | {"grey": True, "noise": 0.05, "cast": [1.1, 1.0, 0.9]})
    assert np.array_equal(image[..., 0], image[..., 1])
    assert np.array_equal(image[..., 0], image[..., 2])


def test_a_black_scene_stays_finite() -> None:
    """No light at all is no reason for warnings or wrapped values."""
    assert photograph(np.zeros((8, 8, 3), np.float32), NEUTRAL).max() == 0


def test_a_drawn_sensor_lies_in_its_ranges() -> None:
    """Every drawn value is one that was asked for."""
    plan = plan_sensor(lambda name: generator(0, name), **RANGES, grey_share=0.5, cast=0.1)
    assert {name for name, (low, high) in RANGES.items() if not low <= plan[name] <= high} == set()
