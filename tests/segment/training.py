"""The train stage as tests call it: small, quick, on bright squares that anyone could find."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from factory.core.artefact import Kind, Model
from factory.core.classes import ClassList
from factory.core.dataset import Dataset
from factory.core.sample import Domain, Split, Supervision
from factory.segment.augment import Augmentation
from factory.segment.losses.cross_entropy import CrossEntropy
from factory.segment.losses.overlap import Dice
from factory.segment.mixing import Mixing
from factory.segment.models import SegmenterSpec
from factory.segment.recipe import Recipe
from factory.segment.weighing import PixelWeights
from factory.stages import train
from tests.artefacts import add_sample, written

CLASSES = ClassList.of(["ground", "coin"])
SPEC = SegmenterSpec(architecture="unet", encoder="tu-test_efficientnet", decoder_channels=16, decoder_dropout=0.0)
INPUTS = ("real", "synthetic", "unlabelled", "validation", "teacher_model", "weights")
SETTINGS = {
    "seed": 0,
    "model": SPEC,
    "loss": {"ce": CrossEntropy(), "dice": Dice()},
    "augmentation": Augmentation(rotate=5.0),
    "pixel_weights": PixelWeights(),
    "sampling": None,
    "mixing": Mixing(),
    "teacher": None,
    "size": None,
    "crop": None,
    "synthetic_share": 0.5,
    "unlabelled_share": 0.5,
    "aside": 0.0,
    "steps": 6,
    "batch": 4,
    "accumulate": 1,
    "validate_every": 3,
    "save_every": 50,
    "encoder_lr": 3e-3,
    "decoder_lr": 3e-3,
    "weight_decay": 0.01,
    "power": 0.9,
    "warmup": 0,
    "cycles": 1,
    "clip_norm": None,
    "ema": 0.0,
    "patience": None,
    "precision": "32-true",
    "channels_last": False,
    "compiled": False,
    "devices": 1,
    "cache_gib": 1.0,
    "tensorboard": None,
    "mlflow": None,
}


def bright_squares(target: Path, count: int, *, domain: Domain = Domain.REAL, **about: Any) -> Dataset:
    """Pictures with a bright square each, every fourth for validation, one for testing."""
    rng = np.random.default_rng(0)
    with written(target) as out:
        out.classes = CLASSES
        for index in range(count):
            top, left = rng.integers(0, 16, 2)
            mask = np.zeros((32, 32), np.uint8)
            mask[top : top + 16, left : left + 16] = 1
            split = Split.TEST if index == 0 else Split.VAL if index % 4 == 0 else Split.TRAIN
            known = {"split": split, "domain": domain, "supervision": Supervision.EXACT} | about
            sample = add_sample(out, f"{domain}{index}", mask, **known)
            noise = rng.integers(0, 60, (32, 32, 3))
            out.write_image(sample.id, (60 + 130 * mask[..., None] + noise).astype(np.uint8))
    return Dataset.open(target)


def trained(target: Path, **changes: Any) -> Model:
    """The stage run to its end and sealed."""
    call = SETTINGS | dict.fromkeys(INPUTS) | {"cache": str(target.parent / "cache")} | changes
    recipe = Recipe(**{field.name: call.pop(field.name) for field in fields(Recipe)})
    with written(target, Kind.MODEL) as out:
        train.run(out=out, recipe=recipe, **call)
    return Model.open(target)


def history(model: Model) -> list[dict[str, Any]]:
    """The rows of history.json."""
    rows: list[dict[str, Any]] = json.loads(model.path("history.json").read_text())
    return rows
