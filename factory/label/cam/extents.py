"""How much of its pictures a class takes: a small share if something stands out in them, else the largest.

Something small raises the few strongest pixels of a picture and hardly the others; something large, or another light,
raises them together. So the surprise over a small share of the pixels is foretold from that of the picture's body, by
least squares over the pictures that hold nothing; a class is small if its pictures go beyond that.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from factory.core import digests
from factory.execute.progress import Progress
from factory.label.cam.frames import Image8, reduced
from factory.label.cam.models import Shelf
from factory.label.cam.normal import Normal
from factory.label.cam.pooling import top_mean
from factory.label.cam.statements import PRESENT, Statements

BODY = (0.5, 0.9)
"""Quantiles of a picture's surprise that stand for its body; no share that reaches into it can stand out."""

SURELY = 1.645
"""Standard errors by which pictures go beyond what is foretold: one-sided, 5 %."""

FEWEST = 3
"""Pictures of a kind below which their spread says nothing."""

Values = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Surprises:
    """Of each picture beside normal ones of other folds: the mean over its highest pixels, and its body.

    ``top_ns`` is over each of the ``shares``, as logits are pooled; ``body_nq`` holds the quantiles `BODY`.
    """

    shares: Sequence[float]
    top_ns: Values
    body_nq: Values

    def extents(self, statements: Statements) -> list[float]:
        """The share that each class takes, (K,): the least that stands out; the largest if none does."""
        taken_k = np.full(statements.said_nk.shape[1], max(self.shares))
        for place in np.argsort(self.shares)[::-1].tolist():
            if self.shares[place] < 1 - BODY[-1]:
                z_k = standing_out(statements, self.top_ns[:, place], self.body_nq)
                taken_k[z_k > SURELY] = self.shares[place]
        return [float(share) for share in taken_k]


def standing_out(statements: Statements, top_n: Values, body_nq: Values) -> npt.NDArray[np.float64]:
    """By how many standard errors (Welch 1947) each class's pictures go beyond what their body foretells, (K,).

    Beside pictures that hold nothing; 0 where there are fewer than `FEWEST` of either, or all are alike.
    """
    normal_n = np.isin(statements.ids, statements.normal())
    known_nc = np.column_stack([np.ones(len(body_nq)), body_nq])
    weight_c = np.linalg.lstsq(known_nc[normal_n], top_n[normal_n], rcond=None)[0]
    beyond_n = top_n - known_nc @ weight_c
    return np.array([_welch(beyond_n[said_n == PRESENT], beyond_n[normal_n]) for said_n in statements.said_nk.T])


def _welch(some: npt.NDArray[np.floating], others: npt.NDArray[np.floating]) -> float:
    if min(len(some), len(others)) < FEWEST:
        return 0.0
    error = np.sqrt(some.var(ddof=1) / len(some) + others.var(ddof=1) / len(others))
    return float((some.mean() - others.mean()) / error) if error > 0 else 0.0


def surprises(
    statements: Statements, fold_of: Mapping[str, int], shelf: Shelf, normal: Normal,
    image: Callable[[str], Image8], longest: int,
) -> Surprises:  # fmt: skip
    """Look at every picture once; what was found stays beside the models."""
    place = shelf.folder / "surprises.npy"
    if not place.is_file():
        rows = []
        with Progress("surprise", len(statements.ids)) as progress:
            for sample_id in statements.ids:
                known = shelf.known(fold_of[sample_id], normal)
                surprise_1p = known(reduced(image(sample_id), longest), shelf.first()).reshape(1, -1)
                tops = [float(top_mean(torch.from_numpy(surprise_1p), share)) for share in shelf.shares]
                rows.append([*tops, *np.quantile(surprise_1p, BODY)])
                progress.advance()
        buffer = io.BytesIO()
        np.save(buffer, np.array(rows, np.float32))
        digests.write_atomically(place, buffer.getvalue())
    found_nc = np.load(place)
    return Surprises(shares=shelf.shares, top_ns=found_nc[:, : shelf.heads], body_nq=found_nc[:, shelf.heads :])
