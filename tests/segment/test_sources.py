"""Several sources at once and a teacher: what each adds, and the same bytes however often a training is ended."""

from dataclasses import replace
from functools import partial
from typing import ClassVar

import numpy as np
import pytest
import torch

from factory.core.dataset import Dataset
from factory.core.errors import ConfigError
from factory.core.sample import Domain, Split, Supervision
from factory.segment.augment import Augmentation
from factory.segment.teacher import Teacher
from tests.artefacts import add_sample, written
from tests.segment.test_fit import TEACHER, WHOLE_RECIPE
from tests.segment.training import CLASSES, bright_squares, history, trained


@pytest.fixture(scope="module")
def squares(tmp_path_factory):
    """Bright squares as photographs."""
    return bright_squares(tmp_path_factory.mktemp("sources") / "squares", 8)


def test_a_data_set_of_which_nothing_is_learnt_is_named(squares, tmp_path):
    """Beside one that teaches: without a mask, or a pixel that counts; not where a teacher labels it."""

    def data(name: str, split: Split, fill: int | None) -> Dataset:
        with written(tmp_path / name) as out:
            out.classes = CLASSES
            mask = None if fill is None else np.full((32, 32), fill, np.uint8)
            add_sample(out, "one", mask, split=split, supervision=Supervision.EXACT)
        return Dataset.open(tmp_path / name)

    bare, empty, held = data("bare", Split.TRAIN, None), data("empty", Split.TRAIN, 255), data("held", Split.VAL, 0)

    def told(name: str, **about) -> dict[str, str]:
        model = trained(tmp_path / name, **({"real": squares, "steps": 2} | about))
        return {issue["where"]: issue["reason"] for issue in model.header.issues}

    assert "no pictures of split train that have masks" in told("a", synthetic=bare)["synthetic"]
    assert "no pixel of its pictures counts" in told("b", synthetic=empty)["synthetic"]
    teacher = replace(TEACHER, after=0)
    assert "no pictures of split train:" in told("c", unlabelled=held, teacher=teacher)["unlabelled"]
    assert not told("d", synthetic=empty, unlabelled=bare, teacher=teacher)
    assert not told("e", real=held, synthetic=squares), "it is measured on"


@pytest.mark.parametrize("key", ["synthetic_share", "unlabelled_share"])
def test_impossible_shares_are_refused_before_anything_is_decoded(squares, tmp_path, key):
    """Which takes minutes."""
    for share in (0, 1, -0.5):
        with pytest.raises(ConfigError, match=rf"(?s){key} lies between 0 and 1.*leave out the input"):
            trained(tmp_path / "model", real=squares, synthetic=squares, **{key: share})
    assert not (tmp_path / "cache").exists()


class Louder(Teacher):
    """Says how far it has risen, and how sure it is, whatever the step and its pixels."""

    said: ClassVar[tuple[float, float]] = (1.0, 1.0)

    def share(self, step):
        """From its first step on."""
        return self.said[0] * (step >= self.after)

    def surety(self, labels_nchw):
        """See `Teacher`."""
        return torch.tensor(self.said[1]) + 0 * labels_nchw.sum()


def test_a_teachers_part_of_the_loss_is_its_weight_times_how_far_it_has_risen_and_how_sure_it_is(squares, tmp_path):
    """In the first step that it teaches in, from the same weights."""
    parts = []
    for weight, *said in ((1.0, 1.0, 1.0), (2.0, 1.0, 1.0), (1.0, 0.25, 1.0), (1.0, 1.0, 0.5)):
        teacher = Louder(loss=TEACHER.loss, weight=weight, after=1, threshold=0.5)
        Louder.said = tuple(said)
        made = trained(tmp_path / f"{len(parts)}", real=squares, teacher=teacher, steps=2, validate_every=1)
        assert "teacher_ce" not in history(made)[0]["losses"]
        parts.append(history(made)[1]["losses"]["teacher_ce"])
    assert parts[0] > 0
    assert parts == pytest.approx([parts[0], 2 * parts[0], parts[0] / 4, parts[0] / 2])


def test_a_teacher_that_is_never_sure_leaves_the_weights_as_they_are_without_it(squares, tmp_path):
    """And what is kept is the model, not its mean, unless that is asked for."""
    unsure = replace(TEACHER, threshold=1.0)
    plain, taught = (
        trained(tmp_path / name, real=squares, teacher=teacher)
        for name, teacher in (("plain", None), ("taught", unsure))
    )
    assert plain.path("last.ckpt").read_bytes() == taught.path("last.ckpt").read_bytes()


class Ending(Augmentation):
    """Notes the random stream of each part, and ends the process at one of them as Ctrl-C does."""

    seeds: ClassVar[list[int]] = []
    last: ClassVar[int | None] = None

    def move(self, images_nchw, labels_nchw):
        """See `Augmentation`."""
        self.seeds.append(torch.initial_seed())
        if len(self.seeds) == self.last:
            raise KeyboardInterrupt
        return super().move(images_nchw, labels_nchw)


def test_ended_between_validations_the_same_command_ends_with_the_same_bytes(squares, tmp_path, monkeypatch):
    """Of three sources, with all that a step hangs on: losses since the last validation and running means too."""
    rendered = bright_squares(tmp_path / "rendered", 8, domain=Domain.SYNTHETIC)
    about = {"synthetic": rendered, "unlabelled": squares, "augmentation": Ending(), **WHOLE_RECIPE}
    call = partial(trained, real=squares, steps=8, batch=8, validate_every=5, save_every=2, **about)
    monkeypatch.setattr(Ending, "seeds", [])
    whole = call(tmp_path / "whole" / "model")
    assert len(set(Ending.seeds)) == 16, "each part of each step has its own"
    monkeypatch.setattr(Ending, "seeds", [])
    monkeypatch.setattr(Ending, "last", 15)
    with pytest.raises(KeyboardInterrupt):
        call(tmp_path / "ended" / "model")
    assert call(tmp_path / "ended" / "model").digest == whole.digest
    assert len(Ending.seeds) == 15 + 4, "from the state of step 6 on"
