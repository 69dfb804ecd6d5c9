"""The sensor turns linear light into an 8-bit picture, repeatably, whatever the lights were."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from factory.core.seeds import generator
from scenes.kit.photograph import photograph
from scenes.kit.sensor import SENSOR, Blur, Film, Jpeg, Noise, Photographed

NEUTRAL: dict[str, Any] = {"exposure": {"highlight": 0.8}, "tone": {"black": 0.0, "gamma": 2.2, "halo": 0.0}}
NOISY = NEUTRAL | {"noise": {"level": 0.05, "grain": 0.5, "seed": 0}}


def streams(name: str) -> np.random.Generator:
    """The streams of one picture."""
    return generator(0, name)


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
    other = NOISY | {"noise": NOISY["noise"] | {"seed": 1}}
    assert np.array_equal(photograph(light, NOISY), photograph(light, NOISY))
    assert not np.array_equal(photograph(light, NOISY), photograph(light, other))


def test_a_greyscale_picture_has_three_equal_channels(light: np.ndarray) -> None:
    """Noise and cast do not colour it."""
    image = photograph(light, NOISY | {"film": {"grey": True, "cast": [1.1, 1.0, 0.9]}})
    assert np.array_equal(image[..., 0], image[..., 1])
    assert np.array_equal(image[..., 0], image[..., 2])


def test_a_black_scene_stays_finite() -> None:
    """No light at all is no reason for warnings or wrapped values."""
    assert photograph(np.zeros((8, 8, 3), np.float32), NEUTRAL).max() == 0


def test_aberration_parts_red_from_blue_at_the_edges_alone() -> None:
    """A white ring far from the middle gets coloured borders; the middle stays grey."""
    rows, columns = np.mgrid[:65, :65] - 32
    light = ((np.hypot(rows, columns) > 24).astype(np.float32) + 0.1)[..., None].repeat(3, 2)
    image = photograph(light, NEUTRAL | {"aberration": {"strength": 20.0}}).astype(int)
    spread = image.max(2) - image.min(2)
    assert spread[32, 32] == 0
    assert spread.max() > 20


def test_compression_leaves_traces_and_none_leaves_none(light: np.ndarray) -> None:
    """A quality of null is no JPEG."""
    plain = photograph(light, NEUTRAL)
    assert np.array_equal(photograph(light, NEUTRAL | {"jpeg": {"quality": None}}), plain)
    assert not np.array_equal(photograph(light, NEUTRAL | {"jpeg": {"quality": 40}}), plain)


@pytest.mark.parametrize("name", SENSOR)
def test_switching_a_component_off_leaves_the_others_draws_alone(name: str) -> None:
    """Each draws from the stream of its own name."""
    whole, part = Photographed(), Photographed(**{name: type(getattr(Photographed(), name))(enabled=False)})
    assert part.plan_sensor(streams) == {k: v for k, v in whole.plan_sensor(streams).items() if k != name}


@pytest.mark.parametrize("name", SENSOR)
def test_a_picture_develops_without_any_one_component(name: str, light: np.ndarray) -> None:
    """No component needs another."""
    plan = Photographed().plan_sensor(streams)
    del plan[name]
    assert photograph(light, plan).shape == light.shape


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Blur(sigma=(3.0, 1.0)), ["sigma", "[3, 1]", "low <= high"]),
        (lambda: Noise(level=(0.0, 2.0)), ["level", "2"]),
        (lambda: Film(grey_share=1.5), ["grey_share", "1.5"]),
        (lambda: Jpeg(quality=(0.0, 50.0)), ["quality", "[0, 50]"]),
    ],
)
def test_a_range_that_makes_no_sense_is_named(make: Callable[[], object], words: list[str]) -> None:
    """The message names the field and what was got."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is what is tested
        make()
    assert [word for word in words if word not in str(caught.value)] == []
