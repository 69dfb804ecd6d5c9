"""Superpixels: small connected areas of alike colour, which several parts build on."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt
from skimage.measure import label
from skimage.segmentation import slic

ITERATIONS = 5
"""Of k-means: as many edges are found as after ten, in half the time."""

SMALLEST_SIDE = 3
"""Of a superpixel, in pixels, that OpenCV's clean-up of specks leaves standing."""


def superpixels(image_hwc: npt.NDArray[np.uint8], area: int, compactness: float) -> npt.NDArray[np.intp]:
    """SLIC (Achanta et al. 2012) in CIELAB: segment numbers 0 to n-1, shape (height, width), each segment in one piece.

    ``area`` is the pixels a superpixel has on average; the higher ``compactness``, in CIELAB units, the squarer they
    are. By OpenCV, which follows edges better than scikit-image's and takes a fraction of its time; where superpixels
    would be tiny, or the picture holds hardly two of them side by side (OpenCV crashes then), by scikit-image.
    """
    side = round(area**0.5)
    if side < SMALLEST_SIDE or min(image_hwc.shape[:2]) < 2 * side:
        count = max(1, image_hwc[..., 0].size // area)
        found_hw = slic(image_hwc, count, compactness, start_label=0)
    else:
        found_hw = _by_opencv(image_hwc, side, compactness)
    pieces_hw = label(found_hw, connectivity=1, background=-1)  # type: ignore[no-untyped-call]
    return np.asarray(pieces_hw, np.intp) - 1


def means_of(segments_hw: npt.NDArray[np.intp], planes: Iterable[npt.NDArray[np.floating]]) -> npt.NDArray[np.float64]:
    """The mean of each plane (height, width) over each segment: (segments, planes)."""
    numbers = segments_hw.ravel()
    pixels_s = np.bincount(numbers)
    return np.stack([np.bincount(numbers, plane_hw.ravel()) / pixels_s for plane_hw in planes], axis=1)


def _by_opencv(image_hwc: npt.NDArray[np.uint8], side: int, compactness: float) -> npt.NDArray[np.int32]:
    lab_hwc = cv2.cvtColor(np.ascontiguousarray(image_hwc, np.float32) / 255, cv2.COLOR_RGB2Lab)
    grid = cv2.ximgproc.createSuperpixelSLIC(lab_hwc, cv2.ximgproc.SLIC, side, compactness)
    grid.iterate(ITERATIONS)
    grid.enforceLabelConnectivity()
    return np.asarray(grid.getLabels(), np.int32)
