"""How well each head tells each class in pictures its model never saw: the one that tells it best is believed.

A thing that fills much of a picture is told nearly as well by its few strongest cells as by all of them, while a small
one drowns among many cells. So where heads tell a class equally well, as far as so many pictures can say, the one that
pools most of the picture is right (the rule of one standard error: Breiman et al. 1984, section 3.4.3).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from factory.core import digests
from factory.execute.progress import Progress
from factory.label.cam.frames import Image8, reduced
from factory.label.cam.models import Shelf
from factory.label.cam.statements import ABSENT, PRESENT, Said, Statements

CHANCE = 0.5
Folds = npt.NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class Telling:
    """How well heads tell classes over pictures not trained on.

    ``auc_hk`` is the area under the ROC curve of each head and class within folds, 0.5 where unknown; ``error_k`` the
    standard error of each class's best; ``shares`` what each head pools of a picture.
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
    fold_n = np.array([fold_of[sample_id] for sample_id in statements.ids])
    said_nk = statements.said_nk
    auc_hk = np.array([[auc(logits_nhk[:, h, k], said_nk[:, k], fold_n) for k in range(classes)] for h in range(heads)])
    errors = [standard_error(auc_hk[:, k].max(), said_nk[:, k], fold_n) for k in range(classes)]
    return Telling(auc_hk=auc_hk, error_k=np.array(errors), shares=shelf.shares)


def auc(logits_n: npt.NDArray[np.float32], said_n: Said, fold_n: Folds) -> float:
    """Share of the pairs of a picture with and one without the class that are in the right order; ties count half.

    Both are of one fold: the model that saw the fewest pictures with a class says the least of it anywhere, and judges
    the fold that has the most of them, so that pairs of two folds would be in the wrong order where nothing is told.
    """
    right, pairs = 0.0, 0
    for with_n, without_n in _by_fold(said_n, fold_n):
        low_n = np.sort(logits_n[without_n])
        ranks_n = np.searchsorted(low_n, logits_n[with_n], "left") + np.searchsorted(low_n, logits_n[with_n], "right")
        right, pairs = right + ranks_n.sum() / 2, pairs + len(low_n) * len(ranks_n)
    return float(right / pairs) if pairs else CHANCE


def standard_error(area: float, said_n: Said, fold_n: Folds) -> float:
    """Of such an area under the ROC curve, 0 where there is nothing to compare.

    That of each fold (Hanley & McNeil 1982, equations 1 and 2), folds being independent and weighing by their pairs.
    """
    first, second = area / (2 - area), 2 * area**2 / (1 + area)
    spread, pairs = 0.0, 0
    for with_n, without_n in _by_fold(said_n, fold_n):
        n, m = int(with_n.sum()), int(without_n.sum())
        spread += n * m * (area * (1 - area) + (n - 1) * (first - area**2) + (m - 1) * (second - area**2))
        pairs += n * m
    return float(np.sqrt(spread) / pairs) if pairs else 0.0


def _by_fold(said_n: Said, fold_n: Folds) -> Iterator[tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]]:
    """Which pictures have the class and which do not, fold by fold."""
    for fold in np.unique(fold_n):
        yield (fold_n == fold) & (said_n == PRESENT), (fold_n == fold) & (said_n == ABSENT)
