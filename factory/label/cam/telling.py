"""How well each head tells each class in pictures its model never saw: by it every class gets its head.

A thing that fills much of a picture is told nearly as well by its few strongest cells as by all of them, while a small
one drowns among many cells. So where heads tell a class equally well, as far as so many pictures can say, the one that
pools most of the picture is right (the rule of one standard error: Breiman et al. 1984, section 3.4.3).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from factory.core import digests
from factory.execute.progress import Progress
from factory.label.cam.frames import Image8, reduced
from factory.label.cam.models import Shelf
from factory.label.cam.statements import ABSENT, PRESENT, Said, Statements

CHANCE = 0.5


@dataclass(frozen=True, kw_only=True)
class Telling:
    """How well heads tell classes over pictures not trained on.

    ``auc_hk`` is the area under the ROC curve of each head and class, 0.5 where unknown; ``error_k`` the standard error
    of each class's best; ``shares`` what each head pools of a picture.
    """

    auc_hk: npt.NDArray[np.float64]
    error_k: npt.NDArray[np.float64]
    shares: Sequence[float]

    @property
    def heads_k(self) -> tuple[int, ...]:
        """For each class the head of the largest share among those within a standard error of the best."""
        enough_hk = self.auc_hk >= self.auc_hk.max(axis=0) - self.error_k
        share_hk = np.where(enough_hk, np.array(self.shares)[:, None], 0)
        return tuple(int(head) for head in share_hk.argmax(axis=0))


def telling(
    statements: Statements, fold_of: Mapping[str, int], shelf: Shelf, image: Callable[[str], Image8], longest: int
) -> Telling:
    """Ask every head about every picture; with one head there is nothing to ask."""
    if shelf.heads == 1:
        nothing = np.zeros(shelf.classes)
        return Telling(auc_hk=CHANCE + nothing[None], error_k=nothing, shares=shelf.shares)
    place = shelf.folder / "telling.npy"
    if not place.is_file():
        logits = []
        with Progress("tags told", len(statements.ids)) as progress:
            for sample_id in statements.ids:
                model = shelf.trained(fold_of[sample_id])
                logits.append(shelf.logits(model, reduced(image(sample_id), longest)))
                progress.advance()
        buffer = io.BytesIO()
        np.save(buffer, np.stack(logits))
        digests.write_atomically(place, buffer.getvalue())
    logits_nhk = np.load(place)
    heads, classes = logits_nhk.shape[1:]
    table = [[auc(logits_nhk[:, h, k], statements.said_nk[:, k]) for k in range(classes)] for h in range(heads)]
    auc_hk = np.array(table)
    errors = [standard_error(auc_hk[:, k].max(), *statements.counts(k)) for k in range(classes)]
    return Telling(auc_hk=auc_hk, error_k=np.array(errors), shares=shelf.shares)


def auc(logits_n: npt.NDArray[np.float32], said_n: Said) -> float:
    """Share of the pairs of a picture with and one without the class that are in the right order; ties count half."""
    with_n, without_n = logits_n[said_n == PRESENT], np.sort(logits_n[said_n == ABSENT])
    if not len(with_n) or not len(without_n):
        return CHANCE
    below = np.searchsorted(without_n, with_n, "left") + np.searchsorted(without_n, with_n, "right")
    return float(below.mean() / (2 * len(without_n)))


def standard_error(area: float, with_it: int, without: int) -> float:
    """Of an area under the ROC curve (Hanley & McNeil 1982, equations 1 and 2); 0 where there is nothing to compare."""
    if not with_it or not without:
        return 0.0
    first, second = area / (2 - area), 2 * area**2 / (1 + area)
    spread = area * (1 - area) + (with_it - 1) * (first - area**2) + (without - 1) * (second - area**2)
    return float(np.sqrt(spread / (with_it * without)))
