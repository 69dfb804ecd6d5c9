"""Settings of labeler and refiner, judged on pictures whose truth is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from factory.calibrate.audit import Audit, Outcome, judge
from factory.core.sample import Sample
from factory.execute import Executor
from factory.label import Labeler, Tell, learnt
from factory.label.calibrated import with_settings
from factory.label.dense import Densifier
from factory.refine import Refiner


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Holds all but the settings. Labelers that learn do so once, from the hints on all ``rows``, in ``scratch``."""

    audit: Audit
    rows: Sequence[Sample]
    labeler: Labeler
    refiner: Refiner
    longest: int
    executor: Executor
    scratch: Path
    tell: Tell

    def densifier(self, settings: Mapping[str, Any]) -> Densifier:
        """Labeler and refiner of these settings, ready; no pixel is left out for lack of confidence."""
        labeler, refiner = with_settings(self.labeler, self.refiner, settings)
        corpus = self.audit.corpus(self.rows)
        ready = learnt(
            labeler, corpus, scratch=self.scratch, seed=self.audit.seed, tell=self.tell, executor=self.executor
        )
        return Densifier(labeler=ready, refiner=refiner, min_confidence=0, longest=self.longest)

    def __call__(self, settings: Mapping[str, Any], rows: Sequence[Sample], *, title: str) -> list[Outcome]:
        """What comes of some of the pictures, in their order."""
        work = partial(judge, audit=self.audit, densifier=self.densifier(settings))
        return list(self.executor.map(work, rows, title=title))
