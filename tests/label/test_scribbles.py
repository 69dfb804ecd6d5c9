"""Strokes spread along the picture, up to where it changes."""

import numpy as np
import pytest
import segmentation_models_pytorch as smp
import torch
from skimage.color import rgb2lab

from factory.core.classes import IGNORE
from factory.core.errors import ConfigError, MachineError
from factory.core.picture import Picture
from factory.core.sample import Hints
from factory.label.colours import ColourDensity
from factory.label.dense import Densifier
from factory.label.features import Features, _framed, _gathered
from factory.label.reach import Reach
from factory.label.scribbles import Scribbles, Seen, _seen
from factory.label.superpixel_graph import graph_of

NO_FEATURES = Features(encoder="mobilenet_v2", weights=None, encoder_weights=None, layers=[2, 3])
SETTINGS = {
    "area": 20, "compactness": 10.0, "colour": 1.0, "colour_sigma": 3.0, "keep": 0.8,
    "geodesic": Reach(weight=1.0, softness=0.1), "straight": Reach(weight=0.5, softness=0.03), "place_step": 30.0,
    "feature_step": 10.0, "features": NO_FEATURES, "likeness": 0.5, "likeness_width": 0.05, "most": 4.0,
    "smoothness": 8.0, "rounds": 6, "certainty": 1.0,
}  # fmt: skip


def three_bands() -> np.ndarray:
    """Red, grey and blue bands of uneven width, a little noise."""
    image = np.zeros((45, 60, 3))
    image[:, :15], image[:, 15:40], image[:, 40:] = (180, 40, 40), (120, 120, 120), (30, 40, 170)
    return (image + np.random.default_rng(0).normal(0, 5, image.shape)).clip(0, 255).astype(np.uint8)


def scribbled(image: np.ndarray, **strokes: int) -> Picture:
    """A short stroke of a class at each of some columns, ten rows down."""
    drawn = np.full(image.shape[:2], IGNORE, np.uint8)
    for name, class_id in strokes.items():
        drawn[10, int(name.removeprefix("at")) : int(name.removeprefix("at")) + 4] = class_id
    return Picture(id="p", image=image, hints=Hints(), scribbles=drawn)


def test_three_classes_meet_where_the_picture_changes() -> None:
    """From one stroke each; a fourth class that nobody named has next to nothing."""
    scores = Scribbles(**SETTINGS)(scribbled(three_bands(), at5=0, at25=1, at50=3), 4)
    truth = np.select([np.arange(60) < 15, np.arange(60) < 40], [0, 1], 3)
    assert (scores.argmax(axis=0) == truth).mean() > 0.97
    assert scores[2].max() < 0.01


def test_an_island_of_the_same_colour_is_found_without_a_stroke_of_its_own() -> None:
    """Colours are learnt, not only neighbourhood."""
    image = three_bands()
    image[25:40, 45:58] = image[25:40, 1:14]
    found = Scribbles(**SETTINGS)(scribbled(image, at5=0, at25=1, at50=2), 3).argmax(axis=0)
    assert (found[26:39, 46:57] == 0).mean() > 0.9
    near = Scribbles(**SETTINGS | {"colour": 0.0})(scribbled(image, at5=0, at25=1, at50=2), 3).argmax(axis=0)
    assert (near[26:39, 46:57] == 0).mean() < 0.5


def test_the_only_class_that_is_named_ends_where_the_picture_changes() -> None:
    """Nobody said what else there is: beyond a change of colour no class is likelier, and no refiner floods it."""
    given, labeler = scribbled(three_bands(), at25=1), Scribbles(**SETTINGS)
    scores = labeler(given, 4)
    np.testing.assert_allclose(scores.sum(axis=0), 1, rtol=1e-5)
    assert scores[1, :, 17:38].mean() > 0.5
    np.testing.assert_allclose(scores[:, :, [2, 57]], 0.25, atol=0.01)
    dense = Densifier(labeler=labeler, refiner=Flooding(), min_confidence=0.4, longest=64)(given, 4)
    assert (dense.mask_hw[:, 20:36] == 1).mean() > 0.9
    assert (dense.mask_hw[:, [2, 57]] == IGNORE).all()


class Flooding:
    """A refiner that gives everything to the class with the most."""

    def __call__(self, image_hwc: np.ndarray, scores_khw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Certain of it, too."""
        size_hw = image_hwc.shape[:2]
        return np.full(size_hw, scores_khw.sum(axis=(1, 2)).argmax(), np.uint8), np.ones(size_hw, np.float32)


def test_certainty_sharpens_and_never_turns_a_decision() -> None:
    """The same mask, other confidence."""
    given = scribbled(three_bands(), at5=0, at50=1)
    soft, sharp = (Scribbles(**SETTINGS | {"certainty": c})(given, 2) for c in (0.2, 2.0))
    np.testing.assert_array_equal(soft.argmax(axis=0), sharp.argmax(axis=0))
    assert soft.max(axis=0).mean() < sharp.max(axis=0).mean()


def test_the_graph_knows_borders_and_means() -> None:
    """Against plain loops over pixels."""
    image = three_bands()[:12, 10:20]
    graph = graph_of(image, area=12, compactness=10.0)
    segments = graph.segments_hw
    assert set(np.unique(segments)) == set(range(len(graph)))
    lengths: dict[tuple[int, int], int] = {}
    for row in range(12):
        for column in range(10):
            for other in ((row + 1, column), (row, column + 1)):
                if other[0] < 12 and other[1] < 10 and segments[other] != segments[row, column]:
                    pair = tuple(sorted((int(segments[other]), int(segments[row, column]))))
                    lengths[pair] = lengths.get(pair, 0) + 1
    found = {(int(a), int(b)): n for (a, b), n in zip(graph.edges_2e.T, graph.length_e, strict=True)}
    assert found == lengths
    first = np.argwhere(segments == 0).mean(axis=0) / np.hypot(12, 10)
    np.testing.assert_allclose(graph.place_s2[0], first)
    np.testing.assert_allclose(graph.lab_sc[0], rgb2lab(image)[segments == 0].mean(axis=0))


def test_colour_densities_are_those_of_a_sum_of_gaussians() -> None:
    """To within the width of a cell."""
    rng = np.random.default_rng(1)
    colours, weights = rng.normal((60, 5, -10), 12, (40, 3)), rng.random(40)
    asked = rng.normal((60, 5, -10), 12, (25, 3))
    distances = ((asked[:, None] - colours[None]) ** 2).sum(axis=2)
    exact = (weights * np.exp(-distances / (2 * 9.0**2))).sum(axis=1) / weights.sum()
    np.testing.assert_allclose(ColourDensity(colours, weights, 9.0)(asked), exact, rtol=0.15, atol=0.01)


def test_the_one_colour_of_all_is_blurred_by_the_cells_as_stated() -> None:
    """Wherever in its cell it lies."""
    asked = np.random.default_rng(0).uniform((20, -40, -40), (80, 40, 40), (100, 1, 3))
    for sigma, least, most in ((3.0, 0.5, 0.95), (12.0, 0.96, 1.01)):
        found = [ColourDensity(colour, np.ones(1), sigma)(colour)[0] for colour in asked]
        assert least < min(found) < max(found) < most


def test_features_are_unit_vectors_of_each_superpixel(tmp_path, mobilenet_weights) -> None:
    """One a layer, whatever the size of the picture; likeness in them counts."""
    features = Features(encoder="mobilenet_v2", weights=str(mobilenet_weights), encoder_weights=None, layers=[2, 4])
    image = three_bands()[:41, :57]
    vectors = features(image, graph_of(image, area=20, compactness=10.0))
    assert [vector.shape[1] for vector in vectors] == [24, 96]
    np.testing.assert_allclose(np.linalg.norm(vectors[0], axis=1), 1, atol=1e-5)
    assert features.folders == {"weights": str(mobilenet_weights)}
    given = scribbled(image, at5=0, at25=1)
    keen = {"likeness_width": 0.001, "certainty": 0.05}
    plain, told = (Scribbles(**SETTINGS | keen | {"features": f})(given, 2) for f in (NO_FEATURES, features))
    assert np.abs(plain - told).max() > 0.01


@pytest.mark.parametrize(
    "change",
    [
        {"area": 0},
        {"smoothness": -1.0},
        {"colour_sigma": 1e6},
        {"keep": 0.0},
        {"rounds": 0},
        {"certainty": 0.0},
        {"likeness": -0.1},
    ],
)
def test_impossible_settings_are_refused(change) -> None:
    """By name."""
    with pytest.raises(ConfigError, match=next(iter(change))):
        Scribbles(**SETTINGS | change)


def test_without_the_hub_features_say_what_to_give_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not that the system refused a file."""

    def offline(*args: object, **kwargs: object) -> None:
        raise OSError("no connection")

    monkeypatch.setattr(smp.encoders, "get_encoder", offline)
    there = Features(encoder="mobilenet_v2", weights=None, encoder_weights="imagenet", layers=[2])
    with pytest.raises(MachineError, match=r"(?s)encoder cannot be made.*labeler.features.weights="):
        Scribbles(**SETTINGS | {"features": there})(scribbled(three_bands(), at5=0, at25=1), 2)


def test_layers_and_reaches_have_ranges() -> None:
    """Maps are numbered from 1 to 5."""
    with pytest.raises(ConfigError, match="layers"):
        Features(encoder="mobilenet_v2", weights=None, encoder_weights=None, layers=[0])
    for change in ({"softness": 0.0}, {"weight": -1.0}):
        with pytest.raises(ConfigError, match="reach"):
            Reach(**{"weight": 1.0, "softness": 0.1} | change)


def test_a_superpixel_is_of_the_class_that_most_of_its_named_pixels_are_of() -> None:
    """The first of two that name as many; a class that is outnumbered everywhere was named nowhere."""
    image, drawn = three_bands(), np.full((45, 60), IGNORE, np.uint8)
    graph = graph_of(image, area=20, compactness=10.0)
    for superpixel, ids in ((40, (2, 1, 1, 1)), (60, (3, 3, 1, 1))):
        rows, columns = np.nonzero(graph.segments_hw == superpixel)
        drawn[rows[:4], columns[:4]] = ids
    found = _seen(Picture(id="p", image=image, hints=Hints(), scribbles=drawn), graph, 4)
    assert [(one.id, one.superpixels.tolist(), one.pixels.tolist()) for one in found] == [(1, [40, 60], [3, 2])]


@pytest.mark.parametrize("keep", [0.3, 1.0])
def test_colours_are_of_what_was_named_and_of_the_cut_in_their_shares(keep: float) -> None:
    """Each superpixel counts by its pixels, in what was named by those that were; no class falls too far behind."""
    labeler = Scribbles(**SETTINGS | {"keep": keep})
    graph = graph_of(three_bands(), area=20, compactness=10.0)
    order, labels_s = graph.place_s2[:, 1].argsort(), np.where(graph.place_s2[:, 1] < 0.4, 0, 1)
    named = [Seen(0, order[[1, len(order) // 2]], np.array([1.0, 7.0])), Seen(1, order[[-2]], np.array([2.0]))]
    logs = []
    for one in named:
        cut_s = np.where(labels_s == one.id, graph.pixels_s, 0)
        weight_s = (1 - keep) * cut_s / cut_s.sum()
        for superpixel, pixels in zip(one.superpixels, one.pixels, strict=True):
            weight_s[superpixel] += keep * pixels / one.pixels.sum()
        logs.append(np.log(ColourDensity(graph.lab_sc, weight_s, 3.0)(graph.lab_sc) + 1e-6))
    behind_sj = np.stack(logs, axis=1) - np.max(logs, axis=0)[:, None]
    assert behind_sj.min() < -4
    found = labeler._coloured(graph, named, labels_s)
    np.testing.assert_allclose(found, np.maximum(behind_sj, -4.0), atol=1e-9)


def test_an_encoder_sees_a_picture_in_0_to_1_continued_by_its_edge() -> None:
    """A black frame would be a border of things, and eight bits cut short are two levels."""
    image = three_bands()[:41, :57]
    continued = np.pad(image, ((0, 23), (0, 7), (0, 0)), mode="edge") / 255
    np.testing.assert_allclose(_framed(image)[0].permute(1, 2, 0).numpy(), continued, atol=1e-6)


def test_maps_are_gathered_where_superpixels_lie() -> None:
    """Of a map that says in which row it is, each superpixel has the row that it lies in."""
    image = three_bands()[:41, :57]
    graph = graph_of(image, area=20, compactness=10.0)
    rows = (torch.arange(16) * 4 + 1.5).view(1, 1, 16, 1).expand(1, 1, 16, 16)
    found = _gathered(torch.cat([rows, torch.ones_like(rows)], dim=1), (41, 57), graph)
    lie = [np.nonzero(graph.segments_hw == s)[0].mean() for s in range(len(graph))]
    np.testing.assert_allclose(found[:, 0] / found[:, 1], lie, atol=1.1)
