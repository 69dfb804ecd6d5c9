"""LabelMe files become masks by pixel centres."""

import json
from pathlib import Path

import numpy as np
import pytest

from factory.core.classes import ClassList
from factory.core.errors import InputError
from factory.exchange.labelme import read_mask

CLASSES = ClassList.of(["background", "coin"])


def written(path: Path, *shapes: dict) -> Path:
    """A file of 12 x 8 pixels."""
    path.write_text(json.dumps({"imageHeight": 8, "imageWidth": 12, "shapes": list(shapes)}))
    return path


@pytest.mark.parametrize(
    ("kind", "points", "pixels"),
    [
        ("polygon", [[1, 1], [5, 1], [5, 4], [1, 4]], (slice(1, 4), slice(1, 5))),
        ("polygon", [[1.4, 1], [5.4, 1], [5.4, 4], [1.4, 4]], (slice(1, 4), slice(1, 5))),
        ("rectangle", [[5, 4], [1, 1]], (slice(1, 4), slice(1, 5))),
        ("polygon", [[-9, -9], [99, -9], [99, 99], [-9, 99]], (slice(None), slice(None))),
    ],
)
def test_a_pixel_belongs_where_its_centre_lies(tmp_path: Path, kind, points, pixels) -> None:
    """Also when the outline leaves the image, or the corners come in any order."""
    expected = np.zeros((8, 12), np.uint8)
    expected[pixels] = 1
    shape = {"label": "coin", "points": points, "shape_type": kind}
    np.testing.assert_array_equal(read_mask(written(tmp_path / "a.json", shape), CLASSES, 0), expected)


def test_circles_are_round_and_later_shapes_win(tmp_path: Path) -> None:
    """A background rectangle over half a coin cuts it."""
    circle = {"label": "coin", "points": [[4, 4], [4, 7]], "shape_type": "circle"}
    half = {"label": "background", "points": [[4, 0], [12, 8]], "shape_type": "rectangle"}
    whole = read_mask(written(tmp_path / "a.json", circle), CLASSES, 0)
    assert abs(whole.sum() - np.pi * 9) < 4
    cut = read_mask(written(tmp_path / "b.json", circle, half), CLASSES, 255)
    assert set(np.unique(cut)) == {0, 1, 255}
    assert not (cut[:, 4:] == 1).any()


@pytest.mark.parametrize("text", ["{", "{}", '{"imageHeight": 8, "imageWidth": 12, "shapes": [{"label": "coin"}]}'])
def test_a_broken_file_is_one_message(tmp_path: Path, text) -> None:
    """With its name."""
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputError, match="unreadable LabelMe"):
        read_mask(tmp_path / "a.json", CLASSES, 0)


def test_a_shape_without_an_area_is_refused_by_name(tmp_path: Path) -> None:
    """A line is no mask."""
    path = written(tmp_path / "a.json", {"label": "coin", "points": [[0, 0], [3, 3]], "shape_type": "line"})
    with pytest.raises(InputError, match="unsupported") as caught:
        read_mask(path, CLASSES, 0)
    assert caught.value.got == "line"
