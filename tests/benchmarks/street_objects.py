"""Single objects in CamVid photographs, to tune scribbles on: ``python -m tests.benchmarks.street_objects <folder>``.

Real photographs with true masks that have nothing to do with those that scribbles are measured on. Around the largest
region of each of some classes a window is cut in which it covers about a sixth; 1 is the object, 0 everything else, 255
what nobody labelled. Writes ``images/`` and ``masks/``; at most so many objects of each class, frames far apart.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import cv2
import numpy as np

CLASSES = {"building": 1, "tree": 5, "sign": 6, "car": 8, "pedestrian": 9, "bicyclist": 10}
VOID = 11
EVERY, EACH = 6, 8
LEAST, SHARE = 1500, 1 / 6
"""Pixels an object has at least, and the part of the window that it covers."""
SIDE = 320
"""Pixels of the longer side of what is written."""


def run(folder: Path) -> int:
    """Write the objects; how many there are."""
    data = Path(os.environ.get("FACTORY_DATA", "../shared/data")) / "camvid"
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    count = dict.fromkeys(CLASSES, 0)
    for path in sorted((data / "train").glob("*.png"))[::EVERY]:
        image, ids = cv2.imread(str(path)), cv2.imread(str(data / "trainannot" / path.name), cv2.IMREAD_UNCHANGED)
        for name, class_id in CLASSES.items():
            window = _window(ids, class_id)
            if window is None or count[name] == EACH:
                continue
            count[name] += 1
            mask = np.where(ids == VOID, 255, ids == class_id).astype(np.uint8)[window]
            factor = SIDE / max(mask.shape)
            stem = f"{path.stem}_{name}.png"
            cv2.imwrite(str(folder / "images" / stem), cv2.resize(image[window], None, fx=factor, fy=factor))
            small = cv2.resize(mask, None, fx=factor, fy=factor, interpolation=cv2.INTER_NEAREST)
            cv2.imwrite(str(folder / "masks" / stem), small)
    return sum(count.values())


def _window(ids: np.ndarray, class_id: int) -> tuple[slice, slice] | None:
    """Around the largest connected region of the class, where it is large enough."""
    regions, _, stats, middles = cv2.connectedComponentsWithStats((ids == class_id).astype(np.uint8))
    if regions < 2:
        return None
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    _, _, wide, tall, area = stats[largest]
    if area < LEAST:
        return None
    side = np.sqrt(area / SHARE)
    spans = []
    for middle, length, extent in (
        (middles[largest][1], ids.shape[0], tall),
        (middles[largest][0], ids.shape[1], wide),
    ):
        half = min(max(side, 1.2 * extent), length) / 2
        start = int(np.clip(middle - half, 0, length - 2 * half))
        spans.append(slice(start, start + int(2 * half)))
    return spans[0], spans[1]


if __name__ == "__main__":
    print(f"{run(Path(sys.argv[1]))} objects")
