"""A model is as sure as it is right on pictures it did not learn from."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from factory.core.artefact import Kind, Model
from factory.core.classes import IGNORE
from factory.core.dataset import Dataset
from factory.core.errors import ConfigError
from factory.core.sample import Origin, Supervision
from factory.segment import checkpoint
from factory.segment.chance import LN_2, draws
from factory.segment.data import Row, training_rows
from factory.segment.predict import Predictor
from factory.segment.temperature import fitted, parted
from factory.stages import train
from tests.artefacts import add_sample, written
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
    assert set(model.header.figures) == set(train.FIGURES), "what a search may be judged by"
    assert 0.05 < found < 20
    assert found != 1
    assert checkpoint.load(model.path("best.ckpt")).model.temperature == pytest.approx(found)
    assert history(model)


def test_snapshots_have_a_temperature_too(squares, tmp_path: Path) -> None:
    """Each its own: they are asked beside the last one as a committee."""
    made = trained(tmp_path / "train", synthetic=squares, aside=0.1, cycles=2)
    found = checkpoint.load(made.path("snapshot-1.ckpt")).model.temperature
    assert found not in (1.0, checkpoint.load(made.path("last.ckpt")).model.temperature)


def test_a_temperature_that_is_set_again_is_the_same(squares, tmp_path: Path) -> None:
    """A try that was killed between the two checkpoints goes on with one of them done."""
    spec, rows = trained(tmp_path / "once", synthetic=squares, aside=0.1), training_rows(squares)
    _, kept = parted(rows, 0.1, 0)
    with written(tmp_path / "again", Kind.MODEL) as out:
        out.classes = squares.classes
        for name in ("best.ckpt", "last.ckpt"):
            out.write(name, spec.path(name).read_bytes())
        train.temper(out, kept, 0)
    again = Model.open(tmp_path / "again")
    assert again.figures["temperature"] == pytest.approx(spec.figures["temperature"], rel=1e-3)


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
        wanted = (plain / 4).log_softmax(dim=1)
        torch.testing.assert_close((LN_2 * drawn).log_softmax(dim=1), wanted, atol=1e-4, rtol=1e-3)


def test_what_was_made_too_sure_or_too_unsure_is_found_out(model, squares) -> None:
    """A model whose logits were multiplied needs that much more temperature; probabilities then are the same."""
    loaded = checkpoint.load(model.path("best.ckpt"))
    rows = training_rows(squares)[:6]
    loaded.model.temperature = 1.0
    right = fitted(Predictor(trained=loaded), rows, 0)
    loaded.model.temperature = 1 / 3
    assert fitted(Predictor(trained=loaded), rows, 0) == pytest.approx(3 * right, rel=0.02)
    loaded.model.temperature = right / 15
    assert fitted(Predictor(trained=loaded), rows, 0) == pytest.approx(15, rel=0.05)


def relabelled(rows: list[Row], target: Path, known: Callable[[np.random.Generator, np.ndarray], np.ndarray]):
    """The rows' pictures, known where ``known`` says, by the origins it gives."""
    rng = np.random.default_rng(0)
    with written(target) as out:
        out.classes = rows[0].dataset.classes
        for dataset, sample in rows:
            mask_hw, source_hw = dataset.mask(sample), known(rng, dataset.mask(sample))
            stated_hw = np.where(source_hw == Origin.NONE, IGNORE, mask_hw)
            made = add_sample(out, sample.id, stated_hw, image=dataset.image(sample), supervision=Supervision.POINTS)
            out.write_map("source", made.id, source_hw)
    return training_rows(Dataset.open(target))


def test_answers_to_questions_do_not_make_a_model_less_sure_than_it_may_be(model, squares, tmp_path) -> None:
    """They are about what is doubtful: pixels that nobody was asked about go before them, and pictures done whole."""
    loaded, rows = checkpoint.load(model.path("best.ckpt")), training_rows(squares)[:8]

    def hints(rng: np.random.Generator, mask_hw: np.ndarray) -> np.ndarray:
        return np.where(rng.random(mask_hw.shape) < 0.1, Origin.HINT, Origin.NONE).astype(np.uint8)

    def asked(rng: np.random.Generator, mask_hw: np.ndarray) -> np.ndarray:
        source_hw = hints(rng, mask_hw)
        source_hw[:12][source_hw[:12] == Origin.NONE] = Origin.HUMAN
        return source_hw

    def temperature(name: str, known) -> float | None:
        return fitted(Predictor(trained=loaded), relabelled(rows, tmp_path / name, known), 0)

    of_asked = temperature("asked", asked)
    assert of_asked == temperature("hints", hints)
    only = temperature(
        "only", lambda rng, mask: np.where(asked(rng, mask) == Origin.HUMAN, Origin.HUMAN, 0).astype("u1")
    )
    assert only is not None
    assert only != of_asked
    whole = temperature("whole", lambda _, mask: np.full(mask.shape, Origin.HUMAN, np.uint8))
    assert whole == fitted(Predictor(trained=loaded), rows, 0)


def test_pixels_of_a_large_picture_are_drawn_from_all_of_it(model, tmp_path: Path) -> None:
    """Where it is right above and wrong below, a model is worth nothing: its first rows do not speak for the rest."""
    predictor = Predictor(trained=checkpoint.load(model.path("best.ckpt")))
    image_hwc = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    mask_hw = predictor(image_hwc).argmax(axis=0).astype(np.uint8)
    mask_hw[32:] = 1 - mask_hw[32:]
    with written(tmp_path / "large") as out:
        out.classes = predictor.trained.classes
        add_sample(out, "a", mask_hw, image=image_hwc, supervision=Supervision.EXACT)
    found = fitted(predictor, training_rows(Dataset.open(tmp_path / "large")), 0)
    assert found is not None
    assert found > 20


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
    assert [len(part) for part in parted(rows[:2], 0.99, 0)] == [1, 1], "one is learnt from"
    with pytest.raises(ConfigError, match="aside"):
        parted(rows, 1.0, 0)
