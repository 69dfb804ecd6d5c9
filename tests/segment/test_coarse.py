"""A convolution of enlarged maps worked out at their small size is the convolution of the enlarged maps."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from factory.segment.coarse import BLOCK, CoarseConvolution


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (26, 18), (13, 40)])
@pytest.mark.parametrize(("factor", "corners"), [(4, True), (2, True), (4, False)])
@pytest.mark.parametrize("taps", [1, 3, 5])
def test_enlarging_may_come_after_the_channels_are_mixed(size, factor, corners, taps) -> None:
    """Two pictures, of one block and of several, up to their borders."""
    torch.manual_seed(0)
    maps, depth, point = torch.randn(2, 8, *size), torch.randn(8, 1, taps, taps), torch.randn(6, 8, 1, 1)
    added = torch.randn(2, 6, size[0] * factor, size[1] * factor)
    up = nn.Upsample(scale_factor=factor, mode="bilinear", align_corners=corners)
    expected = functional.conv2d(functional.conv2d(up(maps), depth, padding=taps // 2, groups=8), point)
    seen = []

    def then(block: torch.Tensor) -> torch.Tensor:
        seen.append(block.shape[2:])
        return block * 2

    found = CoarseConvolution(up, depth, point, added)(maps, then)
    torch.testing.assert_close(found, (expected + added).relu() * 2, atol=1e-4, rtol=0)
    assert all(height <= BLOCK[0] and width <= BLOCK[1] for height, width in seen)
    assert sum(height * width for height, width in seen) == added[0, 0].numel()
