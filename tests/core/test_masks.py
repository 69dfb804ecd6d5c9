"""Masks laid over photographs."""

import numpy as np

from factory.core import masks
from factory.core.classes import IGNORE, ClassList

PHOTO = np.full((6, 9, 3), (200, 100, 40), np.uint8)
MASK = np.repeat(np.repeat(np.array([[0, 1, IGNORE]], np.uint8), 6, axis=0), 3, axis=1)


def test_an_overlay_tells_every_class_from_what_nobody_knows():
    """Black leaves the photograph as it is, other colours tint it, what is ignored has lost its colours."""
    plain = masks.overlay(PHOTO, MASK, ClassList.of(["ground", "coin"]))
    assert (plain[:, :3] == PHOTO[:, :3]).all()
    assert (plain[:, 4] != PHOTO[:, 4]).any(axis=1).all()
    faded = plain[:, 7].astype(int)
    assert (np.ptp(faded, axis=1) < 20).all()
    assert (faded.mean(axis=1) > 113).all()


def test_class_0_is_tinted_where_it_was_given_a_colour():
    """As sky is, which is a class like any other."""
    drawn = masks.overlay(PHOTO, MASK, ClassList.of(["sky", "road"], [[128, 128, 128], [128, 64, 128]]), opacity=0.5)
    assert (drawn[:, 0] == (164, 114, 84)).all()
