"""Masks of magnetic tiles' defects from tags alone, measured: ``python -m tests.benchmarks.magnetic_tile``.

A folder of the photographs and a CSV of their tags are made from FACTORY_DATA, the factory labels them, and the masks
are compared with the real ones, which it has not read. ``rehearsal`` as first word takes sound tiles with drawn
defects instead (settings are chosen on these; ``seed=…`` draws others); every other word goes to the factory.
"""

import csv
import os
import sys
import time
from pathlib import Path

import cv2
import numpy as np

from factory.__main__ import main
from factory.core.dataset import Dataset
from tests.benchmarks.drawn_defects import rehearsal

DATA = Path(os.environ.get("FACTORY_DATA", "../shared/data")) / "magnetic_tile"
DEFECTS = ("Blowhole", "Break", "Crack", "Fray", "Uneven")
Truth = dict[str, np.ndarray]


def photographs() -> dict[str, tuple[str, Path]]:
    """Class and file of each picture, by name."""
    kinds = (*DEFECTS, "Free")
    return {path.stem: (kind, path) for kind in kinds for path in sorted((DATA / f"MT_{kind}/Imgs").glob("*.jpg"))}


def real(folder: Path) -> None:
    """The photographs as they are, the CSV of their tags, and apart from both their masks as class ids."""
    kinds = {}
    (folder / "truth").mkdir(exist_ok=True)
    for name, (kind, path) in photographs().items():
        kinds[name] = kind
        (folder / "images" / path.name).write_bytes(path.read_bytes())
        class_id = 1 + DEFECTS.index(kind) if kind in DEFECTS else 0
        cv2.imwrite(str(folder / "truth" / f"{name}.png"), class_id * true_mask(path).astype(np.uint8))
    write_tags(folder / "tags.csv", kinds)


def true_mask(photograph: Path) -> np.ndarray:
    """Where the defect is; the PNGs hold grey values along the edges."""
    found_hw: np.ndarray = cv2.imread(str(photograph.with_suffix(".png")), 0) >= 128
    return found_hw


def drawn(folder: Path, seed: int) -> Truth:
    """Sound tiles, defects drawn on some of them, and where these are."""
    sound = {name: cv2.imread(str(path), 0) for name, (kind, path) in photographs().items() if kind == "Free"}
    made = rehearsal(sound, seed)
    for name, _, grey, _ in made:
        cv2.imwrite(str(folder / "images" / f"{name}.png"), grey)
    write_tags(folder / "tags.csv", {name: kind for name, kind, _, _ in made})
    return {name: mask for name, _, _, mask in made}


def write_tags(path: Path, kinds: dict[str, str]) -> None:
    """One row a picture; sound ones deny every defect."""
    with path.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["image", "tag", "present"])
        for name, kind in kinds.items():
            said = [(kind, 1)] if kind != "Free" else [(defect, 0) for defect in DEFECTS]
            rows.writerows([name, defect.lower(), present] for defect, present in said)


def truth_of(labelled: Dataset) -> Truth:
    """The real masks."""
    paths = {name: path for name, (_, path) in photographs().items()}
    return {sample.id: true_mask(paths[sample.id]) for sample in labelled.samples}


def ious(labelled: Dataset, truth: Truth) -> dict[str, float]:
    """Data-set IoU of each defect: intersections and unions are summed over all pictures."""
    found = {}
    for defect in DEFECTS:
        class_id = labelled.classes.names.index(defect.lower())
        both = either = 0
        for sample in labelled.samples:
            said = labelled.mask(sample) == class_id
            there = truth[sample.id] & (class_id in sample.hints.tags)
            both, either = both + int((said & there).sum()), either + int((said | there).sum())
        found[defect] = both / max(either, 1)
    return found


def measure(words: list[str]) -> dict[str, float]:
    """Run and compare; the row that BENCHMARKS.md keeps is printed."""
    if not DATA.is_dir():
        raise SystemExit(f"no magnetic tiles at {DATA}: set FACTORY_DATA")
    rehearsing = words[:1] == ["rehearsal"]
    words = words[1:] if rehearsing else words
    name = "magnetic_tile_rehearsal" if rehearsing else "magnetic_tile"
    folder = Path("outputs") / f"{name}_photographs"
    (folder / "images").mkdir(parents=True, exist_ok=True)
    seed = next((int(word[5:]) for word in words if word.startswith("seed=")), 0)
    truth = drawn(folder, seed) if rehearsing else None
    if truth is None:
        real(folder)
    began = time.monotonic()
    if main(["run", "experiment=magnetic_tile", f"name={name}", f"photographs={folder}", *words]):
        raise SystemExit(1)
    seconds = time.monotonic() - began
    root = next((Path(word[5:]) for word in words if word.startswith("root=")), Path("outputs") / name)
    labelled = Dataset.open(root / "label")
    found = ious(labelled, truth if truth is not None else truth_of(labelled))
    figures = " ".join(f"{defect} {iou:.3f}" for defect, iou in found.items())
    print(f"{name}: {figures} mean {np.mean(list(found.values())):.3f}; {seconds:.0f} s")
    return found


if __name__ == "__main__":
    measure(sys.argv[1:])
