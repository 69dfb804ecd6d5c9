"""Label quality of pictures and pixels beside cleanlab's segmentation ranking: same scores, turn about."""

import time
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import ndimage

from factory.acquire.candidates import pooled
from factory.acquire.label_issue import LabelIssue
from factory.acquire.moments import Map, Moments

PICTURES, CLASSES, HEIGHT, WIDTH, TURNS, TEMPERATURE = 24, 11, 360, 480, 7, 0.1


def predictions() -> tuple[np.ndarray, np.ndarray]:
    """Smooth class probabilities (N, K, H, W), and labels (N, H, W) that mostly go with them."""
    rng = np.random.default_rng(0)
    coarse = rng.normal(size=(PICTURES, CLASSES, HEIGHT // 30, WIDTH // 30))
    logits = 4 * ndimage.zoom(coarse, (1, 1, 30, 30), order=1).astype(np.float32)
    probability = np.exp(logits)
    probability /= probability.sum(axis=1, keepdims=True)
    labels = (probability * rng.uniform(0.5, 1, (PICTURES, CLASSES, 1, 1))).argmax(axis=1)
    return np.ascontiguousarray(probability), labels


def ours(labels: np.ndarray, probability: np.ndarray) -> list[float]:
    """Pictures' qualities as `select` finds them, one after the other."""
    whole, pixels = np.ones((HEIGHT, WIDTH), np.intp), np.array([HEIGHT * WIDTH])
    doubts = map(doubted, labels, probability)
    return [1 - float(pooled(doubt_hw, whole, pixels, TEMPERATURE)[0]) for doubt_hw in doubts]


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
def test_label_quality_is_cleanlabs() -> None:
    """Scores equal to rounding, so the ranking is the same."""
    rank = pytest.importorskip("cleanlab.segmentation.rank", reason="the peer: pip install cleanlab==2.9.0")

    def theirs(labels: np.ndarray, probability: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return rank.get_label_quality_scores(labels, probability, verbose=False, temperature=TEMPERATURE)

    probability, labels = predictions()
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
        print(
            f"\nlabel quality of {HEIGHT} x {WIDTH} x {CLASSES}, {where}, {torch.get_num_threads()} threads:", end=" "
        )
        print(f"{mine:.2f} ms; cleanlab {peer:.2f} ms, {peer / mine:.1f} times as long")
