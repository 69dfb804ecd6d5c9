"""Resizing and tiling move everything that is said of a picture along with it."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from factory.core.picture import Picture, mirrored, resize, tiles
from factory.core.sample import Hints
from factory.core.tiling import starts

lengths = st.integers(1, 60)


@st.composite
def photographs(draw) -> Picture:
    """A picture whose mask and scribbles spell out its points."""
    height, width = draw(lengths), draw(lengths)
    spots = st.tuples(st.integers(0, width - 1), st.integers(0, height - 1))
    points = tuple((x, y, 1) for x, y in draw(st.lists(spots, unique=True, max_size=6)))
    scribbles = np.full((height, width), 255, np.uint8)
    for x, y, class_id in points:
        scribbles[y, x] = class_id
    mask = np.random.default_rng(height).integers(0, 3, (height, width), np.uint8)
    image = np.stack([mask] * 3, axis=2)
    boxes = ((0, 0, width, height, 2),)
    return Picture(id="p", image=image, mask=mask, scribbles=scribbles, hints=Hints(points=points, boxes=boxes))


@given(photographs())
def test_a_mirror_image_carries_everything_to_the_other_side(photo) -> None:
    """Scribbles still spell out the points, boxes cover what they covered, and twice is not at all."""
    turned = mirrored(photo)
    assert {turned.scribbles[y, x] for x, y, _ in turned.hints.points} <= {1}
    assert (turned.scribbles == 1).sum() == len(turned.hints.points) == len(photo.hints.points)
    np.testing.assert_array_equal(turned.image[..., 0], turned.mask)
    x0, y0, x1, y1 = 0, 0, max(photo.size_hw[1] // 2, 1), photo.size_hw[0]
    half = replace(photo, hints=Hints(boxes=((x0, y0, x1, y1, 2),)))
    ((left, top, right, bottom, _),) = mirrored(half).hints.boxes
    np.testing.assert_array_equal(mirrored(half).image[top:bottom, left:right], photo.image[y0:y1, x0:x1][:, ::-1])
    again = mirrored(turned)
    assert again.hints == photo.hints
    for name in ("image", "mask", "scribbles"):
        np.testing.assert_array_equal(getattr(again, name), getattr(photo, name))


@given(photographs(), st.integers(8, 40), st.floats(0, 0.9))
def test_tiles_cover_the_picture_and_carry_exactly_what_lies_in_them(photo, size, overlap) -> None:
    """Every pixel, every point; nothing is moved or doubled within a tile."""
    seen = np.zeros(photo.image.shape[:2], bool)
    for tile in tiles(photo, size, overlap):
        x, y = tile.offset
        height, width = tile.image.shape[:2]
        area = (slice(y, y + height), slice(x, x + width))
        seen[area] = True
        np.testing.assert_array_equal(tile.mask, photo.mask[area])
        expected = {(px - x, py - y, c) for px, py, c in photo.hints.points if seen[py, px] and _in(area, px, py)}
        assert set(tile.hints.points) == expected
        assert tile.hints.boxes == ((0, 0, width, height, 2),)
    assert seen.all()


def _in(area, x, y) -> bool:
    return area[0].start <= y < area[0].stop and area[1].start <= x < area[1].stop


@given(st.integers(1, 400), st.integers(1, 100), st.floats(0, 0.9))
def test_neighbouring_tiles_share_what_was_asked_for(length, size, overlap) -> None:
    """Give or take the rounding to whole pixels; the last one lies flush."""
    found = starts(length, size, overlap)
    assert found[0] == 0
    assert found[-1] + min(size, length) == length
    gaps = np.diff(found)
    assert (gaps <= max(1, size * (1 - overlap)) + 1).all()
    assert len(gaps) == 0 or gaps.max() <= size


@given(photographs(), lengths, lengths)
def test_resizing_keeps_every_point_on_its_scribble(photo, width, height) -> None:
    """Shrinking must not lose a click, and a point lands where the scribble of its pixel lands."""
    found = resize(photo, width, height)
    assert found.image.shape == (height, width, 3)
    assert found.mask.shape == found.scribbles.shape == (height, width)
    assert len(found.hints.points) == len(photo.hints.points)
    for x, y, class_id in found.hints.points:
        assert 0 <= x < width
        assert 0 <= y < height
        if width <= photo.image.shape[1] and height <= photo.image.shape[0]:
            assert found.scribbles[y, x] == class_id
    assert set(np.unique(found.mask)) <= set(np.unique(photo.mask))


def test_resizing_to_the_same_size_changes_nothing() -> None:
    """Points stay in their pixels."""
    mask = np.arange(12, dtype=np.uint8).reshape(3, 4)
    photo = Picture(id="p", image=np.stack([mask] * 3, axis=2), mask=mask, hints=Hints(points=((3, 2, 1), (0, 0, 0))))
    found = resize(photo, 4, 3)
    assert found.hints == photo.hints
    np.testing.assert_array_equal(found.mask, mask)
    np.testing.assert_array_equal(found.image, photo.image)
