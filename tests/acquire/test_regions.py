"""What can be asked about at a time: every way of dividing a picture."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.acquire.regions import Images, Pixels, Segments, Sight, Superpixels, Tiles
from factory.command import tree
from factory.command.bind import make_part
from factory.core.errors import ConfigError
from factory.core.seeds import generator
from tests.command.composing import composed


def configured(choice: str):
    """The division as its YAML file sets it up."""
    ((config, _),) = composed("select", f"regions={choice}")
    return make_part("regions", config["regions"])


REGIONS = {choice: configured(choice) for choice in tree.choices("regions")}
every_division = pytest.mark.parametrize("regions", REGIONS.values(), ids=REGIONS.keys())


def sight(size: tuple[int, int], seed: int = 0, askable: float = 0.7) -> Sight:
    """A noisy picture with random predictions and doubts, a part of it vouched for."""
    rng = np.random.default_rng(seed)
    return Sight(
        rng.integers(0, 256, (*size, 3), np.uint8),
        rng.integers(0, 3, size, np.uint8),
        rng.random(size).astype(np.float32),
        rng.random(size) < askable,
    )


@every_division
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 99))
@settings(deadline=None, max_examples=30)
def test_regions_are_numbered_without_gaps_and_the_same_every_time(regions, height, width, seed) -> None:
    """From 1, down to one pixel; every pixel belongs to one, unless single pixels are asked about."""
    given_ = sight((height, width), seed)
    found = regions(given_, rng=generator(seed, "a"))
    assert found.shape == (height, width)
    numbers = np.unique(found)
    assert numbers[-1] == len(numbers) - (numbers[0] == 0)
    assert numbers[0] == 1 or isinstance(regions, Pixels)
    np.testing.assert_array_equal(found, regions(given_, rng=generator(seed, "a")))


def test_segments_are_connected_areas_of_one_class() -> None:
    """Class 0 counts too, and touching corners do not connect."""
    proposal = np.array([[0, 0, 1], [1, 0, 1], [0, 1, 1]], np.uint8)
    found = Segments()(sight((3, 3))._replace(proposal_hw=proposal), rng=generator(0, "a"))
    assert len(np.unique(found)) == 4


def test_tiles_are_alike_and_pictures_whole() -> None:
    """No sliver is left at the edge; a picture smaller than a tile is one."""
    found = Tiles(side=10)(sight((24, 47)), rng=generator(0, "a"))
    counts = np.bincount(found.ravel())[1:]
    assert len(counts) == 2 * 5
    assert counts.min() >= 0.75 * counts.max()
    assert Tiles(side=100)(sight((24, 47)), rng=generator(0, "a")).max() == 1
    assert Images()(sight((24, 47)), rng=generator(0, "a")).max() == 1


def test_pixels_are_drawn_from_the_most_doubtful_that_nobody_vouched_for() -> None:
    """Spread over them, other ones by another stream, and all there are where there are few."""
    given_ = sight((30, 40))
    found = Pixels(most=12, share=0.1)(given_, rng=generator(0, "a"))
    chosen = found > 0
    assert chosen.sum() == found.max() == 12
    assert given_.askable_hw[chosen].all()
    limit = np.sort(given_.score_hw[given_.askable_hw])[-round(0.1 * given_.askable_hw.sum())]
    assert (given_.score_hw[chosen] >= limit).all()
    assert (Pixels(most=12, share=0.1)(given_, rng=generator(1, "a")) != found).any()
    nearly_done = given_._replace(askable_hw=np.arange(1200).reshape(30, 40) < 5)
    assert (Pixels(most=12, share=0.1)(nearly_done, rng=generator(0, "a")) > 0).sum() == 5
    nonsense = given_._replace(score_hw=np.full((30, 40), np.nan, np.float32))
    assert (Pixels(most=12, share=0.1)(nonsense, rng=generator(0, "a")) > 0).sum() == 12


@pytest.mark.parametrize(
    ("kind", "broken"),
    [
        (Pixels, {"most": 0, "share": 0.5}),
        (Pixels, {"most": 1, "share": 0.0}),
        (Tiles, {"side": 0}),
        (Superpixels, {"area": 0, "compactness": 1.0}),
    ],
)
def test_settings_that_cannot_work_are_refused(kind, broken) -> None:
    """By name."""
    with pytest.raises(ConfigError, match="regions"):
        kind(**broken)
