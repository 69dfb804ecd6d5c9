"""How a segmenter is trained, whatever it is trained on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from factory.core.artefact import Model
from factory.core.classes import ClassList
from factory.core.errors import ConfigError
from factory.core.sample import Sample
from factory.core.writer import Writer
from factory.segment import checkpoint
from factory.segment.batches import TrainingBatches
from factory.segment.cache import PixelCache, largest
from factory.segment.data import LEAST_SIDE, Size, size_of
from factory.segment.fit import Run
from factory.segment.losses.term import Term, Total
from factory.segment.mixing import Mixing
from factory.segment.models import SegmenterSpec, build
from factory.segment.module import Augment, SegmentationModule
from factory.segment.rare import RareClasses
from factory.segment.recipe import Recipe
from factory.segment.recorder import Log
from factory.segment.teacher import Teacher
from factory.segment.track import Tracks
from factory.segment.trained_teacher import Lesson, TrainedTeacher
from factory.segment.weighing import PixelWeights
from factory.segment.working import Working, disagreements

MOST_SIDE = 1024
"""Pixels of a picture's side that a step sees unless told otherwise: eight views of so many took a U-Net 10 GB
(BENCHMARKS.md), and a telephone's photographs have eleven times as many.
"""


@dataclass(frozen=True, kw_only=True)
class Training:
    """Network, losses, what happens to pictures and labels on their way, and the recipe.

    ``size`` is the (height, width) every picture is brought to (None: its own), ``crop`` what a step sees of a picture
    (None: all of the largest, up to `MOST_SIDE`).
    """

    model: SegmenterSpec
    loss: Mapping[str, Term]
    augmentation: Augment
    pixel_weights: PixelWeights
    sampling: RareClasses | None
    mixing: Mixing
    teacher: Teacher | TrainedTeacher | None
    size: Sequence[int] | None
    crop: Sequence[int] | None
    recipe: Recipe

    def __post_init__(self) -> None:
        size_of("size", self.size)
        size_of("crop", self.crop)
        Total(terms=self.loss)
        if isinstance(self.teacher, Teacher) and self.recipe.ema not in (0, self.teacher.decay):
            got, expected = f"ema {self.recipe.ema}, teacher.decay {self.teacher.decay}", "the same number, or ema=0"
            raise ConfigError("one running mean is kept and teaches", where="train.ema", got=got, expected=expected)
        if isinstance(self.teacher, Teacher) and not self.teacher.share(self.recipe.steps - 1):
            got, todo = f"after {self.teacher.after}, steps {self.recipe.steps}", "a lower teacher.after, or more steps"
            raise ConfigError("the teacher never teaches", where="teacher.after", got=got, todo=todo)

    @property
    def size_hw(self) -> Size | None:
        """The working size."""
        return size_of("size", self.size)

    def module(
        self,
        classes: ClassList,
        *,
        sources: Mapping[str, PixelCache],
        shares: Mapping[str, float],
        validation: PixelCache,
        weights: Path | None,
        teacher_model: Model | Path | None = None,
        seed: int,
        report: Callable[[object, str], None],
    ) -> SegmentationModule:
        """A segmenter before its first step; ``shares`` are each source's part of a batch, together 1."""
        total = Total(terms=self.loss)
        if self.size_hw is None:
            _tell_of_sizes(sources, validation, report)
        headed = replace(self.model, edge_head=self.model.edge_head or total.needs_edges)
        return SegmentationModule(
            model=build(headed, classes, weights=weights, seed=seed, report=report),
            loss=total,
            augmentation=self.augmentation,
            mixing=self.mixing,
            weights=self.pixel_weights,
            teacher=self.teacher if isinstance(self.teacher, Teacher) else None,
            lesson=self._lesson(teacher_model, classes, self._working(sources), report),
            recipe=self.recipe,
            batches=TrainingBatches(
                sources=sources,
                shares=shares,
                batch=self.recipe.batch,
                crop_hw=size_of("crop", self.crop) or _whole(sources),
                seed=seed,
                rare=self.sampling,
            ),
            validation=validation,
            seed=seed,
        )

    def _lesson(
        self, given: Model | Path | None, classes: ClassList, working: Working, report: Callable[[object, str], None]
    ) -> Lesson | None:
        if isinstance(self.teacher, TrainedTeacher):
            lesson = self.teacher.lesson(given, classes)
            for name, learnt in lesson.learnt_at.items():
                if not learnt.is_like(working):
                    report(name, f"it learnt at another size ({learnt}) than pictures are shown to it here ({working})")
            return lesson
        if given is not None:
            where, todo = "inputs.teacher_model", "teacher=trained, or leave it out"
            got = given.root if isinstance(given, Model) else given
            raise ConfigError("a model to teach, but no teacher", where=where, got=got, todo=todo)
        return None

    def pack(self, module: SegmentationModule) -> bytes:
        """The weights that are kept, as a checkpoint."""
        working, tile_hw = self._working(module.batches.sources), module.tile_hw
        trained = checkpoint.Trained(model=module.kept, working=working, tile_hw=tile_hw, step=module.step)
        return checkpoint.encode(trained)

    def _working(self, sources: Mapping[str, PixelCache]) -> Working:
        return Working(size_hw=self.size_hw) if self.size_hw else Working.learnt_from(_photographs(sources))

    def fit(self, module: SegmentationModule, out: Writer, *, tracks: Tracks, devices: int) -> tuple[Log, bytes]:
        """Train to the recipe's end, through any number of kills; the log, and the last weights as a checkpoint."""

        log = Run(module=module, out=out, pack=partial(self.pack, module), tracks=tracks, devices=devices).fit()
        return log, self.pack(module)


def _photographs(sources: Mapping[str, PixelCache]) -> list[Sample]:
    """The labelled photographs, or without any, rendered pictures."""
    kept = sources.get("real") or next(iter(sources.values()))
    return [row.sample for row in kept.rows]


def _tell_of_sizes(
    sources: Mapping[str, PixelCache], validation: PixelCache, report: Callable[[object, str], None]
) -> None:
    """Report photographs that are not brought to the size of those to learn from; renders have none in common."""
    others = {"unlabelled": sources["unlabelled"]} if "unlabelled" in sources else {}
    rows = {name: [row.sample for row in cache.rows] for name, cache in (others | {"validation": validation}).items()}
    if "real" in sources:
        for name, note in disagreements(_photographs(sources), rows):
            report(name, note)


def _whole(sources: Mapping[str, PixelCache]) -> Size:
    """What steps see without a crop size; augmentation can do nothing with less than the smallest crop."""
    height, width = (min(max(side, LEAST_SIDE), MOST_SIDE) for side in largest(sources.values()))
    return height, width
