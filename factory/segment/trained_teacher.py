"""Distillation: segmenters that are trained already show what they see, and the model learns their probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from factory.core.artefact import Model
from factory.core.classes import IGNORE, ClassList
from factory.core.errors import ConfigError
from factory.core.sample import Origin
from factory.segment.checkpoint import Trained
from factory.segment.data import CLASS, SOURCE
from factory.segment.losses.term import mean
from factory.segment.opening import file_of, open_model
from factory.segment.predict import Predictor, TileFunction
from factory.segment.tta import Views
from factory.segment.working import Working

MODELS = "model artefacts or .ckpt files"


@dataclass(frozen=True, kw_only=True)
class TrainedTeacher:
    """Model artefacts (their ``checkpoint``, best or last) or .ckpt files that teach, with ``weight`` in the loss.

    They are the stage's input and the ``models`` beside it, such as trainings of other seeds. One of them is asked a
    step, in one of the ``tta`` views: as the loss is linear in what the teacher says, the gradient is on average that
    of the mean of all models and views, which is better than any one of them, at the cost of one.
    """

    tta: Views
    models: Sequence[str] = ()
    weight: float = 3.0
    checkpoint: str = "best"

    def __post_init__(self) -> None:
        if self.weight <= 0:
            raise ConfigError("teacher.weight must be positive", got=self.weight, todo="teacher=null for none")

    @property
    def folders(self) -> dict[str, str]:
        """What the models hold decides the outcome, where they lie does not."""
        return {f"model {number}": path for number, path in enumerate(self.models)}

    def lesson(self, given: Model | Path | None, classes: ClassList) -> Lesson:
        """The teacher at work; `ConfigError` without one, `ArtefactError` for one of other classes or unreadable."""
        if given is None:
            todo = "give one: teacher_model=outputs/mine/train"
            raise ConfigError(
                "teacher=trained needs a model", where="inputs.teacher_model", got="none", expected=MODELS, todo=todo
            )
        opened = [self._opened(one, classes) for one in (given, *map(Path, self.models))]
        views = [view for trained in opened for view in self.tta.each(Predictor(trained=trained).function)]
        learnt_at = {f"teacher {number}": trained.working for number, trained in enumerate(opened, start=1)}
        return Lesson(weight=self.weight, views=views, learnt_at=learnt_at)

    def _opened(self, given: Model | Path, classes: ClassList) -> Trained:
        trained = open_model(given, self.checkpoint, classes=classes)
        if not isinstance(trained, Trained):
            file = file_of(given, self.checkpoint)
            raise ConfigError("an export cannot teach", where="teacher", got=file, expected=MODELS)
        return trained


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What one of the ``views``, tile functions, says of pictures, as a part of the loss.

    ``learnt_at`` is the size of the pictures that each teacher learnt from: it sees those of this training as they are.
    """

    weight: float
    views: Sequence[TileFunction]
    learnt_at: Mapping[str, Working] = field(default_factory=dict)

    def __call__(self, images_nchw: Tensor, labels_nchw: Tensor, logits_nkhw: Tensor) -> Tensor:
        """``weight`` times the mean cross-entropy of the teacher's probabilities; a scalar.

        The teacher sees the very pictures that the student sees (Hinton, Vinyals and Dean 2015, equation 2 at
        temperature 1; Beyer et al., A good teacher is patient and consistent, 2022, section 3.1), ``images_nchw``
        (N, 3, H, W) in [0, 1]. Every pixel counts but those that somebody looked at and left out, according to the
        ``labels_nchw`` (N, 3, H, W). The view is drawn from torch's global stream.
        """
        view = self.views[int(torch.randint(len(self.views), ()))]
        with torch.no_grad():
            told_nkhw = view(images_nchw).float()
        loss_nhw = -(told_nkhw * logits_nkhw.log_softmax(dim=1)).sum(dim=1)
        void_nhw = (labels_nchw[:, CLASS] == IGNORE) & (labels_nchw[:, SOURCE] != Origin.NONE)
        return self.weight * mean(loss_nhw, (~void_nhw).to(loss_nhw.dtype))
