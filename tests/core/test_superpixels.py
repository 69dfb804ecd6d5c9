"""Superpixels: numbered without gaps, in one piece, along edges."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import label

from factory.core.superpixels import superpixels


@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    area=st.sampled_from([1, 4, 9, 16, 64, 200, 5000]),
    compactness=st.sampled_from([0.01, 10.0, 1000.0]),
    seed=st.integers(0, 99),
    flat=st.booleans(),
)
@settings(deadline=None, max_examples=60)
def test_segments_are_connected_and_numbered_from_0_without_a_gap(
    height: int, width: int, area: int, compactness: float, seed: int, flat: bool
) -> None:
    """At any size of picture and of superpixel, noise or nothing in it; twice the same, the picture untouched."""
    image = np.random.default_rng(seed).integers(0, 2 if flat else 256, (height, width, 3), np.uint8)
    kept = image.copy()
    segments = superpixels(image, area, compactness)
    assert (segments.shape, segments.dtype) == ((height, width), np.intp)
    assert np.array_equal(np.unique(segments), np.arange(segments.max() + 1))
    assert label(segments, connectivity=1, background=-1).max() == segments.max() + 1
    np.testing.assert_array_equal(superpixels(image, area, compactness), segments)
    np.testing.assert_array_equal(image, kept)


@pytest.mark.parametrize("area", [16, 64, 256])
def test_superpixels_end_at_edges_and_have_the_area_asked_for(area: int) -> None:
    """On two halves under a little noise."""
    image = np.full((96, 128, 3), 60, np.uint8)
    image[:, 61:] = 180
    image += np.random.default_rng(0).integers(0, 9, image.shape, np.uint8)
    segments = superpixels(image, area, 10.0)
    assert not set(np.unique(segments[:, :61])) & set(np.unique(segments[:, 61:]))
    assert 0.5 < image[..., 0].size / (segments.max() + 1) / area < 2
