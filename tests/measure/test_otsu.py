"""The classical peer."""

import numpy as np
import pytest

from factory.core.errors import ConfigError
from factory.measure.otsu import Otsu


def ring() -> np.ndarray:
    """A bright ring on a dark ground, grey as RGB."""
    down, across = np.mgrid[0:40, 0:40] - 20
    radius = np.hypot(down, across)
    return np.repeat(np.where((radius < 15) & (radius > 8), 200, 40).astype(np.uint8)[..., None], 3, axis=2)


def test_a_bright_ring_becomes_a_full_disc():
    """Holes are filled."""
    down, across = np.mgrid[0:40, 0:40] - 20
    assert ((np.hypot(down, across) < 15) == (Otsu()(ring()) == 1)).all()


def test_dark_objects_are_found_when_asked_for():
    """The other side of the threshold, with the class asked for."""
    assert set(np.unique(Otsu(bright=False, class_id=3)(ring()))) == {3}
    assert (Otsu(bright=False)(255 - ring()) == Otsu()(ring())).all()


def test_a_picture_of_one_grey_has_no_objects():
    """There is no threshold in it."""
    assert not Otsu()(np.full((5, 6, 3), 90, np.uint8)).any()


def test_the_background_cannot_be_the_objects_class():
    """Class 0 is the rest."""
    with pytest.raises(ConfigError, match="class_id"):
        Otsu(class_id=0)
