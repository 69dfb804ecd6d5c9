"""Scribbles of people on ten photographs, with settings found on audited masks of other photographs than the measured.

    python -m tests.benchmarks.grabcut_audited <folder> <encoder weights> [words of factory calibrate …]

Two folds of five photographs. For each, ``factory calibrate`` searches on the other five, with the masks and with both
sets of scribbles that people drew, and ``factory label`` takes what was found. No photograph has any part in the
settings that it is labelled with. Prints the mean IoU of the object and the share of wrong pixels for both sets.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from factory.core.dataset import Dataset
from tests.benchmarks.grabcut import REFINER, SETS, Map8, made, measured

FOLDS = 2


def run(folder: Path, weights: str, words: list[str]) -> None:
    """Calibrate, label and measure; artefacts go to ``folder``."""
    data = Path(os.environ["FACTORY_DATA"]) / "grabcut_scribbles"
    names = sorted(path.stem for path in (data / "images").iterdir())
    labeler = ["labeler=scribbles", f"labeler.features.weights={weights}", *REFINER, "executor=serial"]
    found: dict[str, dict[str, Map8]] = {name: {} for name in SETS}
    for fold in range(FOLDS):
        here = folder / f"fold-{fold}"
        kept = names[fold::FOLDS]
        audited = _ingested(data, [name for name in names if name not in kept], SETS, here / "audited", masks=True)
        asked = [f"source={audited}", "supervision=null", "images=10", f"out={here}/calibrate", *words]
        made("calibrate", *labeler, *asked)
        for one in SETS:
            given = _ingested(data, kept, (one,), here / one, masks=False)
            out = here / f"{one}-label"
            said = [f"source={given}", f"calibration={here}/calibrate", "min_confidence=0", f"out={out}"]
            made("label", *labeler, *said)
            labelled = Dataset.open(out)
            found[one] |= {sample.id.partition("__")[0]: labelled.mask(sample) for sample in labelled.samples}
    print(_table(data, names, found))


def _ingested(data: Path, names: list[str], sets: tuple[str, ...], out: Path, *, masks: bool) -> Path:
    """Some photographs, once for each of the sets of scribbles, mirrored the second time, with masks or without."""
    files = out.with_name(f"{out.name}-files")
    kinds = {"images": ".jpg", "scribbles": ".png"} | ({"masks": ".png"} if masks else {})
    for kind, suffix in kinds.items():
        (files / kind).mkdir(parents=True, exist_ok=True)
        for name in names:
            for one in sets:
                source, copy = data / (one if kind == "scribbles" else kind) / f"{name}{suffix}", f"{name}__{one}"
                if one == sets[0]:
                    shutil.copyfile(source, files / kind / f"{copy}{suffix}")
                else:
                    with Image.open(source) as picture:
                        ImageOps.mirror(picture).save(files / kind / f"{copy}.png")
    inputs = [f"{kind}={files / kind}" for kind in kinds]
    meant = ["mask_ids=[[255,1],[128,255]]", "scribble_ids=[[0,255],[2,0]]", "classes=[background,object]"]
    made("ingest", *inputs, *meant, "split=train", "executor=serial", f"out={out}")
    return out


def _table(data: Path, names: list[str], found: dict[str, dict[str, Map8]]) -> str:
    rows = [(one, *measured(names, data / "masks", [masks[name] for name in names])) for one, masks in found.items()]
    said = [f"{one}: IoU {iou:.4f}, error {error:.4f}" for one, iou, error in rows]
    return "\n".join([*said, f"mean IoU {np.mean([iou for _, iou, _ in rows]):.4f}"])


if __name__ == "__main__":
    run(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
