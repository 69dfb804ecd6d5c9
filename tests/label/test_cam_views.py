"""However a picture is looked at, its map lies where the picture does."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from factory.label.cam.methods import Cam
from factory.label.cam.views import Views

STRIDE = 32


class Brightness:
    """Stands for a classifier: the mean brightness of each cell, pictures being padded to whole cells as there."""

    classes, spec, encoder = 1, SimpleNamespace(stride=STRIDE), None

    def raw(self, images_nchw: Tensor) -> Tensor:
        """(N, 1, cells down, cells across)."""
        height, width = images_nchw.shape[-2:]
        padded = functional.pad(images_nchw, (0, -width % STRIDE, 0, -height % STRIDE), mode="replicate")
        return functional.avg_pool2d(padded.mean(dim=1, keepdim=True), STRIDE)

    def adapted(self, raw_nchw: Tensor) -> Tensor:
        """As they are."""
        return raw_nchw

    def weights_hkc(self) -> Tensor:
        """One head, one class, one channel."""
        return torch.ones(1, 1, 1)


@pytest.mark.parametrize("across", [True, False], ids=["across", "down"])
@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("scale", [0.5, 0.75, 1.0, 1.3, 2.0])
def test_every_view_of_a_ramp_is_the_same_ramp(scale: float, flip: bool, across: bool) -> None:
    """Sides are no multiple of a cell, at no scale; cells next to the border hold padding and are left out."""
    ramp = np.linspace(0, 250, 530).round().astype(np.uint8)
    image = np.tile(ramp[None, :, None], (300, 1, 3))
    image = image if across else np.ascontiguousarray(image.transpose(1, 0, 2))
    plain, seen = (
        Views(scales=scales, flip=flipped)([Brightness()], Cam(), image, 0)[0, 0].numpy()
        for scales, flipped in (([1.0], False), ([scale], flip))
    )
    assert seen.shape == plain.shape
    profile, expected = (one.mean(axis=0 if across else 1)[2:-3] for one in (seen, plain))
    step = np.diff(expected).mean()
    np.testing.assert_allclose(profile, expected, atol=0.02 * step)
