"""Distillation: what a trained segmenter sees, as a part of the loss."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from factory.core.classes import IGNORE
from factory.core.dataset import Dataset
from factory.core.errors import ArtefactError, ConfigError, FactoryError
from factory.core.sample import Origin
from factory.segment import checkpoint
from factory.segment.data import PADDING
from factory.segment.losses.cross_entropy import CrossEntropy
from factory.segment.losses.term import Total
from factory.segment.opening import open_model
from factory.segment.teacher import Teacher
from factory.segment.trained_teacher import Lesson, TrainedTeacher
from factory.segment.tta import Views
from tests.artefacts import add_sample, written
from tests.segment.training import CLASSES, bright_squares, history, trained

TEACHER = TrainedTeacher(tta=Views(flip=True, scales=(1.0, 1.5)))


@pytest.fixture(scope="module")
def squares(tmp_path_factory):
    """Twelve pictures with masks."""
    return bright_squares(tmp_path_factory.mktemp("taught") / "squares", 12)


@pytest.fixture(scope="module")
def elder(squares, tmp_path_factory):
    """A model that knows bright squares."""
    target = tmp_path_factory.mktemp("elder") / "model"
    return trained(target, real=squares, steps=40, validate_every=40, save_every=40)


def bare(target, count):
    """Pictures of bright squares that nobody has labelled."""
    shown = bright_squares(target.parent / "shown", count)
    with written(target) as out:
        out.classes = CLASSES
        for sample in shown.samples:
            add_sample(out, sample.id, None, size_hw=(32, 32), split=sample.split)
            out.write_image(sample.id, shown.image(sample))
    return Dataset.open(target)


def test_the_loss_is_the_cross_entropy_to_what_the_teacher_says():
    """Pixels that somebody left out on purpose, or beside a small picture, do not count, others do, labelled or not."""
    images, logits = torch.rand(2, 3, 4, 5), torch.randn(2, 2, 4, 5, requires_grad=True)
    told = torch.rand(2, 2, 4, 5).softmax(1)
    labels = torch.zeros(2, 3, 4, 5, dtype=torch.uint8)
    labels[0, 0], labels[0, 2] = IGNORE, int(Origin.NONE)
    labels[1, 0, :2], labels[1, 2] = IGNORE, int(Origin.HUMAN)
    labels[1, 2, 1] = PADDING
    found = Lesson(weight=0.5, views=[lambda _: told])(images, labels, logits)
    each = functional.cross_entropy(logits, told, reduction="none")
    assert found.item() == pytest.approx(0.5 * torch.cat([each[0].flatten(), each[1, 2:].flatten()]).mean().item())
    found.backward()
    assert (logits.grad[1, :, :2] == 0).all()
    assert (logits.grad[0] != 0).any()


def test_on_average_one_view_a_step_teaches_what_the_mean_of_all_views_would():
    """The loss is linear in what the teacher says, so its mean over the draws is the loss of the mean."""
    images, logits = torch.rand(1, 3, 4, 5), torch.randn(1, 2, 4, 5)
    labels = torch.zeros(1, 3, 4, 5, dtype=torch.uint8)
    says = [torch.randn(1, 2, 4, 5).softmax(1) for _ in range(3)]
    views = [lambda _, one=one: one for one in says]
    torch.manual_seed(0)
    drawn = [Lesson(weight=1.0, views=views)(images, labels, logits).item() for _ in range(600)]
    whole = Lesson(weight=1.0, views=[lambda _: torch.stack(says).mean(0)])(images, labels, logits).item()
    assert len({round(value, 5) for value in drawn}) == len(says)
    assert np.mean(drawn) == pytest.approx(whole, abs=4 * np.std(drawn) / len(drawn) ** 0.5)


def test_a_model_passes_on_what_it_knows_of_pictures_that_nobody_labelled(squares, elder, tmp_path):
    """The labelled ones show no coin, and alone teach none."""
    with written(tmp_path / "ground") as out:
        out.classes = CLASSES
        for index in range(4):
            add_sample(out, f"ground{index}", np.zeros((32, 32), np.uint8))
    ground = Dataset.open(tmp_path / "ground")
    recipe = {"real": ground, "validation": squares, "steps": 40}
    recipe |= {"validate_every": 40, "save_every": 40, "ema": 0.0}
    about = {"unlabelled": bare(tmp_path / "bare", 16), "teacher": TEACHER, "teacher_model": elder}
    taught = trained(tmp_path / "taught", **recipe, **about)
    assert "teacher" in history(taught)[0]["losses"]
    alone = trained(tmp_path / "alone", **recipe)
    assert history(alone)[-1]["val_miou"] < 0.5
    assert history(taught)[-1]["val_miou"] > 0.6


def test_several_models_teach_in_turn(elder, squares, tmp_path):
    """Each in every view; a file that is no model is refused before anything is trained."""
    other = trained(tmp_path / "other", real=squares)
    both = replace(TEACHER, models=[str(other.root)])
    lesson = both.lesson(elder, CLASSES)
    images = torch.rand(2, 3, 32, 32)
    said = [view(images) for view in lesson.views]
    assert len(said) == 8
    alone = [view(images) for model in (elder, other) for view in TEACHER.lesson(model, CLASSES).views]
    assert all(torch.equal(one, same) for one, same in zip(said, alone, strict=True))
    assert not torch.equal(said[0], said[4])
    with pytest.raises(ArtefactError, match="a data set holds no model"):
        replace(TEACHER, models=[str(squares.root)]).lesson(elder, CLASSES)
    assert both.folders == {"model 0": str(other.root)}
    with pytest.raises(FactoryError, match="gone"):
        replace(TEACHER, models=[str(tmp_path / "gone.ckpt")]).lesson(elder, CLASSES)


def test_the_teacher_is_left_as_it_was_and_is_not_kept(squares, elder, tmp_path):
    """The student's checkpoint holds the student alone, and the same run twice is the same to the last bit."""
    before = elder.path("best.ckpt").read_bytes()
    first, second = (
        trained(tmp_path / name, real=squares, teacher=TEACHER, teacher_model=elder) for name in ("one", "two")
    )
    assert elder.path("best.ckpt").read_bytes() == before
    assert first.path("last.ckpt").read_bytes() == second.path("last.ckpt").read_bytes()
    plain = trained(tmp_path / "plain", real=squares)
    weights = [checkpoint.load(model.path("last.ckpt")).model.state_dict() for model in (first, plain)]
    assert weights[0].keys() == weights[1].keys()
    assert any((weights[0][name] != weights[1][name]).any() for name in weights[0])


def test_a_teacher_without_a_model_and_a_model_without_a_teacher_are_refused(squares, elder, tmp_path):
    """Each says what is missing."""
    with pytest.raises(ConfigError, match=r"teacher=trained needs a model"):
        trained(tmp_path / "none", real=squares, teacher=TEACHER)
    with pytest.raises(ConfigError, match=r"a model to teach, but no teacher"):
        trained(tmp_path / "idle", real=squares, teacher_model=elder)
    with pytest.raises(ConfigError, match="weight"):
        TrainedTeacher(tta=Views(), weight=0.0)


def test_a_teacher_of_other_classes_is_refused(elder, tmp_path):
    """By the names of both."""
    with written(tmp_path / "data") as out:
        out.classes = type(CLASSES).of(["ground", "leaf"])
        for index in range(4):
            add_sample(out, f"s{index}", np.eye(32, dtype=np.uint8))
    with pytest.raises(ArtefactError, match="other classes"):
        trained(tmp_path / "m", real=Dataset.open(tmp_path / "data"), teacher=TEACHER, teacher_model=elder)


def test_an_export_cannot_teach(small_export):
    """It is made for tiles of one size, a teacher for views of several."""
    file = small_export.path("model.torchscript")
    with pytest.raises(ConfigError, match="an export cannot teach"):
        TEACHER.lesson(file, open_model(file, "best").classes)


def test_without_a_labelled_pixel_only_those_teach_who_know_something(elder, tmp_path):
    """A trained model, or a running mean that begins as one; not what starts at random, nor an encoder alone."""
    with written(tmp_path / "open") as out:
        out.classes = CLASSES
        for name in "abcd":
            add_sample(out, name, np.full((32, 32), IGNORE, np.uint8))
    real = Dataset.open(tmp_path / "open")
    mean = Teacher(loss=Total(terms={"ce": CrossEntropy()}), after=1)
    encoder = tmp_path / "encoder.pth"
    torch.save(checkpoint.load(elder.path("best.ckpt")).model.network.encoder.state_dict(), encoder)
    for number, vain in enumerate(({}, {"teacher": mean}, {"teacher": mean, "weights": encoder})):
        with pytest.raises(ArtefactError, match=r"(?s)no pixel of any picture.*open"):
            trained(tmp_path / f"vain{number}", real=real, **vain)
    assert trained(tmp_path / "taught", real=real, teacher=TEACHER, teacher_model=elder, steps=1).figures["steps"] == 1
    assert trained(tmp_path / "on", real=real, teacher=mean, weights=elder, steps=3).figures["steps"] == 3
