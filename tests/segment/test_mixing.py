"""Mixing: picture and label go together, from another picture, and as often as asked."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.core.errors import ConfigError
from factory.core.sample import Origin
from factory.segment.mixing import Mixing

COUNTS = torch.tensor([1000.0, 500.0, 5.0, 0.0])
seeds = given(st.integers(0, 2**31))
few = settings(deadline=None, max_examples=25)


def batch(count: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    """Each picture has its own grey and its number for a source: a frame of class 0, inside it classes 1 and 2."""
    target = torch.zeros(count, 8, 12, dtype=torch.uint8)
    target[:, 1:7, 1:6], target[:, 1:7, 6:11] = 1, 2
    number = torch.arange(count).view(-1, 1, 1).expand_as(target)
    labels = torch.stack([target, torch.full_like(target, 255), number.to(torch.uint8)], dim=1)
    return (number / count).unsqueeze(1).expand(-1, 3, -1, -1).clone(), labels


def test_without_mixing_nothing_changes():
    """Not even the random stream."""
    images, labels = batch()
    torch.manual_seed(0)
    before = torch.get_rng_state()
    assert (Mixing()(images, labels, COUNTS)[0] == images).all()
    assert (torch.get_rng_state() == before).all()


@few
@seeds
def test_class_mix_lays_half_the_classes_of_another_picture_over_each(seed):
    """Pixel and label from the same picture, whole classes of it, never from itself; one that none shows is no half."""
    images, labels = batch()
    labels[:, 0][labels[:, 0] == 2] = 3
    torch.manual_seed(seed)
    mixed, found = Mixing(classmix=1.0)(images, labels, COUNTS[[0, 1, 3, 2]])
    assert ((4 * mixed[:, 0]).round() == found[:, 2]).all()
    for number in range(4):
        taken = found[number, 2] != number
        assert len(found[number, 2][taken].unique()) == 1
        classes = found[number, 0][taken].unique().tolist()
        assert len(classes) == 2
        assert (taken == torch.isin(labels[number, 0], torch.tensor(classes))).all()


@few
@seeds
def test_about_as_many_pictures_are_mixed_as_asked(seed):
    """Of a hundred."""
    images, labels = batch(100)
    torch.manual_seed(seed)
    _, found = Mixing(classmix=0.3)(images, labels, COUNTS)
    changed = (found[:, 2] != labels[:, 2]).flatten(1).any(dim=1).float().mean().item()
    assert 0.1 < changed < 0.5


def test_pasting_takes_the_rarest_classes_from_a_rendered_picture():
    """Class 2 is the rarest that is there at all; picture 2 is the rendered one."""
    images, labels = batch()
    labels[:, 2] = int(Origin.HUMAN)
    labels[2, 2] = int(Origin.EXACT)
    mixed, found = Mixing(paste=1.0, rare=1)(images, labels, COUNTS)
    for number in (0, 1, 3):
        assert ((found[number, 2] == int(Origin.EXACT)) == (labels[number, 0] == 2)).all()
        assert (mixed[number, 0][labels[number, 0] == 2] == 0.5).all()
    assert (found[:, 0] == labels[:, 0]).all()


@pytest.mark.parametrize("counts", [(9.0, 5.0), (9.0, 5.0, 4.0), (9.0,)])
def test_however_few_classes_there_are_the_most_frequent_is_not_rare(counts):
    """Of a defect and its background the defect is pasted, not the picture."""
    images, labels = batch()
    labels[:, 2] += 10  # no picture's number is to say that it is rendered
    found = Mixing(paste=1.0, rare=4)(images, labels, torch.tensor(counts))[1]
    taken = found[:, 2] != labels[:, 2]
    assert (taken == ((labels[:, 0] > 0) & (labels[:, 0] < len(counts)))).all()


def test_a_rendered_picture_gives_to_those_behind_it_and_the_last_to_the_first():
    """Pictures 1 and 3 of five are rendered; where none is, each gives to the next."""
    _, labels = batch(5)
    labels[:, 2] = int(Origin.HUMAN)
    assert Mixing()._givers(labels).tolist() == [4, 0, 1, 2, 3]
    labels[[1, 3], 2, 4, 4] = int(Origin.EXACT)
    assert Mixing()._givers(labels).tolist() == [3, 3, 1, 1, 3]


def test_a_batch_without_labels_is_left_alone():
    """Nothing is there to lay over anything."""
    images, labels = batch()
    labels[:, 0] = 255
    mixed, found = Mixing(classmix=1.0, paste=1.0)(images, labels, COUNTS)
    assert (mixed == images).all()
    assert (found == labels).all()


@pytest.mark.parametrize("change", [{"classmix": 1.1}, {"paste": -0.1}, {"rare": 0}])
def test_impossible_mixing_is_refused(change):
    """By name."""
    with pytest.raises(ConfigError, match=next(iter(change))):
        Mixing(**change)
