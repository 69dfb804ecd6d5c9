"""What an annotator is asked about at a time: a picture, a tile of it, a superpixel, a connected segment, a pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from skimage.measure import label

from factory.core.errors import ConfigError
from factory.core.superpixels import superpixels


class Sight(NamedTuple):
    """What is known of an image when it is divided, all of its size.

    RGB, the predicted class ids, how doubtful each pixel is, and which pixels nobody has vouched for.
    """

    image_hwc: npt.NDArray[np.uint8]
    proposal_hw: npt.NDArray[np.uint8]
    score_hw: npt.NDArray[np.float32]
    askable_hw: npt.NDArray[np.bool_]


class Regions(Protocol):
    """Divides an image into regions."""

    def __call__(self, sight: Sight, *, rng: np.random.Generator) -> npt.NDArray[np.intp]:
        """Region numbers from 1, shape (height, width); 0 where nothing is to be asked. ``rng`` is the image's own."""


@dataclass(frozen=True, kw_only=True)
class Images:
    """The whole picture."""

    def __call__(self, sight: Sight, *, rng: np.random.Generator) -> npt.NDArray[np.intp]:  # noqa: ARG002
        """See `Regions`."""
        return np.ones(sight.proposal_hw.shape, np.intp)


@dataclass(frozen=True, kw_only=True)
class Tiles:
    """Squares of about ``side`` pixels, all of nearly the same size."""

    side: int

    def __post_init__(self) -> None:
        if self.side < 1:
            raise ConfigError("regions.side must be positive", got=self.side)

    def __call__(self, sight: Sight, *, rng: np.random.Generator) -> npt.NDArray[np.intp]:  # noqa: ARG002
        """See `Regions`; numbers in reading order."""
        height, width = sight.proposal_hw.shape
        down, across = (max(round(length / self.side), 1) for length in (height, width))
        rows, columns = np.arange(height) * down // height, np.arange(width) * across // width
        return np.asarray(rows[:, None] * across + columns + 1, np.intp)


@dataclass(frozen=True, kw_only=True)
class Superpixels:
    """SLIC superpixels (Achanta et al. 2012) of ``area`` pixels on average."""

    area: int
    compactness: float

    def __post_init__(self) -> None:
        if self.area < 1 or self.compactness <= 0:
            raise ConfigError("regions.area and compactness must be positive", got=f"{self.area}, {self.compactness}")

    def __call__(self, sight: Sight, *, rng: np.random.Generator) -> npt.NDArray[np.intp]:  # noqa: ARG002
        """See `Regions`; the prediction does not matter."""
        return superpixels(sight.image_hwc, self.area, self.compactness) + 1


@dataclass(frozen=True, kw_only=True)
class Segments:
    """Connected areas of one predicted class."""

    def __call__(self, sight: Sight, *, rng: np.random.Generator) -> npt.NDArray[np.intp]:  # noqa: ARG002
        """See `Regions`; the image does not matter."""
        return np.asarray(label(sight.proposal_hw.astype(np.int32) + 1, connectivity=1), np.intp)  # type: ignore[no-untyped-call]


@dataclass(frozen=True, kw_only=True)
class Pixels:
    """``most`` pixels of an image, any of the ``share`` of it that is most doubtful (PixelPick, Shin et al. 2021).

    The most doubtful pixels lie side by side; drawing from a share of them spreads the questions. Share 1 draws from
    all, whatever the doubt.
    """

    most: int
    share: float

    def __post_init__(self) -> None:
        if self.most < 1 or not 0 < self.share <= 1:
            got = f"most {self.most}, share {self.share}"
            raise ConfigError("regions.most is 1 or more, share above 0 and up to 1", got=got)

    def __call__(self, sight: Sight, *, rng: np.random.Generator) -> npt.NDArray[np.intp]:
        """See `Regions`; numbers in reading order."""
        places = np.flatnonzero(sight.askable_hw)
        doubt = np.nan_to_num(sight.score_hw.ravel()[places])
        ranked = places[np.argsort(-doubt, kind="stable")]
        eligible = ranked[: max(round(self.share * len(ranked)), self.most)]
        chosen = np.sort(rng.permutation(eligible)[: self.most])
        numbers = np.zeros(sight.proposal_hw.size, np.intp)
        numbers[chosen] = np.arange(1, len(chosen) + 1)
        return numbers.reshape(sight.proposal_hw.shape)
