"""Each refiner beside its paper's formula, computed the slow way on tiny pictures."""

import itertools

import numpy as np
import pytest
import torch
from pydensecrf import densecrf
from scipy.ndimage import map_coordinates

from factory.core.superpixels import superpixels
from factory.refine.dense_crf import DenseCrf
from factory.refine.fast_crf import FastCrf
from factory.refine.guided_filter import GuidedFilter
from factory.refine.pixel_adaptive import DIRECTIONS, PixelAdaptive
from factory.refine.random_walk import HARD, RandomWalk
from factory.refine.superpixel_vote import SuperpixelVote
from factory.refine.upsampling import guided
from factory.refine.windows import Windows


def problem(height: int, width: int, classes: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A picture with an edge and some noise, and class probabilities."""
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 40, (height, width, 3), np.uint8)
    image[:, width // 2 :] += 90
    scores = rng.dirichlet(np.ones(classes), (height, width)).astype(np.float32)
    return image, np.ascontiguousarray(scores.transpose(2, 0, 1))


def posterior(refiner, image: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Of one picture, as float64."""
    found = refiner.posterior(torch.tensor(image).permute(2, 0, 1)[None], torch.tensor(scores)[None])
    return found[0].double().numpy()


def places(image: np.ndarray) -> np.ndarray:
    """Row and column of each pixel in turn."""
    return np.stack(np.mgrid[: image.shape[0], : image.shape[1]], axis=-1).reshape(-1, 2).astype(float)


def gaussian(features: np.ndarray) -> np.ndarray:
    """The kernel between all pairs, normalised symmetrically."""
    kernel = np.exp(-((features[:, None] - features[None]) ** 2).sum(axis=-1) / 2)
    scale = kernel.sum(axis=0) ** -0.5
    return kernel * scale * scale[:, None]


@pytest.mark.parametrize("iterations", [0, 1, 4])
def test_fast_crf_is_mean_field_over_all_pairs_of_pixels(iterations: int) -> None:
    """Equations 3 and 4 of Krähenbühl & Koltun, where the picture is small enough for nothing to be left out."""
    image, scores = problem(4, 5)
    crf = FastCrf(iterations=iterations, spatial_sxy=1.5, spatial_compat=2.0, bilateral_sxy=2.0, bilateral_srgb=20.0,
                  bilateral_compat=3.0)  # fmt: skip
    colours = image.reshape(-1, 3).astype(float)
    spatial = gaussian(places(image) / 1.5)
    bilateral = gaussian(np.concatenate([places(image) / 2.0, colours / 20.0], axis=1))
    belief = unary = scores.reshape(3, -1).astype(float)
    for _ in range(iterations):
        belief = unary * np.exp(2.0 * belief @ spatial + 3.0 * belief @ bilateral)
        belief /= belief.sum(axis=0)
    np.testing.assert_allclose(posterior(crf, image, scores).reshape(3, -1), belief, atol=2e-5)


@pytest.mark.parametrize("iterations", [1, 6])
def test_dense_crf_hands_each_setting_to_where_it_belongs(iterations: int) -> None:
    """All of them different from each other."""
    image, scores = problem(12, 17)
    peer = densecrf.DenseCRF2D(17, 12, 3)
    peer.setUnaryEnergy(np.ascontiguousarray(-np.log(scores.clip(1e-6)).reshape(3, -1)))
    peer.addPairwiseGaussian(sxy=2.0, compat=1.5)
    peer.addPairwiseBilateral(sxy=6.0, srgb=30.0, rgbim=image, compat=0.5)
    expected = np.asarray(peer.inference(iterations)).reshape(scores.shape)
    crf = DenseCrf(iterations=iterations, spatial_sxy=2.0, spatial_compat=1.5, bilateral_sxy=6.0, bilateral_srgb=30.0,
                   bilateral_compat=0.5)  # fmt: skip
    np.testing.assert_allclose(crf(image, scores)[1], expected.max(axis=0), atol=1e-5)


def test_fast_crf_agrees_with_pydensecrf_on_a_scene_that_it_reduces() -> None:
    """A picture of four areas under noise, read off scores that are right six times in ten."""
    rng = np.random.default_rng(1)
    truth = (np.arange(240)[:, None] // 120) * 2 + np.arange(300)[None] // 150
    image = (40 + 50 * truth[..., None] + rng.normal(0, 3, (240, 300, 3))).astype(np.uint8)
    guess = np.where(rng.random(truth.shape) < 0.4, rng.integers(0, 4, truth.shape), truth)
    scores = np.stack([np.where(guess == k, 0.4, 0.2) for k in range(4)]).astype(np.float32)
    crf = FastCrf(iterations=5, spatial_sxy=3.0, spatial_compat=3.0, bilateral_sxy=40.0, bilateral_srgb=8.0,
                  bilateral_compat=5.0)  # fmt: skip
    peer = densecrf.DenseCRF2D(300, 240, 4)
    peer.setUnaryEnergy(np.ascontiguousarray(-np.log(scores).reshape(4, -1)))
    peer.addPairwiseGaussian(sxy=3.0, compat=3.0)
    peer.addPairwiseBilateral(sxy=40.0, srgb=8.0, rgbim=image, compat=5.0)
    theirs = np.asarray(peer.inference(5)).argmax(axis=0).reshape(truth.shape)
    ours, _ = crf(image, scores)
    assert crf.cell(240, 300) > 1
    assert (ours == theirs).mean() > 0.995
    assert (ours == truth).mean() > 0.995


@pytest.mark.parametrize("reach", [1.0, 1e5])
def test_fast_crf_needs_no_more_memory_for_a_kernel_without_end(reach: float) -> None:
    """Windows end with the picture."""
    crf = FastCrf(iterations=1, spatial_sxy=1.0, spatial_compat=1.0, bilateral_sxy=reach, bilateral_srgb=5.0,
                  bilateral_compat=1.0)  # fmt: skip
    windows = crf.windows(300, 400, 8)
    assert windows.window**2 * windows.tall * windows.wide * windows.block**2 < 3e8


@pytest.mark.parametrize(("height", "width", "stride", "reach"), [(1, 1, 1, 0), (9, 20, 3, 2), (17, 8, 2, 5)])
def test_blocks_are_joined_as_they_were_cut_and_windows_hold_what_lies_around(height, width, stride, reach) -> None:
    """A window's middle is the samples of its own block."""
    windows = Windows(height=height, width=width, stride=stride, reach=reach)
    maps = torch.arange(2 * height * width).view(2, 1, height, width).float() + 1
    assert torch.equal(windows.joined(windows.blocks(maps)), maps)
    around = windows.around(maps).view(2, -1, windows.window, windows.window)
    first = (stride - 1) // 2
    if first < min(height, width):
        assert around[0, 0, reach, reach] == maps[0, 0, first, first]
    distances = windows.squared_distances().view(windows.window, windows.window, windows.block, windows.block)
    assert distances[reach, reach, first, first] == 0


def test_pixel_adaptive_is_the_papers_weighted_sum() -> None:
    """Section 3.4 of Ru et al. in loops over pixels and neighbours."""
    image, scores = problem(5, 6)
    par = PixelAdaptive(iterations=2, dilations=(1, 3), colour_weight=0.3, place_weight=0.01)
    expected = scores.astype(float)
    colours = image.astype(float)
    steps = [(d * y, d * x) for d in (1, 3) for y, x in DIRECTIONS]
    lengths = np.hypot(*np.array(steps).T)
    near = np.exp(-((lengths / (0.3 * lengths.std(ddof=1))) ** 2))
    for _ in range(2):
        before, expected = expected, np.empty_like(expected)
        for row, column in np.ndindex(5, 6):
            at = [(min(max(row + y, 0), 4), min(max(column + x, 0), 5)) for y, x in steps]
            around = np.array([colours[a] for a in at])
            spread = np.maximum(around.std(axis=0, ddof=1), 1e-3)
            alike = np.exp(-(((around - colours[row, column]) / (0.3 * spread)) ** 2).mean(axis=1))
            weights = alike / alike.sum() + 0.01 * near / near.sum()
            expected[:, row, column] = sum(w * before[:, y, x] for w, (y, x) in zip(weights, at, strict=True))
    np.testing.assert_allclose(posterior(par, image, scores), expected / expected.sum(axis=0), atol=1e-5)


def test_guided_filter_is_the_papers_regression_on_three_colours() -> None:
    """Equations 14 to 16 of He et al.; at the border the picture and the coefficients go on as their last pixel."""
    image, scores = problem(7, 8)
    radius, epsilon = 2, 1e-2
    guide = np.pad(image / 255, ((radius,) * 2, (radius,) * 2, (0, 0)), mode="edge")
    given = np.pad(scores.transpose(1, 2, 0).astype(float), ((radius,) * 2, (radius,) * 2, (0, 0)), mode="edge")
    slope, offset = np.empty((7, 8, 3, 3)), np.empty((7, 8, 3))
    for row, column in np.ndindex(7, 8):
        window = (slice(row, row + 5), slice(column, column + 5))
        colours, values = guide[window].reshape(-1, 3), given[window].reshape(-1, 3)
        covariance = np.cov(colours.T, bias=True) + epsilon * np.eye(3)
        mixed = colours.T @ values / 25 - np.outer(colours.mean(axis=0), values.mean(axis=0))
        slope[row, column] = np.linalg.solve(covariance, mixed)
        offset[row, column] = values.mean(axis=0) - colours.mean(axis=0) @ slope[row, column]
    slope = np.pad(slope, ((radius,) * 2, (radius,) * 2, (0, 0), (0, 0)), mode="edge")
    offset = np.pad(offset, ((radius,) * 2, (radius,) * 2, (0, 0)), mode="edge")
    expected = np.empty((3, 7, 8))
    for row, column in np.ndindex(7, 8):
        window = (slice(row, row + 5), slice(column, column + 5))
        mean = slope[window].mean(axis=(0, 1)), offset[window].mean(axis=(0, 1))
        expected[:, row, column] = image[row, column] / 255 @ mean[0] + mean[1]
    expected = np.maximum(expected, 1e-6)
    found = posterior(GuidedFilter(radius=radius, epsilon=epsilon, subsample=1), image, scores)
    np.testing.assert_allclose(found, expected / expected.sum(axis=0), atol=2e-5)


@pytest.mark.parametrize(("height", "width"), [(8, 12), (7, 10)])
def test_maps_of_cells_are_enlarged_by_a_regression_on_the_luminance(height: int, width: int) -> None:
    """Algorithm 2 of He & Sun on cells of 4 pixels, those at the border cut short; bilinear in between."""
    rng, side = np.random.default_rng(5), 4
    image = torch.tensor(rng.integers(0, 256, (1, 3, height, width))).float()
    cells = torch.nn.functional.avg_pool2d(image, side, ceil_mode=True)
    maps = torch.tensor(rng.random((1, 1, *cells.shape[-2:]))).float()
    weights = np.array([0.299, 0.587, 0.114])
    fine, guide = (np.tensordot(weights, one[0].double().numpy(), 1) for one in (image, cells))

    def around(values: np.ndarray) -> np.ndarray:
        padded = np.pad(values, 1, mode="edge")
        return np.stack([padded[y : y + len(values), x : x + values.shape[1]] for y, x in np.ndindex(3, 3)]).mean(
            axis=0
        )

    given = maps[0, 0].double().numpy()
    slope = (around(guide * given) - around(guide) * around(given)) / (around(guide**2) - around(guide) ** 2 + 25)
    offset = around(given) - slope * around(guide)
    rows, columns = (np.clip((np.arange(n) + 0.5) / side - 0.5, 0, cells.shape[axis] - 1)
                     for axis, n in ((2, height), (3, width)))  # fmt: skip
    spread = [
        map_coordinates(around(one), np.meshgrid(rows, columns, indexing="ij"), order=1) for one in (slope, offset)
    ]
    np.testing.assert_allclose(guided(maps, image, cells, side)[0, 0], spread[0] * fine + spread[1], atol=1e-4)


def dense_walk(image: np.ndarray, pull: np.ndarray, scores: np.ndarray, beta: float) -> np.ndarray:
    """(D + L) x = D s by elimination."""
    height, width = pull.shape
    matrix = np.diag(pull.ravel().astype(float))
    colours = image / 255
    for here in itertools.product(range(height), range(width)):
        for there in ((here[0] + 1, here[1]), (here[0], here[1] + 1)):
            if there[0] < height and there[1] < width:
                difference = ((colours[here] - colours[there]) ** 2).sum()
                weight = max(np.exp(-beta * difference / (10 * colours.std() * 3**0.5)), 1e-6)
                i, j = here[0] * width + here[1], there[0] * width + there[1]
                matrix[[i, j], [i, j]] += weight
                matrix[[i, j], [j, i]] -= weight
    flat = scores.reshape(len(scores), -1).astype(float)
    return np.linalg.solve(matrix, (pull.ravel() * flat).T).T.reshape(scores.shape)


def test_random_walk_makes_nothing_up_of_one_picture_of_a_batch() -> None:
    """Of a size that cells fill, where its equations have no other answer than that anything may be."""
    images, scores = torch.zeros(2, 3, 17, 17), torch.full((2, 3, 17, 17), 1 / 3)
    scores[0, :, 4, 5] = torch.tensor([0.0, 1.0, 0.0])
    known, unknown = RandomWalk(beta=90.0, prior=0.1).posterior(images, scores)
    assert known[1].min() > 0.99
    np.testing.assert_allclose(unknown, 1 / 3, atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (5, 6), (11, 10), (41, 30), (23, 61), (12, 96)])
def test_random_walk_solves_gradys_equations_with_priors(size: tuple[int, int]) -> None:
    """On grids of one cell, of one strip and of many, upright and lying."""
    image, scores = problem(*size)
    certain = (scores.max(axis=0) - 1 / 3) * 1.5
    expected = dense_walk(image, 0.1 * certain / (1 - certain), scores, 90.0)
    walk = RandomWalk(beta=90.0, prior=0.1)
    np.testing.assert_allclose(posterior(walk, image, scores), expected, atol=2e-4)


def test_random_walk_from_points_alone_is_the_seeded_random_walker() -> None:
    """Each pixel's probability of first reaching a seed of the class; classes nobody clicked get nothing."""
    image, _ = problem(30, 40)
    scores, pull = np.full((4, 30, 40), 0.25, np.float32), np.zeros((30, 40))
    for row, column, class_id in ((3, 4, 0), (25, 30, 2), (12, 22, 0)):
        scores[:, row, column], pull[row, column] = np.arange(4) == class_id, HARD
    expected = dense_walk(image, pull, scores, 130.0)
    found = posterior(RandomWalk(beta=130.0, prior=0.1), image, scores)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert found[[1, 3]].max() < 1e-4


def test_random_walk_is_exact_behind_edges_that_are_hard_to_cross() -> None:
    """In noise, where every pixel is cut off from its neighbours: what reaches it at all decides."""
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (36, 44, 3), np.uint8)
    scores, pull = np.full((3, 36, 44), 1 / 3, np.float32), np.zeros((36, 44))
    for class_id, (row, column) in enumerate(((3, 4), (30, 35), (18, 22))):
        scores[:, row, column], pull[row, column] = np.arange(3) == class_id, HARD
    expected = dense_walk(image, pull, scores, 1000.0)
    found = posterior(RandomWalk(beta=1000.0, prior=0.1), image, scores)
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_superpixel_vote_blends_the_mean_of_each_superpixel() -> None:
    """In a loop over superpixels."""
    image, scores = problem(40, 50)
    segments = superpixels(image, 30, 10.0)
    mean = np.empty_like(scores)
    for number in range(segments.max() + 1):
        mean[:, segments == number] = scores[:, segments == number].mean(axis=1, keepdims=True)
    blended = 0.7 * mean + 0.3 * scores
    mask, confidence = SuperpixelVote(area=30, compactness=10.0, share=0.7)(image, scores)
    np.testing.assert_array_equal(mask, blended.argmax(axis=0))
    np.testing.assert_allclose(confidence, blended.max(axis=0), rtol=1e-5)


def test_random_walk_shares_out_what_is_left_to_classes_that_nobody_speaks_for() -> None:
    """In equal parts where they are alike, else by the equations of each: none gets what another was given."""
    rng = np.random.default_rng(3)
    image, certain = rng.integers(0, 256, (9, 12, 3), np.uint8), np.where(rng.random((9, 12)) < 0.3, 0.6, 0.25)
    for shares in ([1 / 3, 1 / 3, 1 / 3], [0.4, 0.35, 0.25]):
        scores = np.stack([certain, *(share * (1 - certain) for share in shares)]).astype(np.float32)
        scores[1:, certain == 0.25] = 0.25
        surest = (scores.max(axis=0) - 0.25) / 0.75
        expected = dense_walk(image, 0.1 * surest / (1 - surest), scores, 90.0)
        found = posterior(RandomWalk(beta=90.0, prior=0.1), image, scores)
        np.testing.assert_allclose(found, expected, atol=2e-4)


def crf(reach: float, **changes: float) -> FastCrf:
    """With a bilateral kernel that reaches so far."""
    settings = {
        "iterations": 1,
        "spatial_sxy": 1.0,
        "spatial_compat": 0.0,
        "bilateral_srgb": 10.0,
        "bilateral_compat": 5.0,
    }
    return FastCrf(**settings | changes, bilateral_sxy=reach)


def test_fast_crf_reduces_a_picture_no_further_than_its_kernel_and_its_size_allow() -> None:
    """To a ninth of a sigma, to 8 pixels, and small pictures not at all; samples lie densely enough for its kernel."""
    assert [crf(reach).cell(600, 800) for reach in (9.0, 50.0, 900.0)] == [1, 6, 8]
    assert [crf(900.0).cell(side, side) for side in (64, 127, 128, 400)] == [1, 1, 2, 6]
    for reach in (1.0, 9.0, 50.0, 900.0):
        cell = crf(reach).cell(600, 800)
        windows = crf(reach).windows(600 // cell, 800 // cell, cell)
        assert windows.reach * windows.stride * cell >= min(2 * reach, 800 - 2 * cell)
        assert windows.stride * cell <= max(reach / 2, cell)
    assert 48 // crf(900.0).windows(40, 48, 1).stride >= 16
