"""LabelMe files become masks by pixel centres, and masks LabelMe files that come back pixel for pixel."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from factory.core.classes import IGNORE, ClassList
from factory.core.errors import ConfigError, InputError
from factory.exchange.labelme import LabelMe, is_any, read_mask
from factory.exchange.parts import connected

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
    np.testing.assert_array_equal(whole, whole[::-1])
    np.testing.assert_array_equal(whole[:, :8], whole[:, 7::-1])
    cut = read_mask(written(tmp_path / "b.json", circle, half), CLASSES, 255)
    assert set(np.unique(cut)) == {0, 1, 255}
    assert not (cut[:, 4:] == 1).any()


@pytest.mark.parametrize(
    "text", ["{", "[" * 10_000, "{}", '{"imageHeight": 8, "imageWidth": 12, "shapes": [{"label": "coin"}]}']
)
def test_a_broken_file_is_one_message(tmp_path: Path, text) -> None:
    """With its name."""
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputError, match="unreadable LabelMe"):
        read_mask(tmp_path / "a.json", CLASSES, 0)


def test_a_name_in_any_encoding_that_json_knows_is_read(tmp_path: Path) -> None:
    """Editors of some systems put a mark before the text."""
    classes = ClassList.of(["background", "Münze"])
    shape = {"label": "Münze", "points": [[0, 0], [12, 8]], "shape_type": "rectangle"}
    body = json.dumps({"imageHeight": 8, "imageWidth": 12, "shapes": [shape]}, ensure_ascii=False)
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        (tmp_path / "a.json").write_text(body, encoding)
        assert (read_mask(tmp_path / "a.json", classes, 0) == 1).all()
        assert is_any(tmp_path)


@pytest.mark.parametrize("kind", ["circle", "polygon", "rectangle"])
def test_points_that_are_no_numbers_are_refused(tmp_path: Path, kind: str) -> None:
    """A shape with one was nowhere, without a word."""
    shape = {"label": "coin", "points": [[float("nan"), 1], [5, 5]], "shape_type": kind}
    with pytest.raises(InputError, match="unreadable LabelMe"):
        read_mask(written(tmp_path / "a.json", shape), CLASSES, 0)


def test_a_shape_without_an_area_is_refused_by_name(tmp_path: Path) -> None:
    """A line is no mask."""
    path = written(tmp_path / "a.json", {"label": "coin", "points": [[0, 0], [3, 3]], "shape_type": "line"})
    with pytest.raises(InputError, match="unsupported") as caught:
        read_mask(path, CLASSES, 0)
    assert caught.value.got == "line"


MASKS = arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.sampled_from([0, 1, IGNORE]))


@settings(max_examples=40)
@given(st.dictionaries(st.sampled_from(["a.png", "deep/b.JPG", "c.d"]), MASKS, min_size=1), st.integers(0, 9))
def test_masks_come_back_to_the_pixel(tmp_path_factory, masks: dict[str, np.ndarray], specks: int) -> None:
    """However dust is divided; and its files are known as LabelMe's."""
    folder = tmp_path_factory.mktemp("labelme")
    files = dict(LabelMe(specks=specks).write(masks.items(), CLASSES))
    for name, data in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    assert is_any(folder)
    found = {entry.name.removesuffix(".json"): entry for entry in LabelMe().read(folder)}
    assert found.keys() == {name.removesuffix(".png").removesuffix(".JPG") for name in masks}
    for name, mask_hw in masks.items():
        entry = found[name.removesuffix(".png").removesuffix(".JPG")]
        np.testing.assert_array_equal(entry.mask(CLASSES, mask_hw.shape), mask_hw)


@pytest.mark.parametrize(
    ("corner", "pixels"),
    [
        ((2, 3), (slice(3, 5), slice(2, 5))),
        ((-1, -1), (slice(0, 1), slice(0, 2))),
        ((10, 7), (slice(7, 8), slice(10, 12))),
        ((-9, 2), (slice(0, 0), slice(0, 0))),
        ((30, 30), (slice(0, 0), slice(0, 0))),
    ],
)
def test_a_mask_lies_where_its_points_say(tmp_path: Path, corner: tuple[int, int], pixels) -> None:
    """What reaches beyond the picture is cut off; the tool itself is one pixel or a fraction off at times."""
    ((_, data),) = LabelMe().write([("a.png", np.ones((2, 3), np.uint8))], CLASSES)
    (shape,) = json.loads(data)["shapes"]
    expected = np.full((8, 12), IGNORE, np.uint8)
    expected[pixels] = 1
    for more, part in ((0, 0), (1, 0.3), (0, -0.4)):
        shape["points"] = [[corner[0] + 2 + more, corner[1] + 1 + more], [corner[0] + part, corner[1] + part]]
        np.testing.assert_array_equal(read_mask(written(tmp_path / "a.json", shape), CLASSES, IGNORE), expected)


@pytest.mark.parametrize(
    "changes",
    [
        {"mask": "AAAA"},
        {"mask": None},
        {"points": [[0, 0], [9, 9]]},
        {"points": [[0, 0], [2, 3]]},
        {"points": [[0, 0], [4, 1]]},
        {"points": [[0, 0], [float("nan"), 1]]},
    ],
)
def test_a_mask_that_is_none_is_one_message(tmp_path: Path, changes: dict) -> None:
    """By the image's name, with what to do."""
    ((_, data),) = LabelMe().write([("a.png", np.ones((2, 3), np.uint8))], CLASSES)
    (shape,) = json.loads(data)["shapes"]
    (entry,) = LabelMe().read(written(tmp_path / "a.json", shape | changes))
    with pytest.raises(InputError, match="unreadable LabelMe") as caught:
        entry.mask(CLASSES, (8, 12))
    assert caught.value.where == "a.json"
    assert "LabelMe" in (caught.value.todo or "")


def test_a_folder_without_its_files_is_refused(tmp_path: Path) -> None:
    """And JSON of another tool is not taken for it."""
    with pytest.raises(InputError, match="no LabelMe file"):
        LabelMe().read(tmp_path)
    for text in ("[1, 2]", "{", '{"images": []}', "3"):
        (tmp_path / "a.json").write_text(text)
        assert not is_any(tmp_path)
    with pytest.raises(ConfigError, match="specks"):
        LabelMe(specks=-1)


def test_things_that_touch_at_a_corner_are_one_and_dust_of_a_class_is_one() -> None:
    """Every pixel of a class is in one part, in a window as small as it can be."""
    mask_hw = np.full((6, 9), IGNORE, np.uint8)
    for row, column in ((0, 0), (1, 1), (0, 4), (5, 0), (5, 8)):
        mask_hw[row, column] = 1
    mask_hw[3:5, 3:5] = 0
    found = [(class_id, rows, columns, region.sum()) for class_id, (rows, columns), region in connected(mask_hw, 2)]
    assert found == [
        (0, slice(3, 5), slice(3, 5), 4),
        (1, slice(0, 2), slice(0, 2), 2),
        (1, slice(0, 6), slice(0, 9), 3),
    ]
    assert [region.sum() for *_, region in connected(mask_hw, 0)] == [4, 2, 1, 1, 1]
    ring_hw = np.pad(np.full((3, 3), IGNORE, np.uint8), 1)
    ring_hw[2, 2] = 0
    assert [region.sum() for *_, region in connected(ring_hw, 0)] == [16, 1], "what lies in a part is none of it"
