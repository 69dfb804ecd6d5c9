"""Each way of simulating hints, measured: what people aim at, how far off they are, what they overlook."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from factory.__main__ import main
from factory.core.classes import IGNORE
from factory.core.dataset import Dataset
from factory.core.errors import ConfigError
from factory.core.picture import Picture
from factory.core.sample import Hints
from factory.ingest.supervision.boxes import Boxes
from factory.ingest.supervision.noisy_masks import NoisyMasks
from factory.ingest.supervision.points import Clicks, RandomPoints
from factory.ingest.supervision.regions import depths
from factory.ingest.supervision.scribbles import Scribbles
from factory.ingest.supervision.tags import Tags, among
from factory.ingest.supervision.wander import displaced

NONE = {"missed": 0.0, "wrong": 0.0}
CLICKS = {**NONE, "least": 1, "centring": 2.0, "jitter": 0.0, "count": None}
SCRIBBLES = {**NONE, "coverage": 0.42, "span": 0.62, "width": 4, "comfort": 24.0, "least": 1, "jitter": 0.0}
BOXES = {**NONE, "stuff": [0], "least": 1, "jitter": 0.0}
TAGS = {**NONE, "least": 1, "complete": False, "classes": None}
NOISY = {**NONE, "stuff": [0], "least": 1, "shift": 0.0, "reach": 10.0}


def photo(mask_hw: np.ndarray, name: str = "p") -> Picture:
    """A black picture of which the mask is known."""
    mask_hw = np.asarray(mask_hw, np.uint8)
    return Picture(id=name, image=np.zeros((*mask_hw.shape, 3), np.uint8), hints=Hints(), mask=mask_hw)


def discs() -> np.ndarray:
    """Two discs of class 1 and a small one of class 2 on a ground of class 0."""
    rows, columns = np.mgrid[:120, :200]
    mask_hw = np.zeros((120, 200), np.uint8)
    for row, column, radius, class_id in ((40, 50, 25, 1), (80, 140, 30, 1), (20, 180, 4, 2)):
        mask_hw[(rows - row) ** 2 + (columns - column) ** 2 <= radius**2] = class_id
    return mask_hw


def test_random_points_are_the_draw_that_figures_were_published_with() -> None:
    """Whatever else the filter learns to do."""
    ids_hw = np.arange(48, dtype=np.uint8).reshape(6, 8) % 5
    ids_hw[2] = IGNORE
    drawn = RandomPoints(count=4, jitter=0.0, **NONE)(photo(ids_hw, "a"), 7)
    assert drawn.hints.points == ((2, 0, 2), (6, 0, 1), (0, 3, 4), (3, 4, 0))


def test_a_hand_lands_beside_what_it_meant_by_as_much_as_stated() -> None:
    """Root of the mean square along an axis; the class is that of what was meant."""
    mask_hw = np.zeros((400, 400), np.uint8)
    mask_hw[::40, ::40] = np.arange(1, 101).reshape(10, 10)
    meant = {c: (x, y) for x, y, c in Clicks(**CLICKS)(photo(mask_hw), 0).hints.points}
    landed = Clicks(**CLICKS | {"jitter": 3.0})(photo(mask_hw), 0).hints.points
    inner = [(x - meant[c][0], y - meant[c][1]) for x, y, c in landed if c % 10 != 1 and c > 10]
    assert len(landed) == 101
    assert 2.5 < np.sqrt(np.mean(np.square(inner))) < 3.5


def test_every_object_is_clicked_once_near_its_middle() -> None:
    """Nearer than a pixel at random would be; what is small is overlooked."""
    mask_hw = discs()
    depth_hw = depths(mask_hw)

    def clicked(centring: float) -> float:
        clicks = Clicks(**CLICKS | {"least": 60, "centring": centring})
        points = [point for seed in range(60) for point in clicks(photo(mask_hw), seed).hints.points]
        assert sorted(c for _, _, c in points) == 60 * [0] + 120 * [1]
        return float(np.mean([depth_hw[y, x] for x, y, class_id in points if class_id == 1]))

    anywhere = depth_hw[mask_hw == 1].mean()
    assert clicked(0.0) == pytest.approx(anywhere, rel=0.15)
    assert clicked(2.0) > 1.5 * anywhere


def test_clicks_that_objects_leave_go_to_pixels_anywhere() -> None:
    """As many as were asked for, no two on one pixel; too few for all objects go to the largest."""
    mask_hw = discs()
    mask_hw[:3] = IGNORE

    def clicked(count: int) -> list[int]:
        points = Clicks(**CLICKS | {"least": 30, "count": count})(photo(mask_hw), 0).hints.points
        assert len({(x, y) for x, y, _ in points}) == len(points) == count
        assert all(mask_hw[y, x] == class_id for x, y, class_id in points)
        return [class_id for _, _, class_id in points]

    assert sorted(clicked(2)) == [0, 1]
    assert sorted(clicked(4)) == [0, 1, 1, 2]
    spread = np.bincount(clicked(2004)[4:], minlength=3) / 2000
    assert spread == pytest.approx(np.bincount(mask_hw[3:].ravel())[:3] / mask_hw[3:].size, abs=0.03)


def test_a_stroke_is_as_long_and_as_wide_as_stated() -> None:
    """On a strip whose length is known: half of it, over the years."""
    mask_hw = np.zeros((40, 300), np.uint8)
    mask_hw[10:30] = 1
    scribbles = Scribbles(**SCRIBBLES | {"coverage": 0.5, "span": 2.0, "width": 3})
    extents, widths = [], []
    for seed in range(30):
        stroke_hw = scribbles(photo(mask_hw), seed).scribbles == 1
        _, columns = np.nonzero(stroke_hw)
        extents.append(np.ptp(columns) + 1)
        widths.append(stroke_hw.sum() / extents[-1])
    assert 120 < np.mean(extents) < 180
    assert 2.8 < np.mean(widths) < 3.6


def test_strokes_stay_inside_and_off_the_border_where_there_is_room() -> None:
    """Around the corners of a bent region, on objects and background alike."""
    mask_hw = np.zeros((160, 200), np.uint8)
    mask_hw[20:140, 20:180] = 1
    mask_hw[50:110, 50:180] = 0
    depth_hw = depths(mask_hw)
    for seed in range(5):
        drawn_hw = Scribbles(**SCRIBBLES | {"coverage": 0.7, "span": 5.0})(photo(mask_hw), seed).scribbles
        np.testing.assert_array_equal(drawn_hw[drawn_hw != IGNORE], mask_hw[drawn_hw != IGNORE])
        assert set(np.unique(drawn_hw)) == {0, 1, IGNORE}
        assert np.median(depth_hw[drawn_hw == 1]) > np.median(depth_hw[mask_hw == 1])
        rows, _ = np.nonzero(drawn_hw == 1)
        assert (rows.min() < 50, rows.max() >= 110, ndimage.label(drawn_hw == 1, np.ones((3, 3)))[1]) == (True, True, 1)


def test_a_larger_region_gets_more_strokes() -> None:
    """The ground around the discs several, a disc one."""
    drawn_hw = Scribbles(**SCRIBBLES | {"least": 60, "span": 0.5})(photo(discs()), 0).scribbles
    counts = [ndimage.label(drawn_hw == class_id, np.ones((3, 3)))[1] for class_id in (0, 1, 2)]
    assert counts[0] >= 3
    assert counts[1:] == [2, 0]


def test_boxes_are_tight_without_jitter_and_as_loose_as_stated_with_it() -> None:
    """Both ways; the background has none."""
    mask_hw = discs()
    assert Boxes(**BOXES)(photo(mask_hw), 0).hints.boxes == (
        (25, 15, 76, 66, 1),
        (176, 16, 185, 25, 2),
        (110, 50, 171, 111, 1),
    )
    loose = Boxes(**BOXES | {"jitter": 0.1, "least": 60})
    moved = [
        (x0 - 25) / 51 for seed in range(300) for x0, _, _, _, _ in loose(photo(mask_hw), seed).hints.boxes if x0 < 80
    ]
    assert np.mean(moved) == pytest.approx(0, abs=0.02)
    assert np.std(moved) == pytest.approx(0.1, rel=0.15)
    assert Boxes(**BOXES | {"stuff": [0, 1]})(photo(mask_hw), 0).hints.boxes == ((176, 16, 185, 25, 2),)


def test_tags_are_classes_that_can_be_seen() -> None:
    """A complete list denies the others, overlooked ones too; an ignored picture says nothing."""
    said = Tags(**TAGS | {"least": 60})(photo(discs()), 0).hints
    assert (said.tags, said.absent) == ((0, 1), ())
    complete = TAGS | {"least": 60, "complete": True}
    for told in (among(Tags(**complete), 5), among(Tags(**complete | {"classes": 5}), 9)):
        said = told(photo(discs()), 0).hints
        assert (said.tags, said.absent) == ((0, 1), (2, 3, 4))
    said = Tags(**TAGS | {"complete": True, "classes": 5})(photo(np.full((4, 4), IGNORE)), 0).hints
    assert (said.tags, said.absent) == ((), ())
    said = Tags(**TAGS | {"wrong": 1.0, "complete": True, "classes": 4})(photo(discs()), 0).hints
    assert (said.tags, said.absent) == ((3,), (0, 1, 2))


def test_a_noisy_mask_fills_holes_swallows_small_objects_and_moves_borders() -> None:
    """Small regions go to what surrounds them; borders move by about what is stated."""
    mask_hw = discs()
    mask_hw[38:42, 48:52] = 0
    said = NoisyMasks(**NOISY | {"least": 60})(photo(mask_hw), 0).noisy_mask
    expected = discs()
    expected[expected == 2] = 0
    np.testing.assert_array_equal(said, expected)
    shifted = NoisyMasks(**NOISY | {"shift": 2.0})(photo(expected), 0).noisy_mask
    assert 0 < depths(expected)[shifted != expected].mean() < 4
    assert 0.3 < (shifted != expected).sum() / (np.sqrt(2 / np.pi) * 2 * 2 * np.pi * 55) < 2


def test_what_is_missed_goes_to_what_surrounds_it_and_stuff_does_not() -> None:
    """The background stays the background."""
    mask_hw = discs()
    np.testing.assert_array_equal(NoisyMasks(**NOISY | {"missed": 1.0})(photo(mask_hw), 0).noisy_mask, 0 * mask_hw)
    wrong = NoisyMasks(**NOISY | {"wrong": 1.0})(photo(mask_hw), 0).noisy_mask
    assert (wrong == mask_hw)[mask_hw == 0].all()
    assert not (wrong == mask_hw)[mask_hw != 0].any()
    nothing = NoisyMasks(**NOISY | {"missed": 1.0, "stuff": []})(photo(mask_hw), 0).noisy_mask
    np.testing.assert_array_equal(nothing, np.full_like(mask_hw, IGNORE))


def test_places_move_together_and_by_as_much_as_stated() -> None:
    """A map of its own columns says how far each place came."""
    columns_hw = np.tile(np.arange(250, dtype=np.uint8), (200, 1))
    moves = []
    for seed in range(20):
        moved_hw = displaced(columns_hw, 4.0, 20.0, np.random.default_rng(seed))
        moves.append((moved_hw.astype(int) - columns_hw)[:, 20:-20])
    assert np.sqrt(np.mean(np.square(moves))) == pytest.approx(4, rel=0.15)
    assert max(np.abs(np.diff(move, axis=0)).max() for move in moves) <= 3


@pytest.mark.parametrize(
    ("kind", "values", "said"),
    [
        (RandomPoints, {**NONE, "count": 0, "jitter": 0.0}, "count"),
        (RandomPoints, {**NONE, "count": 3, "jitter": -1.0}, "jitter"),
        (RandomPoints, {**NONE, "count": 3, "jitter": float("nan")}, "jitter"),
        (Clicks, CLICKS | {"missed": 1.1}, "missed is a probability"),
        (Clicks, CLICKS | {"centring": -1.0}, "centring"),
        (Clicks, CLICKS | {"least": 0}, "least"),
        (Clicks, CLICKS | {"count": 0}, "count"),
        (Scribbles, SCRIBBLES | {"wrong": -0.1}, "wrong is a probability"),
        (Scribbles, SCRIBBLES | {"coverage": 0.0}, "coverage"),
        (Scribbles, SCRIBBLES | {"span": float("nan")}, "span"),
        (Scribbles, SCRIBBLES | {"width": 0}, "width"),
        (Scribbles, SCRIBBLES | {"span": 1e-9}, "span"),
        (Scribbles, SCRIBBLES | {"coverage": 1e9}, "coverage"),
        (Scribbles, SCRIBBLES | {"width": 10**6}, "width"),
        (Scribbles, SCRIBBLES | {"jitter": float("inf")}, "jitter"),
        (Boxes, BOXES | {"stuff": [255]}, "stuff"),
        (Boxes, BOXES | {"stuff": 0}, "stuff"),
        (Boxes, BOXES | {"stuff": ["sky"]}, "stuff"),
        (NoisyMasks, NOISY | {"reach": 0.0}, "reach"),
        (NoisyMasks, NOISY | {"stuff": [-1]}, "stuff"),
        (Tags, TAGS | {"classes": 0}, "classes"),
    ],
)
def test_values_that_make_no_sense_are_refused_by_name(kind, values, said) -> None:
    """When the part is made, before anything is read."""
    with pytest.raises(ConfigError, match=said):
        kind(**values)


def test_a_hand_without_any_hold_still_lands_in_the_picture() -> None:
    """However absurd the values that are allowed."""
    wild = (
        Clicks(**CLICKS | {"jitter": 1e30, "centring": 1e6}),
        Scribbles(**SCRIBBLES | {"jitter": 1e30, "comfort": 1e30}),
        Boxes(**BOXES | {"jitter": 1e30}),
        NoisyMasks(**NOISY | {"shift": 1e30, "reach": 1e30}),
    )
    for kind in wild:
        hinted = kind(photo(discs()), 0)
        assert all(0 <= x < 200 and 0 <= y < 120 for x, y, _ in hinted.hints.points)
        assert all(0 <= x0 < x1 <= 200 and 0 <= y0 < y1 <= 120 for x0, y0, x1, y1, _ in hinted.hints.boxes)


@pytest.mark.parametrize("choice", ["clicks", "scribbles", "boxes", "tags", "noisy_masks"])
def test_every_kind_arrives_in_a_data_set(tmp_path: Path, choice) -> None:
    """From the command line: the mask is gone, what remains of it is written."""
    for folder, pixels in (("in", discs()[..., None].repeat(3, 2) * 60), ("masks", discs())):
        (tmp_path / folder).mkdir()
        Image.fromarray(pixels).save(tmp_path / folder / "a.png")
    words = [f"inputs.images={tmp_path}/in", f"inputs.masks={tmp_path}/masks", "classes=[ground,disc,dot]"]
    out = tmp_path / "out"
    assert main(["ingest", *words, f"supervision={choice}", "executor=serial", f"out={out}"]) == 0
    sample = Dataset.open(out).samples[0]
    assert sample.mask is None
    assert sample.supervision == choice.replace("noisy_", "").replace("clicks", "points")
