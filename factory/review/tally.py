"""The figures of a merge: what people changed, and how much of what the queue asked for was worth asking."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from factory.core.classes import ClassList
from factory.core.sample import Origin
from factory.review.corrections import Corrected, Known


@dataclass
class Tally:
    """Counts over the images of one merge; ``gained`` and ``lost`` are pixels by class id."""

    images_corrected: int = 0
    images_unchanged: int = 0
    pixels_human: int = 0
    pixels_changed: int = 0
    regions_returned: int = 0
    regions_again: int = 0
    regions_left_alone: int = 0
    regions_changed: int = 0
    regions_mislabelled: int = 0
    origins: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(256, np.int64))
    gained: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(256, np.int64))
    lost: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(256, np.int64))

    def regions(
        self, returned: list[int], changed: list[int], left_alone: list[int], mislabelled: int, before: list[int]
    ) -> None:
        """Count one image's queued regions; ``before`` are those that people had answered already."""
        self.regions_returned += len(returned)
        self.regions_again += len({*returned} & {*before})
        self.regions_left_alone += len(left_alone)
        self.regions_changed += len(changed)
        self.regions_mislabelled += mislabelled

    def image(self, before: Known, after: Corrected) -> None:
        """Count one corrected image; ``origins`` counts what the person's pixels replaced."""
        changed_hw = before.mask_hw != after.maps.mask_hw
        self.images_corrected += 1
        self.pixels_human += int(after.human_hw.sum())
        self.pixels_changed += int(changed_hw.sum())
        self.gained += np.bincount(after.maps.mask_hw[changed_hw], minlength=256)
        self.lost += np.bincount(before.mask_hw[changed_hw], minlength=256)
        self.origins += np.bincount(before.source_hw[after.human_hw], minlength=256)

    def figures(self, classes: ClassList, *, left_out: int, unbiased: bool) -> dict[str, Any]:
        """Everything as plain values.

        ``queue_precision`` is the share of returned regions in which the proposal was changed, ``label_precision`` that
        of regions mostly labelled otherwise before. None where nothing came back, or where what was found right
        does not count as returned (not ``unbiased``).
        """
        asked = self.regions_returned if unbiased else 0
        counted = {name: value for name, value in vars(self).items() if isinstance(value, int)}
        by_class = {
            name: {"gained": int(self.gained[i]), "lost": int(self.lost[i])} for i, name in enumerate(classes.names)
        }
        precisions = {
            "queue_precision": self.regions_changed / asked if asked else None,
            "label_precision": self.regions_mislabelled / asked if asked else None,
        }
        replaced = {origin.name.lower(): int(self.origins[origin]) for origin in Origin}
        return counted | {
            "images_left_out": left_out,
            **precisions,
            "pixels_by_class": by_class,
            "pixels_replaced_by_origin": replaced,
        }
