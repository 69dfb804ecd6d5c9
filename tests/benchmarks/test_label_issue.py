"""Label quality of pictures and pixels beside cleanlab's segmentation ranking: same scores, turn about."""

import time
from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage

from factory.acquire.candidates import pooled
from factory.acquire.label_issue import LabelIssue
from factory.acquire.moments import Map, Moments
from tests.benchmarks.test_camvid import DATA

PICTURES, CLASSES, HEIGHT, WIDTH, TURNS, TEMPERATURE = 24, 11, 360, 480, 7, 0.1
WHOLE, PIXELS = np.ones((HEIGHT, WIDTH), np.intp), np.array([HEIGHT * WIDTH])
MASKS = sorted((DATA / "valannot").glob("*.png"))


def wavering() -> tuple[np.ndarray, np.ndarray]:
    """Smooth class probabilities (N, K, H, W), and labels (N, H, W) that mostly go with them, drawn for each pixel."""
    probability = softmax(ripples())
    labels = (probability * np.random.default_rng(1).uniform(0.5, 1, probability.shape)).argmax(axis=1)
    return probability, labels


def peoples() -> tuple[np.ndarray, np.ndarray]:
    """The same of CamVid's validation frames: people's masks, void as the class nearest, and what may be predicted."""
    labels = np.stack([filled(np.asarray(Image.open(file))) for file in MASKS[:: len(MASKS) // PICTURES][:PICTURES]])
    one_hot = (labels[:, None] == np.arange(CLASSES)[:, None, None]).astype(np.float32)
    return softmax(ripples() + 8 * ndimage.gaussian_filter(one_hot, (0, 0, 4, 4))), labels


def filled(mask_hw: np.ndarray) -> np.ndarray:
    """No void: cleanlab knows no ignore index."""
    rows, columns = ndimage.distance_transform_edt(mask_hw >= CLASSES, return_distances=False, return_indices=True)
    return mask_hw[rows, columns].astype(np.int64)


def ripples() -> np.ndarray:
    """Scores (N, K, H, W) that change over some thirty pixels."""
    coarse = np.random.default_rng(0).normal(size=(PICTURES, CLASSES, HEIGHT // 30, WIDTH // 30))
    return 4 * ndimage.zoom(coarse, (1, 1, 30, 30), order=1).astype(np.float32)


def softmax(scores: np.ndarray) -> np.ndarray:
    """Probabilities over the second axis."""
    weights = np.exp(scores)
    return np.ascontiguousarray(weights / weights.sum(axis=1, keepdims=True))


def ours(labels: np.ndarray, probability: np.ndarray) -> list[float]:
    """Pictures' qualities as `select` finds them, one after the other."""
    doubts = map(doubted, labels, probability)
    return [1 - float(pooled(doubt_hw, WHOLE, PIXELS, TEMPERATURE)[0]) for doubt_hw in doubts]


def doubted(label_hw: np.ndarray, mean_khw: Map) -> Map:
    """How much each pixel's label is doubted."""
    return LabelIssue()(Moments(mean_khw=mean_khw, entropy_hw=np.empty((0, 0), np.float32), label_hw=label_hw))


def seconds(asked: Callable[..., object], labels: np.ndarray, probability: np.ndarray, fresh: bool) -> float:
    """Wall clock; ``fresh``: of pictures asked about one by one, whose probabilities have just been made."""
    spent, step = 0.0, 1 if fresh else len(labels)
    for start in range(0, len(labels), step):
        given = probability[start : start + step].copy() if fresh else probability
        began = time.perf_counter()
        asked(labels[start : start + step], given)
        spent += time.perf_counter() - began
    return spent


@pytest.mark.slow
@pytest.mark.parametrize(
    "labelled",
    [wavering, pytest.param(peoples, marks=[pytest.mark.data, pytest.mark.skipif(not MASKS, reason=f"no {DATA}")])],
)
def test_label_quality_is_cleanlabs(labelled: Callable[[], tuple[np.ndarray, np.ndarray]]) -> None:
    """Scores equal to rounding, so the ranking is the same."""
    rank = pytest.importorskip("cleanlab.segmentation.rank", reason="the peer: pip install cleanlab==2.9.0")

    def theirs(labels: np.ndarray, probability: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return rank.get_label_quality_scores(labels, probability, verbose=False, temperature=TEMPERATURE)

    probability, labels = labelled()
    eight = labels.astype(np.uint8)
    expected, confidence = theirs(labels, probability)
    found = ours(eight, probability)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert np.argsort(found, kind="stable").tolist() == np.argsort(expected, kind="stable").tolist()
    np.testing.assert_allclose(1 - np.stack(list(map(doubted, eight, probability))), confidence, atol=1e-7)
    for fresh in (False, True):
        turns = [
            (seconds(ours, eight, probability, fresh), seconds(theirs, labels, probability, fresh))
            for _ in range(TURNS)
        ]
        mine, peer = 1e3 * np.median(turns, axis=0) / PICTURES
        where = "just predicted" if fresh else "in memory"
        what = f"{labelled.__name__} labels of {HEIGHT} x {WIDTH} x {CLASSES}, {where}"
        print(f"\nquality of {what}, {torch.get_num_threads()} threads:", end=" ")
        print(f"{mine:.2f} ms; cleanlab {peer:.2f} ms, {peer / mine:.1f} times as long")
