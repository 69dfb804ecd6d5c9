"""Every class in sight stands in the legend, whatever it is called."""

import numpy as np
import pytest

from factory.core.classes import ClassList
from factory.measure.legend import NO_LETTER, ROW, font, label_of, legend


def test_a_legend_grows_until_every_class_is_in_it():
    """Thirty long names in a narrow picture."""
    classes = ClassList.of([f"a class of many words, number {i}" for i in range(30)])
    drawn = legend(range(30), classes, 240)
    assert drawn.shape[1] == 240
    assert drawn.shape[0] >= 30 * ROW
    for colour in classes.colours:
        assert (drawn == colour).all(axis=2).sum() > 50


def test_short_names_share_a_row():
    """Two fit side by side."""
    assert len(legend([0, 1], ClassList.of(["a", "b"]), 240)) < 2 * ROW


@pytest.mark.parametrize("name", ["Böschung", "été", "ścieżka", "столб", "δρόμος"])
def test_letters_of_other_alphabets_are_drawn(name):
    """Pillow's own font has a box for each of them."""
    assert label_of(0, ClassList.of([name]), 500) == name
    box = bytes(font(12).getmask(NO_LETTER))
    assert box not in [bytes(font(12).getmask(letter)) for letter in name]


def test_what_the_font_cannot_write_is_told_by_number_and_what_is_too_long_is_cut():
    """Never boxes, never beyond the edge."""
    classes = ClassList.of(["ground", "看板", "w" * 90])
    assert label_of(1, classes, 500) == "class 1"
    assert label_of(2, classes, 100).endswith("w…")
    assert font(12).getlength(label_of(2, classes, 100)) <= 100
    assert np.array_equal(legend([2], classes, 120)[:, -1], np.full((ROW + 6, 3), (250, 250, 248)))
