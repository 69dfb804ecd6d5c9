"""A picture as a graph of superpixels: what each looks like, where it lies, how sharply it is set off from others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra
from skimage.color import rgb2lab

from factory.core.superpixels import means_of, superpixels

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]

STEP = 20.0
"""CIELAB units of difference that make a step as long as one."""

LEAST_STEP = 1e-3
"""Length of a step between superpixels that look the same."""


@dataclass(frozen=True, kw_only=True)
class SuperpixelGraph:
    """``segments_hw`` numbers the superpixels from 0; per superpixel s its pixels, mean CIELAB and centroid.

    ``place_s2`` is (row, column) as a share of the picture's diagonal. Neighbours are ``edges_2e``, smaller number
    first; ``length_e`` is their common border in pixel sides, ``step_e`` the mean squared CIELAB difference across it.
    """

    segments_hw: Index
    pixels_s: Floats
    lab_sc: Floats
    place_s2: Floats
    edges_2e: Index
    length_e: Floats
    step_e: Floats

    def __len__(self) -> int:
        return len(self.pixels_s)

    def steps(self, vectors: Sequence[Floats], *, place_step: float, feature_step: float) -> Floats:
        """How long each edge is as a step: by colour, place, and features (rows of length 1 a superpixel, each array
        a layer).
        """
        first, second = self.edges_2e
        colour_e = np.linalg.norm(self.lab_sc[first] - self.lab_sc[second], axis=1)
        place_e = np.linalg.norm(self.place_s2[first] - self.place_s2[second], axis=1)
        features_e = sum(((1 - (v[first] * v[second]).sum(axis=1)) for v in vectors), start=np.zeros(len(first)))
        steps_e: Floats = colour_e / STEP + place_step * place_e + feature_step * features_e + LEAST_STEP
        return steps_e

    def along(self, steps_e: Floats, superpixels: Index) -> Floats:
        """The shortest way over neighbours from the nearest of some superpixels (Dijkstra 1959)."""
        ways = coo_array((steps_e, tuple(self.edges_2e)), shape=(len(self), len(self))).tocsr()
        distance_s: Floats = dijkstra(ways, directed=False, indices=superpixels, min_only=True)
        return distance_s

    def apart(self, superpixels: Index) -> Floats:
        """How far each superpixel lies from the nearest of some, as a share of the diagonal."""
        apart_sn = np.linalg.norm(self.place_s2[:, None] - self.place_s2[superpixels], axis=2)
        nearest_s: Floats = apart_sn.min(axis=1)
        return nearest_s


def graph_of(image_hwc: npt.NDArray[np.uint8], *, area: int, compactness: float) -> SuperpixelGraph:
    """Divide a picture into superpixels of ``area`` pixels on average (SLIC, Achanta et al. 2012)."""
    height, width = image_hwc.shape[:2]
    lab_hwc = rgb2lab(image_hwc)
    segments_hw = superpixels(image_hwc, area, compactness)
    pixels_s = np.bincount(segments_hw.ravel()).astype(float)
    diagonal = float(np.hypot(height, width))
    planes = [*np.moveaxis(lab_hwc, -1, 0), *(axis / diagonal for axis in np.mgrid[:height, :width])]
    means = means_of(segments_hw, planes)
    edges_2e, length_e, step_e = _borders(segments_hw, lab_hwc, len(pixels_s))
    return SuperpixelGraph(
        segments_hw=segments_hw,
        pixels_s=pixels_s,
        lab_sc=means[:, :3],
        place_s2=means[:, 3:],
        edges_2e=edges_2e,
        length_e=length_e,
        step_e=step_e,
    )


def _borders(segments_hw: Index, lab_hwc: Floats, total: int) -> tuple[Index, Floats, Floats]:
    """Pairs of superpixels that touch, the length of their border and the mean squared step across it."""
    pairs, steps = [], []
    for one, other in ((np.s_[:, 1:], np.s_[:, :-1]), (np.s_[1:], np.s_[:-1])):
        first, second = segments_hw[one].ravel(), segments_hw[other].ravel()
        across = first != second
        pairs.append(np.minimum(first, second)[across] * total + np.maximum(first, second)[across])
        steps.append(((lab_hwc[one] - lab_hwc[other]) ** 2).sum(axis=2).ravel()[across])
    keys, inverse = np.unique(np.concatenate(pairs), return_inverse=True)
    length_e = np.bincount(inverse, minlength=len(keys)).astype(float)
    step_e = np.bincount(inverse, np.concatenate(steps), len(keys)) / np.maximum(length_e, 1)
    return np.stack([keys // total, keys % total]), length_e, step_e
