"""Scores that were predicted before are read as they were, sharpened or softened."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from factory.core.picture import Picture
from factory.core.sample import Hints
from factory.label.foretold import Foretold
from tests.full_disk import cut_at


@pytest.mark.parametrize(("certainty", "expected"), [(1.0, [0.6, 0.4]), (0.5, [0.5505, 0.4495]), (1000.0, [1.0, 0.0])])
def test_scores_are_probabilities_however_sure(tmp_path: Path, certainty: float, expected: list[float]) -> None:
    """Powers of all of them may vanish; a picture of another size, here twice as wide, has them enlarged."""
    place = Foretold(folder=str(tmp_path), certainty=certainty)
    given = Picture(id="a.b", image=np.zeros((3, 8, 3), np.uint8), hints=Hints())
    assert not place.knows("a.b")
    place.keep("a.b", np.broadcast_to(np.array([0.6, 0.4], np.float32)[:, None, None], (2, 3, 4)))
    assert place.knows("a.b")
    assert [path.name for path in tmp_path.iterdir()] == ["a.b.npy"]
    found = place(given, 2)
    assert found.shape == (2, 3, 8)
    np.testing.assert_allclose(found, np.broadcast_to(np.array(expected)[:, None, None], found.shape), atol=1e-3)


def test_scores_that_a_full_disk_cuts_short_leave_nothing_and_name_their_file(tmp_path: Path) -> None:
    """NumPy told so many items "requested" and "written", of no file, and what it had written stayed."""
    place = Foretold(folder=str(tmp_path))
    with cut_at(1000), pytest.raises(OSError, match="large") as error:
        place.keep("a", np.full((2, 40, 40), 0.5, np.float32))
    assert error.value.filename == str(tmp_path / "a.npy")
    assert not list(tmp_path.iterdir())
