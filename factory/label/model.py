"""A segmenter that is there already says what it sees: an old model, or one that learnt from renders alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from factory.core.classes import ClassList
from factory.core.errors import ConfigError
from factory.core.picture import Picture
from factory.label import Labeler, Scores, Tell, Workshop
from factory.label.corpus import Corpus
from factory.segment.opening import file_of, open_model
from factory.segment.predict import Predictor, TileFunction
from factory.segment.threads import one_thread

UNKNOWN = -1
"""Stands for a class that the model never learnt."""


@dataclass(frozen=True, kw_only=True)
class KnownModel:
    """A `factory.label.Learner` that asks the stage's input ``model``, its classes matched by name.

    ``names`` gives the model's class for each class of the data set that it calls otherwise. Several classes may share
    one: each is then as likely, beside any other, as what the model sees, since a model that knows nothing must leave
    all of them alike. Together they have more than it gave: of ground 0.55 and object 0.45, where two classes are
    objects, become 0.38, 0.31 and 0.31. Of a class that the model never learnt it says nothing: that
    class keeps its even share of every pixel. What the model takes for a class that the data set lacks says nothing
    either. With ``apart``, a class of the data set, the model is trusted to tell that class from everything else, but
    not what else there is: wherever it sees anything else, all other classes that it knows are equally likely, and
    other evidence (tags) decides. ``certainty`` sharpens (above 1) or softens its probabilities, ``tta`` averages
    several looks. Nothing keeps a model off pictures that it learnt from: there it is surer than it should be.
    """

    RANGES: ClassVar[dict[str, str]] = {"certainty": "log:0.1:2"}

    checkpoint: str
    names: Mapping[str, str]
    apart: str | None
    tta: Callable[[TileFunction], TileFunction]
    certainty: float

    def __post_init__(self) -> None:
        if self.certainty <= 0:
            raise ConfigError("labeler.certainty must be positive", got=self.certainty)

    def learnt(self, corpus: Corpus, *, seed: int, shop: Workshop) -> Labeler:  # noqa: ARG002  # nothing is drawn
        """See `factory.label.Learner`; `ConfigError` without a model, or where no class is one of its."""
        if shop.model is None:
            todo = "give one: model=outputs/mine/train (or a .ckpt, .onnx or .torchscript file)"
            raise ConfigError("labeler=model needs a model", where="inputs.model", got="nothing", todo=todo)
        file = file_of(shop.model, self.checkpoint)
        theirs = open_model(file, self.checkpoint).classes
        ids = _matched(corpus.classes, theirs, self.names, shop.tell)
        return Opinion(
            file=str(file), checkpoint=self.checkpoint, tta=self.tta, certainty=self.certainty, ids_k=ids,
            apart=None if self.apart is None else _known(self.apart, corpus.classes, ids),
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Opinion:
    """What the model in ``file`` says.

    ``ids_k`` is its class for each class of the data set, or `UNKNOWN`; ``apart`` is its class that it tells from the
    others (None: it tells all of them from each other).
    """

    file: str = field(repr=False)
    checkpoint: str
    tta: Callable[[TileFunction], TileFunction]
    certainty: float
    ids_k: Sequence[int]
    apart: int | None

    def __call__(self, given: Picture, classes: int) -> Scores:
        """See `factory.label.Labeler`."""
        assert len(self.ids_k) == classes
        with one_thread():
            found_khw = np.maximum(self._predictor(given.image), 0)
        foreign_hw = np.delete(found_khw, sorted({*self.ids_k} - {UNKNOWN}), axis=0).sum(axis=0)
        if self.apart is not None:
            found_khw, foreign_hw = _only_apart(found_khw, self.apart), np.zeros_like(foreign_hw)
        known_k = np.array(self.ids_k) != UNKNOWN
        seen_khw = found_khw[[k for k in self.ids_k if k != UNKNOWN]]
        seen_khw /= np.maximum(seen_khw.max(axis=0), np.finfo(np.float32).tiny)  # the likeliest stays 1 in any power
        seen_khw **= np.float32(self.certainty)
        seen_khw /= np.maximum(seen_khw.sum(axis=0), np.finfo(np.float32).tiny)
        scores_khw = np.full((classes, *given.size_hw), 1 / classes, np.float32)
        scores_khw[known_k] = (1 - foreign_hw) * known_k.mean() * seen_khw + foreign_hw / classes
        return np.asarray(scores_khw / scores_khw.sum(axis=0), np.float32)

    @cached_property
    def _predictor(self) -> Predictor:
        return Predictor(trained=open_model(Path(self.file), self.checkpoint), tta=self.tta)


def _only_apart(found_khw: Scores, apart: int) -> Scores:
    """The probability of one class, and that of anything else for every other one."""
    told_khw = np.broadcast_to(1 - found_khw[apart], found_khw.shape).copy()
    told_khw[apart] = found_khw[apart]
    return told_khw


def _known(name: str, ours: ClassList, ids: Sequence[int]) -> int:
    """The model's class for one of ours that it must know."""
    known = [mine for mine, class_id in zip(ours.names, ids, strict=True) if class_id != UNKNOWN]
    if name not in known:
        raise ConfigError("no class that the model knows", where="labeler.apart", got=name, expected=", ".join(known))
    return ids[ours.names.index(name)]


def _matched(ours: ClassList, theirs: ClassList, names: Mapping[str, str], tell: Tell) -> tuple[int, ...]:
    """The model's class id for each of our classes; what it does not know is told."""
    for mine, other in names.items():
        for name, known in ((mine, ours), (other, theirs)):
            if name not in known.names:
                expected = ", ".join(known.names)
                raise ConfigError("no such class", where=f"labeler.names.{mine}", got=name, expected=expected)
    called = [names.get(name, name) for name in ours.names]
    ids = tuple(theirs.names.index(name) if name in theirs.names else UNKNOWN for name in called)
    if set(ids) == {UNKNOWN}:
        got, expected = ", ".join(theirs.names), ", ".join(ours.names)
        todo = "say which class is which: labeler.names.<class>=<the model's class>"
        raise ConfigError(
            "the model knows none of the classes", where="inputs.model", got=got, expected=expected, todo=todo
        )
    for name, class_id in zip(ours.names, ids, strict=True):
        if class_id == UNKNOWN:
            tell(name, "the model never learnt this class and says nothing of it")
    return ids
