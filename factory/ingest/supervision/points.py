"""Points: at random over the picture, or a click on every object near its middle; where they land is another matter."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from factory.core.classes import IGNORE
from factory.core.errors import ConfigError
from factory.core.picture import Picture
from factory.core.seeds import generator
from factory.ingest.supervision.aim import pick
from factory.ingest.supervision.regions import Floats, Map8, Region, depths, regions
from factory.ingest.supervision.slips import Clumsy, at_least, ids_in

Places = npt.NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class Pointing(Clumsy):
    """A hand that lands beside what was meant, by a normal deviate of ``jitter`` pixels along each axis.

    The class is that of what was meant. Where that would be an ignored pixel, the hand stays on what was meant; of two
    points that land on one pixel the first counts.
    """

    jitter: float

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least("jitter", self.jitter, 0)

    def pointed(self, photo: Picture, mask_hw: Map8, meant: Places, rng: np.random.Generator) -> Picture:
        """The photograph with points, instead of its mask, for the flat indices of pixels that are meant."""
        ids = mask_hw.ravel()[meant].astype(np.intp)
        given = self.given(meant, rng)
        said = self.named(ids, ids_in(mask_hw), rng)
        y, x = np.unravel_index(self._landed(mask_hw, meant, rng), mask_hw.shape)
        first: dict[tuple[int, int], int] = {}
        for place_and_id in zip(x[given].tolist(), y[given].tolist(), said[given].tolist(), strict=True):
            first.setdefault(place_and_id[:2], place_and_id[2])
        points = tuple((*place, class_id) for place, class_id in first.items())
        return replace(photo, mask=None, hints=replace(photo.hints, points=points))

    def _landed(self, mask_hw: Map8, meant: Places, rng: np.random.Generator) -> Places:
        shape = mask_hw.shape
        aims_2n = np.stack(np.unravel_index(meant, shape))
        moved_2n = np.rint(aims_2n + self.jitter * rng.standard_normal(aims_2n.shape))
        rows, columns = (moved_n.clip(0, end - 1).astype(np.intp) for moved_n, end in zip(moved_2n, shape, strict=True))
        landed = np.ravel_multi_index((rows, columns), shape)
        return np.where(mask_hw.ravel()[landed] == IGNORE, meant, landed)


@dataclass(frozen=True, kw_only=True)
class RandomPoints(Pointing):
    """Masks are forgotten but for ``count`` pixels an image, drawn uniformly among those that are not ignored.

    This is the protocol of point-supervision benchmarks (PixelPick, Shin et al. 2021, first round).
    """

    count: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.count < 1:
            raise ConfigError(
                "supervision.count must be positive", got=self.count, expected="1 or more points an image"
            )

    def __call__(self, photo: Picture, seed: int) -> Picture:
        """The photograph with points instead of its mask; without a mask it stays as it is."""
        if photo.mask is None:
            return photo
        known = np.flatnonzero(photo.mask != IGNORE)
        meant = np.sort(generator(seed, "points", photo.id).permutation(known)[: self.count])
        return self.pointed(photo, photo.mask, meant, generator(seed, "points", photo.id, "slips"))


@dataclass(frozen=True, kw_only=True)
class Clicks(Pointing):
    """Masks are forgotten but for a click on each object: a connected part of a class of at least ``least`` pixels.

    People aim for the middle: a pixel is clicked with a probability that grows with its distance to the object's
    border, to the power of ``centring`` (0: anywhere on the object). ``count`` clicks an image, if it is given: of more
    objects the largest are clicked, and what fewer leave goes to pixels drawn uniformly among the others.
    """

    least: int
    centring: float
    count: int | None

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least("least", self.least, 1)
        at_least("centring", self.centring, 0)
        if self.count is not None:
            at_least("count", self.count, 1)

    def __call__(self, photo: Picture, seed: int) -> Picture:
        """The photograph with clicks instead of its mask; without a mask it stays as it is."""
        if photo.mask is None:
            return photo
        rng, depth_hw = generator(seed, "clicks", photo.id), depths(photo.mask)
        meant = np.array([self._aim(region, depth_hw, rng) for region in self._objects(photo.mask)], np.intp)
        if self.count is not None:
            others = np.setdiff1d(np.flatnonzero(photo.mask != IGNORE), meant)
            meant = np.append(meant, rng.permutation(others)[: self.count - len(meant)])
        return self.pointed(photo, photo.mask, meant, generator(seed, "clicks", photo.id, "slips"))

    def _objects(self, mask_hw: Map8) -> list[Region]:
        """The regions that get a click of their own."""
        found = list(regions(mask_hw, self.least))
        if self.count is None:
            return found
        return sorted(found, key=lambda region: -np.count_nonzero(region.inside_hw))[: self.count]

    def _aim(self, region: Region, depth_hw: Floats, rng: np.random.Generator) -> int:
        """Flat index of the pixel that is meant."""
        rows, columns = np.nonzero(region.inside_hw)
        rows, columns = rows + region.window[0].start, columns + region.window[1].start
        depth_n = depth_hw[rows, columns].astype(np.float64)
        chosen = pick((depth_n / depth_n.max()) ** self.centring, rng)
        return int(rows[chosen] * depth_hw.shape[1] + columns[chosen])
