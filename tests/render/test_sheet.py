"""The contact sheet shows every picture beside its mask, and says which colour is which class."""

import numpy as np
import pytest

from factory.core.classes import ClassList
from factory.render.sheet import MOST, WIDEST, chosen, contact_sheet

CLASSES = ClassList.of(["background", "coin"], [(0, 0, 0), (230, 159, 0)])


@pytest.mark.parametrize(("count", "shown"), [(1, 1), (16, 16), (500, 16)])
def test_at_most_a_sheet_of_pictures_is_shown_evenly_spread(count: int, shown: int) -> None:
    """Each at most once, from all over the set."""
    places = chosen(count)
    assert len(places) == len(set(places)) == shown <= MOST
    assert max(np.diff([*places, count])) <= -(-count // shown)


@pytest.mark.parametrize("size_hw", [(8, 8), (120, 160), (900, 1200)])
def test_image_and_mask_stand_side_by_side(size_hw: tuple[int, int]) -> None:
    """At their own size, whatever it is, and as many in a row as fit."""
    image = np.full((*size_hw, 3), 77, np.uint8)
    sheet = contact_sheet([(image, np.ones(size_hw, np.uint8))] * 3, CLASSES)
    height, width = size_hw
    assert (sheet[6 : 6 + height, 6 : 6 + width] == 77).all()
    assert (sheet[6 : 6 + height, 6 + width : 6 + 2 * width] == (230, 159, 0)).all()
    assert sheet.shape[1] <= max(WIDEST, 2 * width + 12)
