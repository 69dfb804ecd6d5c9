"""Masks as an old model or an intern gives them: right on the whole, wrong here and there."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from factory.core.classes import IGNORE
from factory.core.picture import Picture
from factory.core.seeds import generator
from factory.ingest.supervision.regions import Bools, Map8, Numbers, numbered
from factory.ingest.supervision.slips import Clumsy, at_least, class_ids, ids_in
from factory.ingest.supervision.wander import displaced


@dataclass(frozen=True, kw_only=True)
class NoisyMasks(Clumsy):
    """Masks are forgotten but for a noisy one, whose every known pixel has some class.

    Regions (connected parts of a class) of fewer than ``least`` pixels go to what surrounds them: small objects vanish,
    holes are filled. So do larger ones that are ``missed``; ``wrong`` ones get another class of the picture. Those of
    classes in ``stuff``, the background for one, are neither. Borders are off by a smooth normal deviate of ``shift``
    pixels, which changes over ``reach`` pixels along the border.
    """

    stuff: list[int]
    least: int
    shift: float
    reach: float

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least("least", self.least, 1)
        at_least("shift", self.shift, 0)
        at_least("reach", self.reach, 1)
        class_ids("stuff", self.stuff)

    def __call__(self, photo: Picture, seed: int) -> Picture:
        """The photograph with a noisy mask instead of its own; without a mask it stays as it is."""
        if photo.mask is None:
            return photo
        rng = generator(seed, "noisy_masks", photo.id)
        numbers_hw, class_r, pixels_r = numbered(photo.mask)
        said_r, lost_r = self._judged(class_r, pixels_r, ids_in(photo.mask), rng)
        said_hw = surrounded(said_r.astype(np.uint8)[numbers_hw], lost_r[numbers_hw])
        noisy_hw = displaced(said_hw, self.shift, self.reach, rng)
        noisy_hw[photo.mask == IGNORE] = IGNORE
        return replace(photo, mask=None, noisy_mask=noisy_hw)

    def _judged(
        self, class_r: Numbers, pixels_r: Numbers, present: Numbers, rng: np.random.Generator
    ) -> tuple[Numbers, Bools]:
        """The class that each region is given, and whether it goes to what surrounds it; 0 is what is ignored."""
        thing_r = ~np.isin(class_r, [*self.stuff, IGNORE])
        missed_r = thing_r & ~self.given(class_r, rng)
        said_r = np.where(thing_r, self.named(class_r, present, rng), class_r)
        return said_r, (class_r == IGNORE) | (pixels_r < self.least) | missed_r


def surrounded(ids_hw: Map8, lost_hw: Bools) -> Map8:
    """Every lost pixel has the class of the nearest that is not; where all are lost, nothing is known."""
    if not lost_hw.any():
        return ids_hw
    if lost_hw.all():
        return np.full_like(ids_hw, IGNORE)
    lost_8 = lost_hw.astype(np.uint8)
    _, nearest_hw = cv2.distanceTransformWithLabels(lost_8, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    ids_l = np.zeros(int(nearest_hw.max()) + 1, np.uint8)
    ids_l[nearest_hw[~lost_hw]] = ids_hw[~lost_hw]
    return np.asarray(ids_l[nearest_hw], np.uint8)
