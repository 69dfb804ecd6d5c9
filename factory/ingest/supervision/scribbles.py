"""Scribbles: strokes of a pen inside what they name, as long and as many as people draw."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import compress

import numpy as np

from factory.core.classes import IGNORE
from factory.core.errors import ConfigError
from factory.core.picture import Picture
from factory.core.seeds import generator
from factory.ingest.supervision.regions import Bools, Map8, Region, depths, regions
from factory.ingest.supervision.slips import Clumsy, at_least, ids_in
from factory.ingest.supervision.strokes import Ground, Places, drawn
from factory.ingest.supervision.wander import displaced

LENGTHS_VARY = 0.3
"""Standard deviation of the logarithm of a stroke's length, as people's vary from picture to picture."""
MOST, WIDEST = 20.0, 99
"""A region's length drawn as often has no pixel left; wider pens, in pixels, are paint brushes, and mistakes."""
WANDER = 25.0
"""Pixels over which a hand that went astray goes on doing so."""


@dataclass(frozen=True, kw_only=True)
class Scribbles(Clumsy):
    """Masks are forgotten but for strokes on each region: a connected part of a class of at least ``least`` pixels.

    A region's length is its area by four times its mean depth, which is the length of a strip and 1.2 diameters of a
    disc. Strokes cover ``coverage`` of it together: one for every ``span`` of it (a share of the picture's diagonal),
    at least one, and none much longer than the region is across. They are ``width`` pixels wide, keep ``comfort``
    pixels off the border where there is room, and stay inside; but then the hand is off by a smooth normal deviate of
    ``jitter`` pixels.
    """

    coverage: float
    span: float
    width: int
    comfort: float
    least: int
    jitter: float

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("width", "comfort", "least"):
            at_least(name, getattr(self, name), 1)
        at_least("jitter", self.jitter, 0)
        at_least("span", self.span, 0.01)
        if not 0 < self.coverage <= MOST:
            raise ConfigError(
                "supervision.coverage is out of range", got=self.coverage, expected=f"above 0, to {MOST:g}"
            )
        if self.width > WIDEST:
            raise ConfigError("supervision.width is out of range", got=self.width, expected=f"1 to {WIDEST} pixels")

    def __call__(self, photo: Picture, seed: int) -> Picture:
        """The photograph with scribbles instead of its mask; without a mask it stays as it is."""
        if photo.mask is None:
            return photo
        strokes = list(self._strokes(photo.mask, generator(seed, "scribbles", photo.id)))
        rng = generator(seed, "scribbles", photo.id, "slips")
        meant = np.array([region.class_id for region, _ in strokes], np.intp)
        given, said = self.given(meant, rng), self.named(meant, ids_in(photo.mask), rng)
        scribbles_hw = np.full(photo.size_hw, IGNORE, np.uint8)
        for (region, stroke_hw), class_id in zip(compress(strokes, given), said[given], strict=True):
            scribbles_hw[region.window][stroke_hw] = class_id
        if self.jitter:
            scribbles_hw = displaced(scribbles_hw, self.jitter, WANDER, rng)
        scribbles_hw[photo.mask == IGNORE] = IGNORE
        return replace(photo, mask=None, scribbles=scribbles_hw)

    def _strokes(self, mask_hw: Map8, rng: np.random.Generator) -> Iterator[tuple[Region, Bools]]:
        depth_hw, others_hw = depths(mask_hw), depths(mask_hw, frame=False)
        for region in regions(mask_hw, self.least):
            ground = Ground(
                inside_hw=region.inside_hw,
                depth_hw=depth_hw[region.window],
                others_hw=others_hw[region.window],
                comfort=min(self.comfort, float(depth_hw[region.window][region.inside_hw].max())),
            )
            for way_n2 in ground.ways(self._lengths(ground, float(np.hypot(*mask_hw.shape)), rng), rng):
                yield region, drawn(way_n2, self.width, region.inside_hw)

    def _lengths(self, ground: Ground, diagonal: float, rng: np.random.Generator) -> Places:
        depth_n = ground.depth_hw[ground.inside_hw]
        total = len(depth_n) / (4 * float(depth_n.mean() - 0.5))
        across = float(np.hypot(*ground.inside_hw.shape))
        strokes = max(1, round(total / (self.span * diagonal)), round(self.coverage * total / across))
        vary_s = np.exp(LENGTHS_VARY * rng.standard_normal(strokes) - LENGTHS_VARY**2 / 2)
        return self.coverage * total / strokes * vary_s
