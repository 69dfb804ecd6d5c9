"""Several divisions into folds: as many classifiers label each picture, none of which saw it."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from factory.label.cam.background import Extent
from factory.label.cam.maps import _grown
from factory.label.cam.network import Classifier
from factory.label.cam.normal import Normal
from tests.label.tagged import SPEC, Heard, learnt, squares, tags


@pytest.mark.parametrize("encoder_lr", [0.0, 1e-4])
def test_maps_of_several_divisions_are_averaged(
    encoder_lr: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of models that never saw the picture, each of a class that it could learn; a frozen encoder looks once."""
    pictures = squares()
    training = replace(tags().training, encoder_lr=encoder_lr)
    labeler = learnt(pictures, tmp_path, training=training, repeats=3)
    maker, image = labeler.maker, pictures[0].image
    models = labeler.models_of[pictures[0].id]
    assert [model // 2 for model in models] == [0, 1, 2]
    assert len({*labeler.models_of.values()}) > 2
    weights = [maker.shelf.trained(model).head.weight for model in range(6)]
    assert not any(torch.equal(one, other) for one, other in itertools.combinations(weights, 2))
    apart = np.stack([maker.views([maker.shelf.trained(m)], maker.method, image, 0)[0].numpy() for m in models])
    looks: list[int] = []
    raw = Classifier.raw
    monkeypatch.setattr(Classifier, "raw", lambda self, images: looks.append(1) or raw(self, images))
    for voices in ((1, 1, 1), (0, 1, 1), (0, 0, 0)):
        heard = {model: (1, 2) if voice else (1,) for model, voice in zip(models, voices, strict=True)}
        maps, _ = replace(maker, heard=heard)(image, models)
        mean_hw = _grown(np.tensordot(voices, apart[:, 2], 1).astype(np.float32), SPEC.stride, image, image)
        np.testing.assert_allclose(maps[2], mean_hw / max(mean_hw.max(), 1e-9), atol=1e-5)
    assert len(looks) == (3 if encoder_lr == 0 else 9)
    beliefs = [maker.beliefs(image, (model,)) for model in models]
    np.testing.assert_allclose(maker.beliefs(image, models), np.mean(beliefs, axis=0), rtol=1e-5)


def test_what_one_division_could_not_learn_another_says(tmp_path: Path) -> None:
    """A class of two pictures that lie in one fold there; the command says which."""
    pictures = [*squares()[:6], *squares()[12:], *squares()[6:8]]
    told: Heard = []
    labeler = learnt(pictures, tmp_path, heard=told, repeats=8)
    silent = {model for model, heard in labeler.maker.heard.items() if 2 not in heard}
    assert 0 < len(silent) < 8
    names = {f"fold {1 + m % 2} of 2, division {1 + m // 2} of 8" for m in silent}
    assert {what for where, what in told if where == "blue"} == {
        f"too few pictures to learn it from for {name}: left unknown there" for name in names
    }
    for picture in pictures[-2:]:
        assert np.ptp(labeler(picture, 3)) > 0


def test_what_normal_pictures_look_like_is_learnt_for_one_division(tmp_path: Path) -> None:
    """No other is asked what surprises."""
    normal = Normal(contrast=1.0, texture=0.5, surroundings=21, blur=1.0, side="both")
    learnt(squares(), tmp_path, normal=normal, background=Extent(gain=3.0, softness=0.5), repeats=2)
    assert sorted(path.name for path in tmp_path.glob("*.normal.npz")) == ["fold0.normal.npz", "fold1.normal.npz"]
    assert len(list(tmp_path.glob("fold*.pt"))) == 4
