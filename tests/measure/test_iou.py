"""Overlap figures against scikit-learn's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import confusion_matrix, f1_score, jaccard_score, precision_score, recall_score

from factory.core.classes import IGNORE, ClassList
from factory.measure.iou import Confusion

CLASSES = 4
ids = st.sampled_from([0, 1, 2, 3, IGNORE])
pairs = st.integers(1, 60).flatmap(
    lambda n: st.tuples(arrays(np.uint8, n, elements=ids), arrays(np.uint8, n, elements=st.integers(0, CLASSES - 1)))
)


def measured(*batches: tuple[np.ndarray, np.ndarray]) -> Confusion:
    """All batches counted into one matrix."""
    confusion = Confusion(CLASSES)
    for truth, guess in batches:
        confusion.add(truth, guess)
    return confusion


@settings(deadline=None)
@given(pairs)
def test_counts_are_sklearns_confusion_matrix_of_the_pixels_somebody_vouches_for(pair):
    """Rows are the truth, columns the prediction; ignored pixels are in neither."""
    truth, guess = pair
    known = truth != IGNORE
    expected = np.zeros((CLASSES, CLASSES), int)
    if known.any():
        expected = confusion_matrix(truth[known], guess[known], labels=range(CLASSES))
    assert (expected == measured(pair).counts_kk).all()


@settings(deadline=None)
@given(pairs)
def test_figures_by_class_are_sklearns_and_nan_where_they_mean_nothing(pair):
    """Classes that are absent on both sides count neither for nor against."""
    truth, guess = pair
    known = truth != IGNORE
    confusion = measured(pair)
    seen = sorted(set(truth[known]) | set(guess[known]))
    assert sorted(np.flatnonzero(~np.isnan(confusion.iou()))) == seen
    if seen:
        labels = {"labels": seen, "average": None, "zero_division": 0}
        np.testing.assert_allclose(jaccard_score(truth[known], guess[known], **labels), confusion.iou()[seen])
        np.testing.assert_allclose(f1_score(truth[known], guess[known], **labels), confusion.f1()[seen])
        there, named = sorted(set(truth[known])), sorted(set(guess[known]))
        assert sorted(np.flatnonzero(~np.isnan(confusion.recall()))) == there
        assert sorted(np.flatnonzero(~np.isnan(confusion.precision()))) == named
        labels["labels"] = there
        np.testing.assert_allclose(recall_score(truth[known], guess[known], **labels), confusion.recall()[there])
        labels["labels"] = named
        np.testing.assert_allclose(precision_score(truth[known], guess[known], **labels), confusion.precision()[named])
        assert confusion.miou() == pytest.approx(np.mean(confusion.iou()[seen]))
        assert confusion.pixel_accuracy() == pytest.approx(np.mean(truth[known] == guess[known]))


@settings(deadline=None)
@given(st.lists(pairs, min_size=1, max_size=4))
def test_one_matrix_over_the_whole_data_set_does_not_depend_on_how_it_is_cut_into_batches(batches):
    """Figures come from all pixels together, never from a mean over batches."""
    whole = tuple(np.concatenate(side) for side in zip(*batches, strict=True))
    assert (measured(whole).counts_kk == measured(*batches).counts_kk).all()


def test_figures_are_null_where_nothing_was_seen():
    """JSON holds no NaN."""
    confusion = Confusion(2)
    confusion.add(np.full((3, 3), IGNORE, np.uint8), np.zeros((3, 3), np.uint8))
    nothing = {"iou": None, "f1": None, "precision": None, "recall": None, "pixels": 0}
    expected = {"miou": None, "pixel_accuracy": None, "f1": None, "iou": {"a": None, "b": None}}
    assert {**expected, "by_class": {"a": nothing, "b": nothing}} == confusion.figures(ClassList.of(["a", "b"]))


def test_every_figure_stands_under_its_name():
    """By hand: of four pixels of a three were found, of six of b four."""
    confusion = Confusion(2)
    confusion.counts_kk += np.array([[3, 1], [2, 4]])
    figures = confusion.figures(ClassList.of(["a", "b"]))
    of_a = {"iou": 3 / 6, "f1": 2 / 3, "precision": 3 / 5, "recall": 3 / 4, "pixels": 4}
    of_b = {"iou": 4 / 7, "f1": 8 / 11, "precision": 4 / 5, "recall": 4 / 6, "pixels": 6}
    assert figures.pop("by_class") == {"a": pytest.approx(of_a), "b": pytest.approx(of_b)}
    assert figures.pop("iou") == pytest.approx({"a": 3 / 6, "b": 4 / 7})
    assert figures == pytest.approx({"miou": 15 / 28, "pixel_accuracy": 0.7, "f1": (2 / 3 + 8 / 11) / 2})
