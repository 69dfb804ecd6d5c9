"""A model is as sure as it is right on pictures it did not learn from."""

from pathlib import Path

import pytest
import torch

from factory.core.errors import ConfigError
from factory.segment import checkpoint
from factory.segment.chance import draws
from factory.segment.data import training_rows
from factory.segment.predict import Predictor
from factory.segment.temperature import fitted, parted
from tests.segment.training import bright_squares, history, trained


@pytest.fixture(scope="module")
def squares(tmp_path_factory: pytest.TempPathFactory):
    """Pictures of bright squares."""
    return bright_squares(tmp_path_factory.mktemp("squares") / "source", 24)


@pytest.fixture(scope="module")
def model(squares, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model that has learnt a little, two of the pictures kept aside."""
    return trained(tmp_path_factory.mktemp("model") / "train", synthetic=squares, aside=0.1)


def test_the_temperature_is_set_on_pictures_kept_aside_and_travels_with_the_checkpoint(model) -> None:
    """Both checkpoints, and the figures, tell it."""
    found = model.header.figures["temperature"]
    assert 0.05 < found < 20
    assert found != 1
    assert checkpoint.load(model.path("best.ckpt")).model.temperature == pytest.approx(found)
    assert history(model)


def test_logits_are_divided_outside_training_only(model) -> None:
    """In whole passes and in draws of dropout alike; classes stay the same."""
    loaded = checkpoint.load(model.path("best.ckpt"))
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    network = loaded.model
    with torch.inference_mode():
        network.temperature = 1.0
        plain = network(images)
        network.temperature = 4.0
        torch.testing.assert_close(network(images), plain / 4)
        torch.testing.assert_close(network.outputs(images).logits_nkhw, plain / 4)
        for layer in network.modules():
            if hasattr(layer, "p") and "Dropout" in type(layer).__name__:
                layer.p = 0.0
        drawn = torch.cat(list(draws(network, images, dtype=torch.float32)()), dim=2)
        torch.testing.assert_close(drawn, plain / 4, atol=1e-4, rtol=1e-3)


def test_what_was_made_too_sure_or_too_unsure_is_found_out(model, squares) -> None:
    """A model whose logits were multiplied needs that much more temperature; probabilities then are the same."""
    loaded = checkpoint.load(model.path("best.ckpt"))
    rows = training_rows(squares)[:6]
    loaded.model.temperature = 1.0
    right = fitted(Predictor(trained=loaded), rows, 0)
    loaded.model.temperature = 1 / 3
    assert fitted(Predictor(trained=loaded), rows, 0) == pytest.approx(3 * right, rel=0.02)


def test_without_known_pixels_no_temperature_is_set(model, squares) -> None:
    """Rather none than one from nothing."""
    assert fitted(Predictor(trained=checkpoint.load(model.path("best.ckpt"))), [], 0) is None


def test_what_is_kept_aside_is_a_share_of_the_pictures_and_never_learnt_from(squares) -> None:
    """Drawn by the seed alone."""
    rows = training_rows(squares)
    learnt, aside = parted(rows, 0.25, 0)
    assert len(aside) == round(0.25 * len(rows))
    assert sorted(row.sample.id for row in learnt + aside) == sorted(row.sample.id for row in rows)
    assert parted(rows[::-1], 0.25, 0)[1] == aside[::-1]
    assert parted(rows, 0.25, 1)[1] != aside
    assert parted(rows, 0.0, 0) == (rows, [])
    with pytest.raises(ConfigError, match="aside"):
        parted(rows, 1.0, 0)
