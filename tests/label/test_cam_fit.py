"""How a classifier of tags learns: its rates, and what rare classes count."""

from pathlib import Path

import numpy as np
import pytest

from factory.label.cam.fit import Course, Training, _cycle
from factory.label.cam.statements import ABSENT, OPEN, PRESENT, Statements


def course(said_nk: np.ndarray, place: Path) -> Course:
    """A training that only its statements matter to."""
    ids = [f"p{row}" for row in range(len(said_nk))]
    return Course(
        training=Training(steps=1, batch=1, encoder_lr=0.0, head_lr=0.1, longest=64), shares=[1.0], place=place,
        statements=Statements(ids=ids, said_nk=said_nk), image=None, kept=None, seed=0, title="course",
    )  # fmt: skip


def test_rates_rise_over_a_tenth_and_fall_along_half_a_cosine() -> None:
    """A first step at the full rate would undo what the encoder came with."""
    found = [_cycle(done) for done in (0.01, 0.05, 0.1, 0.325, 0.55, 0.775, 1.0)]
    np.testing.assert_allclose(found, [0.1, 0.5, 1, 0.5 + 0.125**0.5, 0.5, 0.5 - 0.125**0.5, 0], atol=1e-12)


@pytest.mark.parametrize(("present", "weight"), [(0, 7), (1, 7), (4, 7), (20, 3), (100, 1), (200, 1 / 7)])
def test_pictures_of_rare_classes_count_more_but_not_without_end(tmp_path: Path, present: int, weight: float) -> None:
    """The root of the odds against the class among 200 pictures, as of one that a fiftieth show where fewer do."""
    said_nk = np.full((300, 1), OPEN, np.int8)
    said_nk[:200] = ABSENT
    said_nk[:present] = PRESENT
    np.testing.assert_allclose(course(said_nk, tmp_path / "state")._weights().numpy(), [weight], rtol=1e-6)
