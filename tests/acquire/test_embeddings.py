"""What regions look like to a model, and the known pixels that look like them."""

import numpy as np
import pytest
import torch

from factory.acquire.embeddings import WIDTH, Bank, Embedder, of_pixels, of_regions, unit
from factory.core.queue import Example
from factory.segment.checkpoint import Trained
from factory.segment.models import SegmenterSpec, build
from factory.segment.predict import Predictor
from factory.segment.working import Working
from tests.artefacts import CLASSES


def embedder(size_hw=None) -> Embedder:
    """Of a small model with random weights."""
    spec = SegmenterSpec(architecture="unet", encoder="mobilenet_v2", decoder_channels=16)
    model = build(spec, CLASSES, weights=None, seed=0)
    return Embedder(
        predictor=Predictor(
            trained=Trained(model=model.eval(), tile_hw=(64, 64), working=Working(size_hw=size_hw), step=0)
        )
    )


def test_features_are_of_the_pictures_size_whatever_the_model_works_at() -> None:
    """Also of pictures larger than a tile, and of those brought to another size first."""
    rng = np.random.default_rng(0)
    for size_hw in ((64, 64), (40, 90)):
        image = rng.integers(0, 255, (*size_hw, 3)).astype(np.uint8)
        for made in (embedder(), embedder((32, 32))):
            features = made(image)
            assert features.shape[1:] == size_hw
            assert features.shape[0] <= WIDTH
            assert np.isfinite(features).all()


def test_many_channels_are_projected_so_that_angles_about_stay() -> None:
    """The same every time."""
    features = torch.from_numpy(np.random.default_rng(0).normal(size=(1, 512, 1, 40)).astype(np.float32))
    projection = Embedder(predictor=None)._projection(features)
    assert torch.equal(projection, Embedder(predictor=None)._projection(features))
    full, small = unit(features[0, :, 0].T.numpy()), unit((projection @ features[0, :, 0]).T.numpy())
    assert abs(full @ full.T - small @ small.T).max() < 0.55
    assert abs(full @ full.T - small @ small.T).mean() < 0.12


def test_regions_are_their_mean_direction_and_pixels_their_own() -> None:
    """A region number that no pixel has is nothing."""
    features = np.zeros((2, 2, 3), np.float32)
    features[0, :, :2], features[1, :, 2] = 3, 4
    regions = np.array([[1, 1, 2], [1, 0, 2]])
    assert of_regions(features, regions, 3).tolist() == [[1, 0], [0, 1], [0, 0]]
    assert of_pixels(features, np.array([0, 5])).tolist() == [[1, 0], [0, 1]]


def test_what_is_no_number_looks_like_nothing() -> None:
    """A broken model does not stop a queue."""
    assert unit(np.array([[np.nan, np.inf], [3.0, 4.0]], np.float32)).tolist() == [
        [0, 0],
        [np.float32(0.6), np.float32(0.8)],
    ]


def test_the_nearest_known_pixels_are_those_of_other_pictures_one_each() -> None:
    """The likest first."""
    bank = Bank()
    assert bank.nearest(np.array([1, 0], np.float32), 2, elsewhere="a") == []
    bank = Bank()
    for name, angles in {"a": [0.0], "b": [0.3, 0.1], "c": [1.0], "d": []}.items():
        vectors = np.array([[np.cos(angle), np.sin(angle)] for angle in angles], np.float32).reshape(-1, 2)
        bank.add(vectors, [Example(name, number, 0, 1) for number in range(len(angles))])
    found = bank.nearest(np.array([1, 0], np.float32), 3, elsewhere="a")
    assert [example for example, _ in found] == [Example("b", 1, 0, 1), Example("c", 0, 0, 1)]
    assert [likeness for _, likeness in found] == pytest.approx([np.cos(0.1), np.cos(1.0)], abs=1e-6)
