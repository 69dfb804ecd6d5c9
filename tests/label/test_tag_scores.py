"""Maps, surprise and what is said of a picture, beside the formulas that make scores of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from factory.core.picture import Picture
from factory.core.sample import Hints
from factory.label.cam.background import Extent, Threshold
from factory.label.cam.network import build
from factory.label.cam.normal import Known, _features, contrast
from factory.label.tag_scores import TagScores
from tests.full_disk import cut_at
from tests.label.tagged import SPEC
from tests.label.test_tags import NORMAL


def test_texture_is_the_mahalanobis_distance_to_normal_cells() -> None:
    """By the channel, against the covariance's inverse; one of its own cells is 1 off on average."""
    rng = np.random.default_rng(0)
    sound = {f"s{n}": rng.integers(0, 256, (20, 20, 3)).astype(np.uint8) for n in range(4)}
    model = build(SPEC, 3, 1, weights=None, seed=0).eval()
    known = replace(NORMAL, contrast=0.0).learnt(list(sound), sound.__getitem__, model, 64, seed=0)
    cells = np.concatenate([_features(model, image)[0] for image in sound.values()]).astype(float)
    off = cells - cells.mean(axis=0)
    covariance = off.T @ off / len(off)
    inverse = np.linalg.inv(covariance + 1e-3 * np.trace(covariance) / len(covariance) * np.eye(len(covariance)))
    squared = np.einsum("nc,cd,nd->n", off, inverse, off) / len(covariance)
    found = np.sqrt((((cells - known.mean_c) @ known.whitener_cc) ** 2).mean(axis=1))
    np.testing.assert_allclose(found, np.sqrt(squared), rtol=1e-2)


@pytest.mark.parametrize(("side", "dark", "light"), [("darker", 1, -1), ("lighter", -1, 1), ("both", 1, 1)])
def test_contrast_watches_the_side_that_it_is_told_to(side: str, dark: int, light: int) -> None:
    """A dark and a bright spot on grey, in noise; where all strays as much, a spot is less of a surprise."""
    image = np.random.default_rng(0).integers(118, 138, (40, 60, 3), np.uint8)
    image[18:22, 14:18], image[18:22, 44:48] = 60, 240
    found = contrast(image, replace(NORMAL, side=side))
    assert (np.sign(found[20, 16]), np.sign(found[20, 46])) == (dark, light)
    rough = np.random.default_rng(0).integers(60, 196, (40, 60, 3), np.uint8)
    rough[18:22, 14:18], rough[18:22, 44:48] = 60, 240
    assert 2 * abs(contrast(rough, replace(NORMAL, side=side))[20, 16]) < abs(found[20, 16])


class Seen:
    """Stands for a maker of maps: the same maps and beliefs of every picture."""

    def __init__(self, heard: tuple[int, ...] = (1, 2)) -> None:
        self.heard = {0: heard}

    maps = np.array([[[0.0, 0.0]], [[0.4, 0.0]], [[0.9, 0.0]]], np.float32)

    def __call__(self, _image: np.ndarray, _models: tuple[int, ...]) -> tuple[np.ndarray, float]:
        """Of two pixels; no surprise."""
        return self.maps, 0.0

    def beliefs(self, _image: np.ndarray, _models: tuple[int, ...]) -> np.ndarray:
        """Half of it."""
        return np.full(3, 0.5, np.float32)


@pytest.mark.parametrize(
    ("said", "band", "expected"),
    [
        ({"tags": (1, 2)}, None, [[0.3, 1], [0.4, 0], [0.9, 0]]),
        ({"tags": (2,)}, None, [[0.3, 1], [0.2, 0], [0.9, 0]]),
        ({"tags": (2,), "absent": (1,)}, None, [[0.3, 1], [0, 0], [0.9, 0]]),
        ({"tags": (1,), "absent": (2,)}, [0.35, 0.55], [[1, 1], [1, 0], [1, 0]]),
    ],
)
def test_maps_count_by_what_is_said_and_what_is_left_is_background(said, band, expected) -> None:
    """Denied ones by nothing, those nobody speaks of by the classifier's belief; what lies within the band is open."""
    labeler = TagScores(
        maker=Seen(), models_of={"p": (0,)}, background=Threshold(level=0.3), levels={}, ignore_band=band,
        learnable=(1, 2),
    )  # fmt: skip
    given = Picture(id="p", image=np.zeros((1, 2, 3), np.uint8), hints=Hints(**said))
    shares = np.array(expected)
    np.testing.assert_allclose(labeler(given, 3)[:, 0], shares / shares.sum(axis=0), atol=1e-6)


def test_the_background_is_shared_and_what_weighs_evidence_leaves_it_what_no_class_takes() -> None:
    """Two classes that no tag speaks of; odds even at each class's level."""
    labeler = TagScores(
        maker=Seen(heard=(2,)), models_of={"p": (0,)}, background=Extent(gain=1.0, softness=0.5), levels={2: 0.9},
        ignore_band=None, learnable=(2,),
    )  # fmt: skip
    given = Picture(id="p", image=np.zeros((1, 2, 3), np.uint8), hints=Hints(tags=(2,)))
    np.testing.assert_allclose(labeler(given, 3)[:, 0, 0], [0.25, 0.25, 0.5], atol=1e-6)
    both = replace(labeler, maker=Seen(), levels={1: 0.4, 2: 0.9}, learnable=(1, 2))
    of_two = both(replace(given, hints=Hints(tags=(1, 2))), 3)[:, 0, 0]
    np.testing.assert_allclose(of_two, np.array([0.25, 0.5, 0.5]) / 1.25, atol=1e-6)


def test_what_is_known_of_normal_pictures_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    """The message names the file that a full disk cut short."""
    known = Known(
        normal=NORMAL,
        mean_c=np.zeros(9, np.float32),
        whitener_cc=np.eye(9, dtype=np.float32),
        tails_2n=np.zeros((2, 99), np.float32),
    )
    with cut_at(1000), pytest.raises(OSError, match="large") as error:
        known.save(tmp_path / "normal.npz")
    assert error.value.filename == str(tmp_path / "normal.npz")
    assert not list(tmp_path.iterdir())
    known.save(tmp_path / "normal.npz")
    assert (Known.load(tmp_path / "normal.npz", NORMAL).whitener_cc == np.eye(9)).all()
