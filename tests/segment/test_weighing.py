"""Pixels weigh by where their label came from and how sure it is."""

import pytest
import torch

from factory.core.classes import IGNORE
from factory.core.errors import ConfigError
from factory.core.sample import Origin
from factory.segment.teacher import TEACHER
from factory.segment.weighing import PixelWeights


def labels(*pixels: tuple[int, int, int]) -> torch.Tensor:
    """One row of (class, confidence, source) pixels as a batch of labels."""
    return torch.tensor(pixels, dtype=torch.uint8).T.reshape(1, 3, 1, -1)


def test_each_origin_has_its_weight_and_nobodys_pixels_have_none():
    """Nor those the teacher labelled: they are weighed elsewhere."""
    origins = [Origin.NONE, Origin.EXACT, Origin.HINT, Origin.PSEUDO, Origin.HUMAN, TEACHER]
    part = PixelWeights(exact=0.5, hint=2.0, pseudo=0.25, human=4.0)
    found = part(labels(*((1, 255, int(origin)) for origin in origins)))
    assert found.flatten().tolist() == [0, 0.5, 2.0, 0.25, 4.0, 0]


def test_ignored_and_unsure_pixels_do_not_count_and_others_by_their_confidence():
    """To the power asked for."""
    part = PixelWeights(confidence=2.0, least=0.4)
    found = part(labels((IGNORE, 255, 1), (0, 51, 1), (0, 102, 1), (0, 255, 1)))
    assert found.flatten().tolist() == pytest.approx([0, 0, 0.16, 1.0])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"hint": -1.0}, "hint"),
        ({"least": 1.5}, "least"),
        (dict.fromkeys(("exact", "hint", "pseudo", "human"), 0.0), "nothing"),
    ],
)
def test_impossible_weights_are_refused(change, words):
    """By name."""
    with pytest.raises(ConfigError, match=words):
        PixelWeights(**change)
