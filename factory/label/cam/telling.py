"""How well each head tells each class in pictures its model never saw: by it every class gets its head."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
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
    """``auc_hk``: area under the ROC curve of each head and class over pictures not trained on; 0.5 where unknown."""

    auc_hk: npt.NDArray[np.float64]

    @property
    def heads_k(self) -> tuple[int, ...]:
        """The head that tells each class best, the first of equals."""
        return tuple(int(head) for head in self.auc_hk.argmax(axis=0))


def telling(
    statements: Statements, fold_of: Mapping[str, int], shelf: Shelf, image: Callable[[str], Image8], longest: int
) -> Telling:
    """Ask every head about every picture; with one head there is nothing to ask."""
    if shelf.heads == 1:
        return Telling(auc_hk=np.full((1, shelf.classes), CHANCE))
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
    return Telling(auc_hk=np.array(table))


def auc(logits_n: npt.NDArray[np.float32], said_n: Said) -> float:
    """Share of the pairs of a picture with and one without the class that are in the right order; ties count half."""
    with_n, without_n = logits_n[said_n == PRESENT], np.sort(logits_n[said_n == ABSENT])
    if not len(with_n) or not len(without_n):
        return CHANCE
    below = np.searchsorted(without_n, with_n, "left") + np.searchsorted(without_n, with_n, "right")
    return float(below.mean() / (2 * len(without_n)))
