"""Scribbles of people on ten photographs: our masks beside GrabCut's and the random walker's.

    python -m tests.benchmarks.grabcut <folder> [words of factory label …]

Reads ``grabcut_scribbles`` of FACTORY_DATA: photographs, two sets of scribbles (1 object, 2 background) and truth (255
object, 0 background, 128 unknown, which counts nowhere). Artefacts go to ``folder``. The peers see the same scribbles:
OpenCV's GrabCut begins with each pixel as its nearest scribble is, five iterations; scikit-image's random walker with
its own settings.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt
from skimage.segmentation import random_walker

from factory.__main__ import main
from factory.core.dataset import Dataset
from factory.core.masks import read_png

Map8 = npt.NDArray[np.uint8]
SETS = ("scribbles_1", "scribbles_2")
OBJECT, BACKGROUND, UNSAID = 1, 0, 255
UNKNOWN = 128
REFINER = ["refiner=dense_crf"]


def run(folder: Path, words: list[str]) -> dict[str, npt.NDArray[np.float64]]:
    """IoU, error rate and seconds a picture by method, each of shape (sets, 3); prints the table."""
    data = Path(os.environ["FACTORY_DATA"]) / "grabcut_scribbles"
    found: dict[str, list[tuple[float, float, float]]] = {}
    for name in SETS:
        given = _ingested(data, name, folder)
        ours, seconds = _labelled(given, folder / f"{name}-label", words)
        by_id = {sample.id: sample for sample in ours.samples}
        methods = {"ours": [ours.mask(by_id[sample.id]) for sample in given.samples]}
        spent = {"ours": seconds}
        for method, peer in PEERS.items():
            began = time.process_time()
            methods[method] = [peer(given.image(sample), given.picture(sample).seeds_hw) for sample in given.samples]
            spent[method] = (time.process_time() - began) / len(given.samples)
        for method, masks in methods.items():
            iou, error = measured([sample.id for sample in given.samples], data / "masks", masks)
            found.setdefault(method, []).append((iou, error, spent[method]))
    for method, (one, two) in found.items():
        ious = f"IoU {one[0]:.3f} {two[0]:.3f} mean {np.mean([one[0], two[0]]):.3f}"
        print(f"{method:30} {ious}   error {one[1]:.3f} {two[1]:.3f}   {one[2]:.2f} s a picture")
    return {method: np.array(rows) for method, rows in found.items()}


def made(*words: str) -> None:
    """A command of the factory's; where it fails it has said why, and the benchmark ends."""
    if main([*words]):
        raise SystemExit(1)


def grabcut(image_hwc: Map8, said_hw: Map8) -> Map8:
    """OpenCV's, from the nearest scribble."""
    distances = [distance_transform_edt(said_hw != class_id) for class_id in (BACKGROUND, OBJECT)]
    state_hw = np.where(distances[1] < distances[0], cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    state_hw[said_hw == OBJECT], state_hw[said_hw == BACKGROUND] = cv2.GC_FGD, cv2.GC_BGD
    cv2.setRNGSeed(0)
    models, nowhere = (np.zeros((1, 65)), np.zeros((1, 65))), (0, 0, 0, 0)
    cv2.grabCut(np.ascontiguousarray(image_hwc[..., ::-1]), state_hw, nowhere, *models, 5, cv2.GC_INIT_WITH_MASK)
    return np.isin(state_hw, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)


def walker(image_hwc: Map8, said_hw: Map8) -> Map8:
    """scikit-image's, with its default edge weights."""
    labels_hw = np.where(said_hw == UNSAID, 0, said_hw.astype(np.int32) + 1)
    found_hw = random_walker(image_hwc, labels_hw, mode="cg_j", channel_axis=-1)
    return np.asarray(found_hw - 1, np.uint8)


PEERS = {"GrabCut (OpenCV)": grabcut, "random walker (scikit-image)": walker}


def _ingested(data: Path, name: str, folder: Path) -> Dataset:
    words = [
        f"images={data}/images", f"scribbles={data}/{name}", "scribble_ids=[[0,255],[2,0]]",
        "classes=[background,object]", "split=train", f"out={folder}/{name}",
    ]  # fmt: skip
    made("ingest", *words)
    return Dataset.open(folder / name)


def _labelled(given: Dataset, out: Path, words: list[str]) -> tuple[Dataset, float]:
    began = time.process_time()
    fixed = [f"source={given.root}", "labeler=committee", *REFINER, "min_confidence=0", "executor=serial", f"out={out}"]
    made("label", *fixed, "overwrite=true", *words)
    return Dataset.open(out), (time.process_time() - began) / len(given.samples)


def measured(names: list[str], truths: Path, masks: list[Map8]) -> tuple[float, float]:
    """Mean IoU of the object, and mean share of wrong pixels, over the photographs."""
    ious, errors = [], []
    for name, found_hw in zip(names, masks, strict=True):
        truth_hw = read_png(truths / f"{name}.png")
        known, there, here = truth_hw != UNKNOWN, truth_hw == 255, found_hw == OBJECT
        ious.append((there & here & known).sum() / ((there | here) & known).sum())
        errors.append((there != here)[known].mean())
    return float(np.mean(ious)), float(np.mean(errors))


if __name__ == "__main__":
    run(Path(sys.argv[1]), sys.argv[2:])
