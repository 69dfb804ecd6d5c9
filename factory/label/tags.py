"""Tags of whole pictures become class scores: class activation maps of a classifier that learnt from the tags."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from factory.core import digests
from factory.core.artefact import Identity
from factory.core.errors import ConfigError, InputError
from factory.core.seeds import derive, generator
from factory.core.version import code_version
from factory.core.words import many
from factory.execute.progress import Progress
from factory.label import Labeler, Tell, Workshop
from factory.label.cam.background import Background, Extent
from factory.label.cam.divisions import Divisions, divided
from factory.label.cam.extents import BODY, surprises
from factory.label.cam.fit import Course, Training
from factory.label.cam.maps import MapMaker
from factory.label.cam.methods import Method
from factory.label.cam.models import Shelf, normal_file, trained_file
from factory.label.cam.network import ClassifierSpec, build
from factory.label.cam.normal import Normal
from factory.label.cam.shared import digest_of, learnt_once
from factory.label.cam.statements import OPEN, PRESENT, Statements, statements_of
from factory.label.cam.telling import Telling, telling
from factory.label.cam.views import Views
from factory.label.corpus import Corpus
from factory.label.tag_scores import TagScores

PIXELS, ALL_PIXELS = 20_000, 2_000_000
"""Pixels of a tagged picture, and of all that have a class, at most, that decide which evidence is strong."""


@dataclass(frozen=True, kw_only=True)
class Tags:
    """A `factory.label.Learner` of tags, cross-fitted: each picture's maps come from models that never saw it.

    ``classifier`` is trained (``training``) on which classes are in a picture and which are not, with a head for each
    of the ``shares`` of the map that are pooled (1: global average pooling); ``weights`` is a file for its encoder.
    One is trained for each of the ``folds``, and again for each of ``repeats`` divisions of the pictures into folds:
    what is left to chance in one division's maps averages out.
    Points, scribbles and boxes count as tags. ``method`` makes maps of it, ``views`` says at which sizes; each map's
    highest value in a picture is 1. ``background`` is what remains; pixels whose highest map lies inside
    ``ignore_band`` are left unknown. ``normal`` learns from pictures tagged as holding nothing what is no surprise, and
    needs a background that weighs evidence (`Extent`).
    """

    classifier: ClassifierSpec
    training: Training
    shares: Sequence[float]
    folds: int
    repeats: int
    method: Method
    views: Views
    background: Background | Extent
    ignore_band: Sequence[float] | None
    normal: Normal | None
    weights: str | None = field(repr=False)

    def __post_init__(self) -> None:
        if not self.shares or not all(0 < share <= 1 for share in self.shares):
            raise ConfigError("labeler.shares are above 0, up to 1, at least one", got=list(self.shares))
        if self.folds < 2:
            raise ConfigError("labeler.folds: a picture's model must not have seen it", got=self.folds, expected="2 up")
        if self.repeats < 1:
            raise ConfigError("labeler.repeats: pictures are divided into folds at least once", got=self.repeats)
        band = self.ignore_band
        if band is not None and not (len(band) == 2 and 0 <= band[0] < band[1] <= 1):
            raise ConfigError("labeler.ignore_band is null, or [low, high] within 0 and 1", got=list(band))
        if self.normal is not None and not isinstance(self.background, Extent):
            raise ConfigError("labeler.normal needs a background that weighs evidence", expected="background Extent")

    @property
    def folders(self) -> dict[str, str]:
        """The user's file of weights: what is in it decides the outcome, where it lies does not."""
        return {} if self.weights is None else {"weights": self.weights}

    def learnt(self, corpus: Corpus, *, seed: int, shop: Workshop) -> Labeler:
        """See `factory.label.Learner`; `InputError` where no class is both in some picture and absent from another.

        Classifiers learn one after the other: they share the features of a frozen encoder.
        """
        statements = statements_of(corpus)
        _require_something(statements, corpus, shop.tell)
        divisions = divided(corpus, self.folds, self.repeats, seed)
        shelf = self._shelf(shop.scratch, len(corpus.classes))
        with learnt_once(shop.cache, self._name(corpus, statements, divisions, seed), shelf.folder):
            self._train(corpus, statements, divisions, shelf, seed)
            told = telling(statements, divisions.first, shelf, corpus.image, self.training.longest)
            taken_k = self._taken(statements, divisions.first, shelf, corpus, told)
        maker = MapMaker(
            shelf=shelf, method=self.method, views=self.views, longest=self.training.longest, normal=self.normal,
            heads_k=told.heads_k, heard=_heard(statements, divisions, corpus, shop.tell),
        )  # fmt: skip
        models_of = divisions.models_of
        levels = self._levels(corpus, statements, models_of, maker, taken_k, seed) if self._weighs else {}
        if self._weighs:
            _report_extents(corpus, told, taken_k, statements, shop.tell)
        return TagScores(
            maker=maker, models_of=models_of, background=self.background, levels=levels, ignore_band=self.ignore_band,
            learnable=statements.learnable,
        )  # fmt: skip

    def _shelf(self, folder: Path, classes: int) -> Shelf:
        shares, frozen = tuple(self.shares), self.training.encoder_lr == 0
        return Shelf(folder=folder, spec=self.classifier, classes=classes, shares=shares, frozen=frozen)

    def _name(self, corpus: Corpus, statements: Statements, divisions: Divisions, seed: int) -> str:
        """After all that decides what classifiers learn; what is made of their maps is no part of it."""
        parts = {name: repr(getattr(self, name)) for name in ("classifier", "training", "shares", "normal")}
        config = parts | {"folds": digests.of_bytes(digests.canonical([list(ids) for ids in divisions.held_out]))}
        inputs = {"corpus": digest_of(corpus, statements)}
        inputs |= {} if self.weights is None else {"weights": digests.of_path(Path(self.weights))}
        return Identity(stage="tags", config=config, seed=seed, inputs=inputs, code=code_version()).name

    @property
    def _weighs(self) -> bool:
        return isinstance(self.background, Extent)

    def _train(self, corpus: Corpus, statements: Statements, divisions: Divisions, shelf: Shelf, seed: int) -> None:
        weights = None if self.weights is None else Path(self.weights)
        for number, held_out in enumerate(divisions.held_out):
            rest = statements.without(held_out)
            model = build(self.classifier, shelf.classes, shelf.heads, weights=weights, seed=seed)
            shelf.keep_first(model)
            course = Course(
                training=self.training, shares=self.shares, statements=rest, image=corpus.image,
                kept=shelf.kept(corpus.image, self.training.longest),
                place=shelf.folder / trained_file(number), seed=derive(seed, "classifier", number),
                title=f"tags, {divisions.name(number)}",
            )  # fmt: skip
            course(model)
            if self.normal is not None and number < divisions.folds:  # what surprises is asked of one division
                place = shelf.folder / normal_file(number)
                self._learn_normal(self.normal, rest, place, divisions.name(number), shelf, corpus, seed)

    def _learn_normal(
        self, normal: Normal, rest: Statements, place: Path, where: str, shelf: Shelf, corpus: Corpus, seed: int
    ) -> None:
        if not (ids := rest.normal()):
            raise InputError(
                "no picture is known to hold none of the classes",
                where=f"tags, without {where}",
                todo="tag some as holding none (present 0 for each class), or labeler.normal=null",
            )
        if not place.is_file():
            known = normal.learnt(ids, corpus.image, shelf.first(), self.training.longest, derive(seed, "normal"))
            known.save(place)

    def _taken(
        self, statements: Statements, fold_of: Mapping[str, int], shelf: Shelf, corpus: Corpus, told: Telling
    ) -> Sequence[float]:
        """The share of its pictures that each class takes: by what stands out beside normal ones, if they are known."""
        too_wide = min(self.shares) >= 1 - BODY[-1]  # to stand out
        if self.normal is None or shelf.heads == 1 or too_wide:
            return [self.shares[head] for head in told.heads_k]
        seen = surprises(statements, fold_of, shelf, self.normal, corpus.image, self.training.longest)
        return seen.extents(statements)

    def _levels(
        self, corpus: Corpus, statements: Statements, models_of: Mapping[str, Sequence[int]], maker: MapMaker,
        taken_k: Sequence[float], seed: int,
    ) -> dict[int, float]:  # fmt: skip
        """For each class the evidence that the share of its pixels which it takes goes beyond."""
        place = maker.shelf.folder / "levels.json"
        if place.is_file():
            return {int(class_id): level for class_id, level in json.loads(place.read_text()).items()}
        found: dict[int, list[npt.NDArray[np.float32]]] = {class_id: [] for class_id in statements.learnable}
        each = {k: max(min(PIXELS, ALL_PIXELS // max(statements.counts(k)[0], 1)), 1) for k in found}
        rows, columns = np.nonzero(statements.said_nk == PRESENT)
        with Progress("evidence", len(set(rows.tolist()))) as progress:
            for row in sorted(set(rows.tolist())):
                sample_id = statements.ids[row]
                maps_khw, surprise_hw = maker(corpus.image(sample_id), models_of[sample_id])
                for class_id in set(columns[rows == row].tolist()) & found.keys():
                    evidence_hw = self.background.evidence(maps_khw[class_id], surprise_hw)  # type: ignore[union-attr]
                    places = generator(seed, "evidence", sample_id, class_id).integers(
                        0, evidence_hw.size, each[class_id]
                    )
                    found[class_id].append(evidence_hw.ravel()[places])
                progress.advance()
        levels = {
            class_id: float(np.quantile(np.concatenate(some), 1 - taken_k[class_id]))
            for class_id, some in found.items()
        }
        digests.write_atomically(place, digests.canonical({str(key): value for key, value in levels.items()}))
        return levels


def _require_something(statements: Statements, corpus: Corpus, tell: Tell) -> None:
    if not statements.learnable:
        told_nk = statements.said_nk != OPEN
        alike = told_nk.any() and (told_nk.all(axis=0) == told_nk.any(axis=0)).all()
        raise InputError(
            "the tags tell no class from another",
            where="tags",
            got=f"{many(int(told_nk.any(axis=1).sum()), 'picture')} of which something is said",
            expected="a class that some picture has and some other one lacks",
            todo="add pictures that differ in their classes: all are said to show the same"
            if alike
            else "say which classes are absent too: a column present with 0, or ingest with tags_are_complete=true "
            "(simulated tags: supervision.complete=true)",
        )
    for class_id, name in enumerate(corpus.classes.names):
        present, absent = statements.counts(class_id)
        if absent and not present:
            tell(name, f"denied in {many(absent, 'picture')} and named in none: nothing can be learnt of it")
        elif present and not absent:
            tell(name, f"named in {many(present, 'picture')} and denied in none: taken for background")


def _heard(statements: Statements, divisions: Divisions, corpus: Corpus, tell: Tell) -> dict[int, tuple[int, ...]]:
    """The classes that each classifier could learn."""
    found = {number: statements.without(ids).learnable for number, ids in enumerate(divisions.held_out)}
    for number, known in found.items():
        for class_id in sorted(set(statements.learnable) - set(known)):
            name = corpus.classes.names[class_id]
            tell(name, f"too few pictures to learn it from for {divisions.name(number)}: left unknown there")
    return found


def _report_extents(
    corpus: Corpus, told: Telling, taken_k: Sequence[float], statements: Statements, tell: Tell
) -> None:
    for class_id in statements.learnable:
        aucs = zip(told.shares, told.auc_hk[:, class_id], strict=True)
        said = ", ".join(f"{share:g}: {auc:.2f}" for share, auc in aucs)
        taken = f"takes {taken_k[class_id]:g} of its pictures; how well each share tells its tag (AUC): {said}"
        tell(corpus.classes.names[class_id], taken)
