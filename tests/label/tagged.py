"""Small tagged pictures: squares of a class's colour on grey, and a corpus of them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from factory.core.classes import ClassList
from factory.core.picture import Picture
from factory.core.sample import Hints
from factory.label.cam.background import Threshold
from factory.label.cam.fit import Training
from factory.label.cam.methods import Cam
from factory.label.cam.network import ClassifierSpec
from factory.label.cam.views import Views
from factory.label.corpus import Corpus
from factory.label.tags import Tags
from tests.label.shops import shop

CLASSES = ClassList.of(["ground", "red", "blue"])
Heard = list[tuple[object, str]]
COLOURS = {1: (200, 40, 40), 2: (40, 40, 200)}
SPEC = ClassifierSpec(encoder="mobilenet_v2", encoder_weights=None, normalisation="signed", stages=[1])


def tags(**changes: Any) -> Tags:
    """A labeler that learns these pictures in a few seconds."""
    training = Training(steps=12, batch=4, encoder_lr=0.0, head_lr=0.1, longest=64)
    fields: dict[str, Any] = {
        "classifier": SPEC, "training": training, "shares": [0.1], "folds": 2, "repeats": 1, "method": Cam(),
        "views": Views(scales=[1.0], flip=False), "background": Threshold(level=0.5), "ignore_band": None,
        "normal": None, "weights": None,
    }  # fmt: skip
    return Tags(**fields | changes)


def square(name: str, said: dict[str, tuple[int, ...]], size_hw: tuple[int, int] = (40, 48)) -> Picture:
    """A picture with a square of each class that it is tagged with, at a place that its name decides."""
    rng = np.random.default_rng(sum(name.encode()))
    image = np.clip(rng.normal(128, 6, (*size_hw, 3)), 0, 255).astype(np.uint8)
    for class_id in said.get("tags", ()):
        y, x = (int(rng.integers(0, max(side - 12, 1))) for side in size_hw)
        image[y : y + 12, x : x + 12] = COLOURS[class_id]
    return Picture(id=name, image=image, hints=Hints(**said))


def corpus_of(pictures: list[Picture], classes: ClassList = CLASSES) -> Corpus:
    """Those pictures."""
    by_id = {picture.id: picture for picture in pictures}
    return Corpus(classes=classes, ids=tuple(by_id), aside=(), picture=by_id.__getitem__)


def squares(each: int = 6) -> list[Picture]:
    """As many pictures with a red square, with a blue one, and with none."""
    kinds = {"red": {"tags": (1,), "absent": (2,)}, "blue": {"tags": (2,), "absent": (1,)}, "none": {"absent": (1, 2)}}
    return [square(f"{kind}{n}", said) for kind, said in kinds.items() for n in range(each)]


def learnt(
    pictures: list[Picture], scratch: Path, *, heard: Heard | None = None, classes: ClassList = CLASSES, **changes: Any
) -> Any:
    """The labeler of these pictures; what it tells is put into ``heard``."""
    told: Heard = [] if heard is None else heard
    corpus = corpus_of(pictures, classes)
    there = shop(scratch, tell=lambda where, what: told.append((where, what)))
    return tags(**changes).learnt(corpus, seed=0, shop=replace(there, scratch=scratch))
