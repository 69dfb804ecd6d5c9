"""Label quality of pictures and pixels beside cleanlab's segmentation ranking: same scores, turn about."""

import time

import numpy as np
import pytest
from scipy import ndimage

from factory.acquire.candidates import pooled
from factory.acquire.label_issue import self_confidence

PICTURES, CLASSES, HEIGHT, WIDTH, TURNS = 24, 11, 360, 480, 7


def predictions() -> tuple[np.ndarray, np.ndarray]:
    """Smooth class probabilities (N, K, H, W), and labels (N, H, W) that mostly go with them."""
    rng = np.random.default_rng(0)
    coarse = rng.normal(size=(PICTURES, CLASSES, HEIGHT // 30, WIDTH // 30))
    logits = 4 * ndimage.zoom(coarse, (1, 1, 30, 30), order=1).astype(np.float32)
    probability = np.exp(logits)
    probability /= probability.sum(axis=1, keepdims=True)
    labels = (probability * rng.uniform(0.5, 1, (PICTURES, CLASSES, 1, 1))).argmax(axis=1)
    return np.ascontiguousarray(probability), labels


@pytest.mark.slow
def test_label_quality_is_cleanlabs() -> None:
    """Scores equal to rounding, so the ranking is the same."""
    rank = pytest.importorskip("cleanlab.segmentation.rank", reason="the peer: pip install cleanlab==2.9.0")
    probability, labels = predictions()
    whole = np.ones((HEIGHT, WIDTH), np.intp)
    eight = labels.astype(np.uint8)
    times: dict[str, list[float]] = {"ours": [], "theirs": []}
    for _ in range(TURNS):
        began = time.process_time()
        expected, expected_pixels = rank.get_label_quality_scores(labels, probability, verbose=False)
        between = time.process_time()
        pixels, found = [], []
        for pair in zip(eight, probability, strict=True):
            pixels.append(self_confidence(*pair))
            found.append(1 - float(pooled(1 - pixels[-1], whole, 1, 0.1)[0]))
        times["theirs"].append(between - began)
        times["ours"].append(time.process_time() - between)
    np.testing.assert_array_equal(np.stack(pixels), expected_pixels.astype(np.float32))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert np.argsort(found, kind="stable").tolist() == np.argsort(expected, kind="stable").tolist()
    ours, theirs = (1e3 * float(np.median(times[name])) / PICTURES for name in ("ours", "theirs"))
    print(f"\nlabel quality of {HEIGHT} x {WIDTH} x {CLASSES}: {ours:.2f} ms;", end=" ")
    print(f"cleanlab {theirs:.2f} ms, {theirs / ours:.1f} times as long")
