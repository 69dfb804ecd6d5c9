"""The teacher: a running mean that labels what is open, and nothing else."""

import pytest
import torch

from factory.core.classes import IGNORE
from factory.core.errors import ConfigError
from factory.core.sample import Origin
from factory.segment.average import Average
from factory.segment.data import PADDING
from factory.segment.losses.cross_entropy import CrossEntropy
from factory.segment.losses.term import Total
from factory.segment.models import build
from factory.segment.teacher import TEACHER, Teacher
from tests.segment.training import CLASSES, SPEC

LOSS = Total(terms={"ce": CrossEntropy()})


@pytest.fixture(scope="module")
def model():
    """With random weights."""
    return build(SPEC, CLASSES, weights=None, seed=0)


def test_the_mean_is_plain_at_first_and_fades_later(model):
    """After t updates each weighs 1 / t, until the decay is reached."""
    average = Average(model, decay=0.5)
    weight = next(iter(model.parameters()))
    values = []
    for step in range(4):
        with torch.no_grad():
            weight.fill_(float(step))
        average.update(model, step)
        values.append(next(iter(average.model.parameters())).flatten()[0].item())
    assert values == pytest.approx([0.0, 0.5, 1.25, 2.125])


def test_counters_are_taken_as_they_are():
    """Whole numbers have no mean."""
    model = build(SPEC, CLASSES, weights=None, seed=0)
    average = Average(model, decay=0.9)
    counters = [buffer for buffer in model.buffers() if not buffer.is_floating_point()]
    for step in range(3):
        for counter in counters:
            counter.fill_(10 * (step + 1))
        average.update(model, step)
    kept = [int(buffer) for buffer in average.model.buffers() if not buffer.is_floating_point()]
    assert kept == [30] * len(counters)
    assert counters


def test_the_mean_is_never_in_training_and_asks_for_no_gradient(model):
    """Whatever its owner does."""
    average = Average(model, decay=0.9)
    average.train()
    assert not average.model.training
    assert not any(parameter.requires_grad for parameter in average.parameters())


def test_open_pixels_get_the_teachers_class_and_confidence_and_no_others_change(model):
    """What somebody labelled, or looked at and left out, stays; so does the margin around a small picture."""
    average = Average(model, decay=0.9)
    images = torch.rand(2, 3, 32, 32)
    labels = torch.zeros(2, 3, 32, 32, dtype=torch.uint8)
    labels[:, 0] = IGNORE
    labels[:, :, 3, 4] = torch.tensor([1, 255, int(Origin.HINT)], dtype=torch.uint8)
    labels[:, :, 5, 6] = torch.tensor([IGNORE, 0, int(Origin.HUMAN)], dtype=torch.uint8)
    labels[:, 2, 28:] = PADDING
    found = Teacher(loss=LOSS).complete(average, images, labels)
    kept = labels[:, 2] != Origin.NONE
    assert (found.movedim(1, -1)[kept] == labels.movedim(1, -1)[kept]).all()
    sure, ids = average.model(images).softmax(1).max(1)
    assert (found[:, 0][~kept] == ids[~kept]).all()
    assert (found[:, 1][~kept] == (255 * sure).round()[~kept]).all()
    assert (found[:, 2][~kept] == TEACHER).all()


def test_its_pixels_weigh_by_the_share_of_their_picture_it_is_sure_of():
    """Other pixels weigh nothing here."""
    labels = torch.zeros(2, 3, 2, 4, dtype=torch.uint8)
    labels[:, 2] = TEACHER
    labels[0, 1, 0], labels[1, 1] = 255, 255
    labels[1, 2, 1] = int(Origin.HINT)
    weight = Teacher(loss=LOSS, threshold=0.9).weigh(labels)
    assert (weight[0] == 0.5).all()
    assert weight[1].tolist() == [[1.0] * 4, [0.0] * 4]
    assert (Teacher(loss=LOSS, threshold=1.0).weigh(labels) == weight).all(), "at least as sure, not surer"


def test_its_loss_is_as_large_as_the_share_it_is_sure_of():
    """DACS, section 3.3: a single sure pixel does not switch all of it on."""
    teacher = Teacher(loss=LOSS, threshold=0.9)
    labels = torch.zeros(1, 3, 4, 5, dtype=torch.uint8)
    labels[:, 2] = TEACHER
    found = {}
    for sure in (20, 10, 1, 0):
        labels[:, 1].view(-1)[:] = 100
        labels[:, 1].view(-1)[:sure] = 255
        found[sure] = teacher.surety(labels).item()
    assert found == pytest.approx({20: 1.0, 10: 0.5, 1: 0.05, 0: 0.0})
    labels[:, 2] = int(Origin.HINT)
    assert teacher.surety(labels) == 0


def test_it_waits_and_then_rises():
    """From nothing to its full weight over as many steps again."""
    teacher = Teacher(loss=LOSS, after=10)
    assert [teacher.share(step) for step in (0, 10, 15, 20, 1000)] == [0, 0, 0.5, 1, 1]
    assert Teacher(loss=LOSS, after=0).share(1) == 1


@pytest.mark.parametrize("change", [{"decay": 1.0}, {"weight": 0.0}, {"threshold": 1.5}, {"after": -1}])
def test_impossible_teachers_are_refused(change):
    """By name."""
    with pytest.raises(ConfigError, match=next(iter(change))):
        Teacher(loss=LOSS, **change)
