"""Activation maps in closed form, beside the formulas of the papers by autograd and in loops."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from factory.label.cam.methods import EPSILON, Cam, GradCam, GradCamPlusPlus, LayerCam
from factory.label.cam.pooling import pooled

SHAPES = st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 5), st.integers(1, 3), st.integers(0, 99))


def drawn(shape: tuple[int, int, int, int, int]) -> tuple[Tensor, Tensor]:
    """Features (1, C, h, w) that are not negative, as after ReLU, and weights (K, C)."""
    channels, height, width, classes, seed = shape
    source = torch.Generator().manual_seed(seed)
    features = torch.rand(1, channels, height, width, generator=source, dtype=torch.float64)
    return features, torch.randn(classes, channels, generator=source, dtype=torch.float64)


def gradient(features_nchw: Tensor, weights_kc: Tensor, class_id: int) -> Tensor:
    """Of one class's score, GAP + linear, by autograd."""
    features = features_nchw.clone().requires_grad_()
    (features.mean(dim=(-2, -1)) @ weights_kc.T)[0, class_id].backward()
    assert features.grad is not None
    return features.grad


def selvaraju(features: Tensor, slope: Tensor) -> Tensor:
    """Grad-CAM, eqs. 1 and 2, channel by channel."""
    total = torch.zeros(features.shape[-2:], dtype=features.dtype)
    for channel in range(features.shape[1]):
        total += slope[0, channel].mean() * features[0, channel]
    return total.relu()


def chattopadhay(features: Tensor, slope: Tensor) -> Tensor:
    """Grad-CAM++, eqs. 10 and 19, cell by cell."""
    total = torch.zeros(features.shape[-2:], dtype=features.dtype)
    for channel in range(features.shape[1]):
        weight = 0.0
        for cell in slope[0, channel].flatten().tolist():
            alpha = cell**2 / (2 * cell**2 + features[0, channel].sum().item() * cell**3 + EPSILON)
            weight += alpha * max(cell, 0)
        total += weight * features[0, channel]
    return total.relu()


def jiang(features: Tensor, slope: Tensor) -> Tensor:
    """LayerCAM, eqs. 6 and 7."""
    return (slope[0].relu() * features[0]).sum(dim=0).relu()


@pytest.mark.parametrize(
    ("method", "formula"), [(GradCam(), selvaraju), (GradCamPlusPlus(), chattopadhay), (LayerCam(), jiang)]
)
@settings(deadline=None, max_examples=25)
@given(shape=SHAPES)
def test_the_closed_form_is_what_the_paper_computes_from_a_backward_pass(method, formula, shape) -> None:
    """For every class of a GAP + linear head, to rounding."""
    features, weights = drawn(shape)
    maps = method(features, weights)
    for class_id in range(len(weights)):
        expected = formula(features, gradient(features, weights, class_id))
        torch.testing.assert_close(maps[0, class_id], expected, rtol=1e-9, atol=1e-12)


def test_on_maps_of_many_cells_grad_cam_plus_plus_weighs_by_cubes() -> None:
    """The constant outweighs what it is to keep finite, here as in what this is to be equal to."""
    features, weights = drawn((4, 64, 64, 2, 3))
    small = 0.1 * weights
    cubes = Cam()(features, small.relu() ** 3 / (4096**2 * EPSILON))
    torch.testing.assert_close(GradCamPlusPlus()(features, small), cubes, rtol=0.01, atol=0)


@settings(deadline=None, max_examples=25)
@given(shape=SHAPES)
def test_cam_and_grad_cam_differ_by_a_factor_alone(shape) -> None:
    """Selvaraju 2017, section 3.1: Grad-CAM generalises CAM; the factor is the number of cells."""
    features, weights = drawn(shape)
    cells = features.shape[-2] * features.shape[-1]
    torch.testing.assert_close(Cam()(features, weights), cells * GradCam()(features, weights))


def test_the_whole_map_begins_at_its_least_value() -> None:
    """Nothing of it is cut off."""
    features, weights = drawn((3, 4, 5, 2, 7))
    maps = Cam(whole=True)(features, weights)
    raw = torch.einsum("nchw,kc->nkhw", features, weights)
    torch.testing.assert_close(maps - maps.amax(dim=(-2, -1), keepdim=True), raw - raw.amax(dim=(-2, -1), keepdim=True))
    assert maps.amin() == 0


def test_a_share_of_one_is_the_mean_and_a_tiny_share_the_highest_cell() -> None:
    """Cells outside the picture never count."""
    maps = torch.arange(12.0).view(1, 1, 1, 3, 4).repeat(1, 3, 1, 1, 1)
    inside = torch.ones(1, 3, 4, dtype=torch.bool)
    inside[0, :, 3] = False
    cells = np.array([0, 1, 2, 4, 5, 6, 8, 9, 10])
    np.testing.assert_allclose(pooled(maps, (1.0, 0.001, 0.34), inside)[0, :, 0], [cells.mean(), 10, 9])
