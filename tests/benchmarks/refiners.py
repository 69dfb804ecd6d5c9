"""Every refiner beside its peers: how good, how fast, on what a model says and on clicks.

``FACTORY_DATA=… python -m tests.benchmarks.refiners <model artefact> [pictures]`` takes CamVid's validation frames at
360 × 480 (every n-th, so that there are about that many, 21) and three kinds of scores: the model's probabilities
(``model``), the `points` labeler's from 20 random clicks (``points``), the clicks alone (``clicks``). Prints mIoU and
milliseconds of the processor a picture (median; one thread; all take turns), and the same as one line of JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image
from skimage.segmentation import random_walker

from factory.command import tree
from factory.command.bind import make_part
from factory.core.artefact import Model
from factory.core.classes import IGNORE
from factory.core.picture import Picture
from factory.core.sample import Hints
from factory.measure.iou import Confusion
from factory.refine import Refiner
from factory.refine.dense_crf import DenseCrf
from factory.segment import checkpoint
from factory.segment.predict import Predictor
from tests.command.composing import composed

CLASSES, CLICKS = 11, 20
PUBLISHED = {
    "PSA": (3, 3, 80, 13, 10),
    "IRN": (3, 3, 50, 5, 10),
    "AFA, WeCLIP": (3, 3, 64, 5, 4),
    "ToCo": (1, 1, 121, 5, 4),
    "TEL": (1, 3, 10, 3, 4),
}
"""Dense CRF settings of papers on weak supervision, as their code has them: fields of `DenseCrf` after the first."""
Decide = Callable[[np.ndarray, np.ndarray], np.ndarray]
Figures = dict[str, dict[str, dict[str, float]]]


def configured(group: str, choice: str) -> Any:
    """A part as its YAML file sets it up."""
    ((config, _),) = composed("label", f"{group}={choice}")
    return make_part(group, config[group])


def mask_of(refiner: Refiner, image: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """What a refiner decides."""
    return refiner(image, scores)[0]


def by_scikit_image(image: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """The seeded random walker; it takes seeds alone, so only clicks are its kind of scores."""
    seeds = np.where(scores.max(axis=0) == 1, scores.argmax(axis=0) + 1, 0)
    known = np.unique(seeds[seeds > 0])
    found = random_walker(image / 255, seeds, beta=130, mode="cg_j", channel_axis=-1)
    return known[found - 1] - 1


def contestants() -> dict[str, Decide]:
    """Everybody by name; pydensecrf also with published settings, and `fast_crf`'s, at its usual 10 iterations."""
    parts = {choice: configured("refiner", choice) for choice in tree.choices("refiner")}
    parts["dense_crf, as fast_crf"] = DenseCrf(**asdict(parts["fast_crf"]) | {"iterations": 10})
    for paper, settings in PUBLISHED.items():
        keys = ("spatial_sxy", "spatial_compat", "bilateral_sxy", "bilateral_srgb", "bilateral_compat")
        parts[f"dense_crf, {paper}"] = DenseCrf(iterations=10, **dict(zip(keys, settings, strict=True)))
    return {name: partial(mask_of, part) for name, part in parts.items()} | {"scikit-image": by_scikit_image}


def problems(model: Path, count: int) -> Iterator[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
    """Kind of scores, image, scores, truth."""
    data = Path(os.environ.get("FACTORY_DATA", "../shared/data")) / "camvid"
    predictor = Predictor(trained=checkpoint.load(Model.open(model).path("best.ckpt")))
    files = sorted((data / "val").glob("*.png"))
    for seed, file in enumerate(files[:: max(1, len(files) // count)]):
        image = np.array(Image.open(file).convert("RGB"))
        truth = np.array(Image.open(data / "valannot" / file.name))
        truth[truth >= CLASSES] = IGNORE
        yield "model", image, predictor(image), truth
        for kind, scores in clicked(image, truth, seed):
            yield kind, image, scores, truth


def clicked(image: np.ndarray, truth: np.ndarray, seed: int) -> Iterator[tuple[str, np.ndarray]]:
    """What the labeler `points` makes of random clicks, and the clicks themselves."""
    rows, columns = np.nonzero(truth != IGNORE)
    chosen = np.random.default_rng(seed).choice(len(rows), CLICKS, replace=False)
    clicks = tuple((int(columns[i]), int(rows[i]), int(truth[rows[i], columns[i]])) for i in chosen)
    given = Picture(id="clicked", image=image, hints=Hints(points=clicks))
    for kind, labeler in (("points", "points"), ("clicks", "seeds")):
        yield kind, configured("labeler", labeler)(given, CLASSES)


def measured(model: Path, count: int) -> Figures:
    """mIoU in per cent and milliseconds by contestant and kind of scores."""
    everybody = contestants()
    matrices: dict[tuple[str, str], Confusion] = {}
    seconds: dict[tuple[str, str], list[float]] = {}
    for kind, image, scores, truth in problems(model, count):
        for name, decide in everybody.items():
            if name == "scikit-image" and kind != "clicks":
                continue
            began = time.process_time()
            mask = decide(image, scores)
            seconds.setdefault((name, kind), []).append(time.process_time() - began)
            matrices.setdefault((name, kind), Confusion(CLASSES)).add(truth, mask)
    found: Figures = {}
    for (name, kind), times in seconds.items():
        miou = 100 * matrices[name, kind].miou()
        found.setdefault(name, {})[kind] = {"miou": miou, "ms": 1000 * float(np.median(times[1:] or times))}
    return found


def on_gpu(model: Path, batch: int = 8) -> dict[str, float]:
    """Milliseconds a picture of the refiners that take batches, the model's scores already on the device."""
    taken = [(image, scores) for kind, image, scores, _ in problems(model, batch) if kind == "model"][:batch]
    images, scores = (torch.tensor(np.stack(maps)).cuda() for maps in zip(*taken, strict=True))
    parts = {choice: getattr(configured("refiner", choice), "posterior", None) for choice in tree.choices("refiner")}
    return {
        choice: milliseconds(partial(posterior, images.permute(0, 3, 1, 2), scores)) / len(taken)
        for choice, posterior in parts.items()
        if posterior
    }


def milliseconds(work: Callable[[], object], turns: int = 4) -> float:
    """The least of a few turns, the first left out; a GPU's work is waited for."""
    found = []
    for _ in range(turns):
        began = time.perf_counter()
        work()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        found.append(1000 * (time.perf_counter() - began))
    return min(found[1:])


if __name__ == "__main__":
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    where, number = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 21
    figures = measured(where, number)
    for name, kinds in figures.items():
        print(f"{name:24s}", *(f"{kind}: {one['miou']:5.1f} mIoU {one['ms']:6.0f} ms  " for kind, one in kinds.items()))
    if torch.cuda.is_available():
        figures["gpu"] = {choice: {"ms": value} for choice, value in on_gpu(where).items()}
        print("on the GPU, ms a picture:", {choice: round(one["ms"], 2) for choice, one in figures["gpu"].items()})
    print(json.dumps(figures))
