"""Class areas and overlays."""

import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from factory.core.classes import IGNORE, ClassList
from factory.segment.areas import COLUMNS, areas, as_csv
from factory.segment.overlays import overlay

CLASSES = ClassList.of(["ground", "coin, old", 'the "third"'])


@given(
    arrays.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.sampled_from([0, 1, 2, 255]))
)
def test_areas_add_up_to_the_picture(mask):
    """Ignored pixels have a row of their own, and any name survives the CSV."""
    confidence = np.where(mask == IGNORE, 0, 51 * (mask + 1)).astype(np.uint8)
    text = as_csv([COLUMNS, *areas("a b.png", "a_b", mask, confidence, CLASSES)]).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["class"] for row in rows[:3]] == list(CLASSES.names)
    assert {(row["file"], row["id"]) for row in rows} == {("a b.png", "a_b")}
    assert sum(int(row["pixels"]) for row in rows) == mask.size
    assert sum(float(row["share"]) for row in rows) == pytest.approx(1, abs=1e-5)
    for class_id, row in enumerate(rows[:3]):
        assert row["mean_confidence"] == (f"{0.2 * (class_id + 1):.4f}" if class_id in mask else "")
    assert ("(unsure)" in text) == (IGNORE in mask)


@pytest.mark.parametrize(("size", "drawn"), [((300, 400), (300, 400)), ((50, 60), (250, 300)), ((1, 5000), (1, 2048))])
def test_overlays_are_of_a_size_to_look_at(size, drawn):
    """Small ones enlarged by a whole factor, large ones shrunk; the classes stand below."""
    mask = np.zeros(size, np.uint8)
    mask[:, : size[1] // 2] = 1
    found = overlay(np.full((*size, 3), 90, np.uint8), mask, CLASSES)
    assert found.shape[1] == drawn[1]
    assert drawn[0] < found.shape[0] < drawn[0] + 60
    assert (found[0, -1] == 90).all()
    assert (found[0, 0] != 90).any()


def test_many_classes_are_listed_in_as_many_rows_as_they_need():
    """None is left out."""
    many = ClassList.of([f"class number {i}" for i in range(40)])
    mask = np.resize(np.arange(40, dtype=np.uint8), (240, 240))
    height = overlay(np.zeros((240, 240, 3), np.uint8), mask, many).shape[0]
    assert height > 240 + 19 * 22
