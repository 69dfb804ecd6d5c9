"""Boxes: one an object, its edges not quite where the object ends."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from factory.core.picture import Picture
from factory.core.seeds import generator
from factory.ingest.supervision.regions import regions
from factory.ingest.supervision.slips import Clumsy, at_least, class_ids, ids_in

Edges = npt.NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class Boxes(Clumsy):
    """Masks are forgotten but for a box around each object: a connected part of a class of at least ``least`` pixels.

    Classes in ``stuff``, the background for one, have no boxes. Every edge is off by a normal deviate of ``jitter``,
    a share of the side across it, outwards or inwards; boxes stay in the picture and hold a pixel at least.
    A wrong name is that of another class with boxes.
    """

    stuff: list[int]
    least: int
    jitter: float

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least("least", self.least, 1)
        at_least("jitter", self.jitter, 0)
        class_ids("stuff", self.stuff)

    def __call__(self, photo: Picture, seed: int) -> Picture:
        """The photograph with boxes instead of its mask; without a mask it stays as it is."""
        if photo.mask is None:
            return photo
        things = [region for region in regions(photo.mask, self.least) if region.class_id not in self.stuff]
        edges_n4 = np.array([[x.start, y.start, x.stop, y.stop] for y, x in (t.window for t in things)], np.intp)
        ids = np.array([thing.class_id for thing in things], np.intp)
        rng = generator(seed, "boxes", photo.id)
        given = self.given(ids, rng)
        said = self.named(ids, np.setdiff1d(ids_in(photo.mask), self.stuff), rng)
        drawn_n4 = self._drawn(edges_n4.reshape(-1, 4), photo.size_hw, rng)
        boxes = tuple(map(tuple, np.column_stack([drawn_n4, said])[given].tolist()))
        return replace(photo, mask=None, hints=replace(photo.hints, boxes=boxes))

    def _drawn(self, edges_n4: Edges, size_hw: tuple[int, int], rng: np.random.Generator) -> Edges:
        sides_n4 = np.tile(edges_n4[:, 2:] - edges_n4[:, :2], 2)
        moved_n4 = np.rint(edges_n4 + self.jitter * sides_n4 * rng.standard_normal(edges_n4.shape))
        ends_4 = np.array(2 * size_hw[::-1])
        one_n2, other_n2 = np.hsplit(moved_n4.clip(0, ends_4).astype(np.intp), 2)
        begin_n2 = np.minimum(np.minimum(one_n2, other_n2), ends_4[:2] - 1)
        end_n2 = np.maximum(np.maximum(one_n2, other_n2), begin_n2 + 1)
        return np.hstack([begin_n2, end_n2])
