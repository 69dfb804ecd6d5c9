"""Settings of labeler and refiner, judged on pictures whose truth is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from factory.calibrate.audit import Audit, Outcome, judge
from factory.core.sample import Sample
from factory.label import Labeler, Workshop, learnt
from factory.label.calibrated import with_settings
from factory.label.dense import Densifier
from factory.refine import Refiner


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Holds all but the settings. Labelers that learn do so once, from the hints on all ``rows``, in ``shop``.

    ``mirrored``: they are asked about mirror images too.
    """

    audit: Audit
    rows: Sequence[Sample]
    labeler: Labeler
    refiner: Refiner
    longest: int
    shop: Workshop
    mirrored: bool = False

    def densifier(self, settings: Sequence[Mapping[str, Any]]) -> Densifier:
        """Labelers of all settings, pooled, and the refiner of the first, ready; every pixel is decided."""
        labeler, refiner = with_settings(self.labeler, self.refiner, settings, mirrored=self.mirrored)
        ready = learnt(labeler, self.audit.corpus(self.rows), seed=self.audit.seed, shop=self.shop)
        return Densifier(labeler=ready, refiner=refiner, min_confidence=0, longest=self.longest)

    def __call__(self, settings: Sequence[Mapping[str, Any]], rows: Sequence[Sample], *, title: str) -> list[Outcome]:
        """What comes of some of the pictures, in their order."""
        work = partial(judge, audit=self.audit, densifier=self.densifier(settings))
        return list(self.shop.executor.map(work, rows, title=title))
