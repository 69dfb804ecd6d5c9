"""Hints spread across pictures: a network learns from what was said of some of them, and labels the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np

from factory.core import picture
from factory.core.artefact import Identity, Kind
from factory.core.cache import Cache
from factory.core.dataset import Dataset
from factory.core.errors import ConfigError, InputError
from factory.core.picture import Picture
from factory.core.sample import Domain, Sample, Split, Supervision
from factory.core.seeds import derive
from factory.core.version import code_version
from factory.core.writer import Writer, is_sealed, open_writer
from factory.execute.progress import Progress, named
from factory.execute.serial import Serial
from factory.label import Labeler, Workshop
from factory.label.corpus import Corpus
from factory.label.dense import Densifier
from factory.label.foretold import Foretold
from factory.label.networks import Issues, NetworkMaker
from factory.refine.argmax import Argmax
from factory.segment import checkpoint
from factory.segment.data import Row
from factory.segment.models import best_device
from factory.segment.predict import Predictor, TileFunction
from factory.segment.threads import one_thread
from factory.segment.training import Training

LEAST_PICTURES = 4
"""Pictures below which there is nothing to learn across them."""


@dataclass(frozen=True, kw_only=True)
class Across:
    """Cross-fitted segmenters: each of ``folds`` learns from the hints of the other folds and labels its own.

    So no picture is labelled by a network that learnt from it or another tile of its photograph, and its probabilities
    are as sure on the pictures it labels as on any new one. What is learnt from are pixels that people named and those
    that ``spread`` makes of them, at least ``least`` sure; pictures kept aside are labelled by the first network,
    and those larger than ``longest`` pixels a side at that size. ``tta`` averages several looks at each. ``weights`` is
    a file of weights for the encoder, or a model artefact to start from. Probabilities are raised to the power
    ``certainty``: below 1 they leave more to other evidence.
    """

    RANGES: ClassVar[dict[str, str]] = {"certainty": "log:0.1:2"}

    folds: int
    spread: Labeler
    least: float
    training: Training
    weights: str | None
    longest: int
    tta: Callable[[TileFunction], TileFunction]
    certainty: float

    def __post_init__(self) -> None:
        if self.folds < 2:
            raise ConfigError("labeler.folds must be 2 or more", got=self.folds)
        if not 0 <= self.least <= 1:
            raise ConfigError("labeler.least is a probability", got=self.least, expected="0 to 1")
        if self.longest < 64 or self.certainty <= 0:
            got = f"longest {self.longest}, certainty {self.certainty}"
            raise ConfigError("labeler.longest is 64 or more, certainty above 0", got=got)

    @property
    def folders(self) -> dict[str, str]:
        """The weights to start from: they count by their content."""
        return {"weights": self.weights} if self.weights else {}

    def learnt(self, corpus: Corpus, *, seed: int, shop: Workshop) -> Labeler:
        """See `factory.label.Learner`; `InputError` where there is nothing to learn from.

        Networks learn side by side, a thread each; on a GPU one after the other.
        """
        folds = self._folds(corpus, self._said(corpus, shop.scratch / "said", seed), seed)
        executor = Serial() if best_device().type == "cuda" else shop.executor
        work = partial(self._fold, folds=folds, corpus=corpus, scratch=shop.scratch, cache=shop.cache, seed=seed)
        for issues in executor.map(work, range(len(folds)), title="networks"):
            for issue in issues:
                shop.tell(issue["where"], issue["reason"])
        return self._foretold(shop.scratch)

    def _foretold(self, scratch: Path) -> Foretold:
        return Foretold(folder=str(scratch / "scores"), certainty=self.certainty)

    def _folds(self, corpus: Corpus, said: Dataset, seed: int) -> list[list[str]]:
        """Who is labelled by each network: pictures of which something is said, evenly, with all of their photographs.

        The first labels all others.
        """
        hinted = [sample.id for sample in said.samples]
        folds = corpus.folds(self.folds, seed, hinted)
        fold_of = {corpus.photograph(name): fold for fold in reversed(folds) for name in fold}
        for name in sorted({*corpus.ids, *corpus.aside} - set(hinted)):
            fold_of.get(corpus.photograph(name), folds[0]).append(name)
        return folds

    def _fold(
        self, number: int, *, folds: Sequence[Sequence[str]], corpus: Corpus, scratch: Path, cache: Cache, seed: int
    ) -> Issues:
        """One fold's network, and what it says of the pictures that it did not learn from; what is worth telling."""
        said = Dataset.open(scratch / "said")
        others = [Row(said, sample) for sample in said.samples if sample.id not in set(folds[number])]
        make = NetworkMaker(training=self.training, weights=Path(self.weights) if self.weights else None, cache=cache)
        with named(f"network {number + 1} of {len(folds)}"), one_thread():
            network, issues = make(said, others, derive(seed, "fold", number))
            self._predict(network, corpus, folds[number], scratch)
        return issues

    def _said(self, corpus: Corpus, folder: Path, seed: int) -> Dataset:
        """What is learnt from, as a data set of its own; pictures of which nothing is said are left out."""
        identity = Identity(stage="across", config={"part": "said"}, seed=seed, inputs={}, code=code_version())
        if not is_sealed(folder, identity):
            densifier = Densifier(
                labeler=self.spread, refiner=Argmax(), min_confidence=self.least, longest=self.longest
            )
            with (
                open_writer(folder, identity, Kind.DATASET) as out,
                Progress("read hints", len(corpus.ids)) as progress,
            ):
                out.classes = corpus.classes
                for name in sorted(set(corpus.ids) - out.done()):
                    _keep(picture.at_most(corpus.picture(name), self.longest), densifier, out)
                    progress.advance()
                if len(out.done()) < LEAST_PICTURES:
                    got, expected = f"{len(out.done())} with hints", f"{LEAST_PICTURES} or more"
                    todo = "label within each picture: labeler=scribbles, or labeler=points"
                    raise InputError("too few pictures to learn across them", got=got, expected=expected, todo=todo)
                out.seal()
        return Dataset.open(folder)

    def _predict(self, network: checkpoint.Trained, corpus: Corpus, names: Sequence[str], scratch: Path) -> None:
        predictor, foretold = Predictor(trained=network, tta=self.tta), self._foretold(scratch)
        with Progress("label", len(names)) as progress:
            for name in names:
                if not foretold.knows(name):
                    given = picture.at_most(corpus.picture(name), self.longest)
                    foretold.keep(name, predictor(given.image))
                progress.advance()


def _keep(given: Picture, densifier: Densifier, out: Writer) -> None:
    """Write a picture with what its hints say, if they say anything."""
    dense = densifier(given, len(out.classes) if out.classes else 0)
    if dense.coverage == 0:
        return
    height, width = given.size_hw
    image, sha256 = out.write_image(given.id, given.image)
    maps = {
        "mask": dense.mask_hw,
        "confidence": np.rint(255 * dense.confidence_hw).astype(np.uint8),
        "source": dense.origin_hw,
    }
    sample = Sample(
        id=given.id, image=image, width=width, height=height, split=Split.TRAIN, group=given.id, domain=Domain.REAL,
        supervision=Supervision.PSEUDO, image_sha256=sha256,
    )  # fmt: skip
    out.add(sample.replace(**{name: out.write_map(name, given.id, pixels) for name, pixels in maps.items()}))
