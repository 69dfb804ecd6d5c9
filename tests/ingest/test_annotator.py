"""A simulated person answers what is asked, and slips as much as told."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.core.classes import IGNORE
from factory.core.errors import ConfigError
from factory.ingest.supervision.annotator import Annotator

CAREFUL = {"one_class": False, "missed": 0.0, "wrong": 0.0, "shift": 0.0, "reach": 15.0}
TRUTH = np.array([[0, 0, 1, 1, 2, 2], [0, 0, 1, 1, 2, IGNORE], [0, 0, 0, 1, 2, IGNORE]], np.uint8)
REGIONS = np.array([[0, 1, 1, 1, 0, 2], [0, 1, 1, 1, 0, 2], [0, 1, 1, 1, 0, 2]])


def answered(truth_hw=TRUTH, regions_hw=REGIONS, seed: int = 0, **changes):
    """What the person says."""
    return Annotator(**CAREFUL | changes)(truth_hw, regions_hw, np.random.default_rng(seed))


def test_a_careful_person_paints_the_truth_in_the_regions_and_nothing_else() -> None:
    """What has no class stays open, and border is counted where it was drawn."""
    answer = answered()
    assert (answer.said_hw == np.where(REGIONS > 0, TRUTH, IGNORE)).all()
    assert answer.border_r.tolist() == [0, 4, 1]


def test_one_class_a_region_is_the_one_that_covers_most() -> None:
    """Also where that is none."""
    answer = answered(one_class=True)
    assert np.unique(answer.said_hw[REGIONS == 1]).tolist() == [1]
    assert np.unique(answer.said_hw[REGIONS == 2]).tolist() == [IGNORE]
    assert answer.border_r.tolist() == [0, 0, 0]


def test_slips_are_as_frequent_as_told_and_never_outside_the_regions() -> None:
    """A wrong name is another class of the picture; no answer is none."""
    truth = np.repeat(np.arange(4, dtype=np.uint8), 250)[None].repeat(2, axis=0)
    regions = np.arange(1, 1001)[None].repeat(2, axis=0)
    said = answered(truth, regions, wrong=0.3).said_hw
    assert set(np.unique(said)) <= {0, 1, 2, 3}
    assert (said != truth).mean() == pytest.approx(0.3, abs=0.06)
    silent = [answered(seed=seed, missed=0.5) is None for seed in range(200)]
    assert sum(silent) == pytest.approx(100, abs=30)


def test_borders_are_off_by_about_as_much_as_told() -> None:
    """Inside big things nothing changes."""
    truth = np.zeros((80, 80), np.uint8)
    truth[:, 40:] = 1
    said = answered(truth, np.ones((80, 80), int), shift=2.0).said_hw
    wrong_columns = np.flatnonzero((said != truth).any(axis=0))
    assert len(wrong_columns)
    assert abs(wrong_columns - 39.5).max() < 10


@given(st.integers(0, 2**32 - 1))
def test_the_same_draw_gives_the_same_answer(seed) -> None:
    """Whatever the slips."""
    first, second = (answered(seed=seed, wrong=0.5, shift=1.0) for _ in range(2))
    assert (first.said_hw == second.said_hw).all()
    assert ((first.said_hw == IGNORE) | (REGIONS > 0)).all()


@pytest.mark.parametrize("broken", [{"wrong": 2.0}, {"missed": -0.1}, {"shift": -1.0}, {"reach": 0.0}])
def test_settings_that_cannot_work_are_refused(broken) -> None:
    """By name."""
    with pytest.raises(ConfigError, match=next(iter(broken))):
        answered(**broken)
