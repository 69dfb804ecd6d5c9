"""CVAT for images 1.1: what is written comes back pixel for pixel, and what CVAT writes is read as CVAT draws it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from factory.core.classes import IGNORE, ClassList
from factory.core.errors import ConfigError, InputError
from factory.exchange import runs
from factory.exchange.cvat import NOT_XML, Cvat, label_constructor, read_classes

CLASSES = ClassList.of(["background", "coin", "cloth"])
IDS = st.sampled_from([0, 1, 2, IGNORE])
MASKS = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12), elements=IDS)
NAMES = st.lists(st.text(min_size=1).filter(lambda text: not NOT_XML.search(text)), min_size=3, max_size=3, unique=True)


def written(masks: dict[str, np.ndarray], folder: Path, classes: ClassList = CLASSES, specks: int = 16) -> Path:
    """The file `Cvat` writes for masks by image name."""
    ((name, data),) = Cvat(specks=specks).write(masks.items(), classes)
    (folder / name).write_bytes(data)
    return folder / name


def one_image(shapes: str, folder: Path, size: str = 'width="6" height="4"') -> Path:
    """A returned file with one image and these shapes."""
    path = folder / "returned.xml"
    path.write_text(
        f'<annotations><version>1.1</version><image id="0" name="a.png" {size}>{shapes}</image></annotations>'
    )
    return path


def read_one(path: Path, size_hw: tuple[int, int] = (4, 6)) -> np.ndarray:
    """The only image's class ids."""
    (entry,) = Cvat().read(path)
    return entry.mask(CLASSES, size_hw)


def drawn(rows: str) -> list[list[int]]:
    """Rows of digits as class ids, a dot for ignore."""
    return [[IGNORE if mark == "." else int(mark) for mark in row] for row in rows.split()]


@given(mask_hw=MASKS, specks=st.integers(0, 20))
@settings(deadline=None)
def test_pixels_written_are_pixels_read(
    mask_hw: np.ndarray, specks: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Holes, disjoint parts, single pixels, borders and ignored pixels survive, however masks are divided."""
    path = written({"a.png": mask_hw}, tmp_path_factory.mktemp("x"), specks=specks)
    (entry,) = Cvat().read(path)
    assert np.array_equal(mask_hw, entry.mask(CLASSES, mask_hw.shape))


@given(names=NAMES, mask_hw=MASKS)
@settings(deadline=None)
def test_any_name_survives(names: list[str], mask_hw: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Class and image names come back with their spaces, quotes, line ends and emoji."""
    classes = ClassList.of(names)
    path = written({names[0]: mask_hw}, tmp_path_factory.mktemp("x"), classes)
    (entry,) = Cvat().read(path)
    assert names[0] == entry.name
    assert np.array_equal(mask_hw, entry.mask(classes, mask_hw.shape))


@given(region_hw=hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=9)))
def test_runs_decode_to_what_was_encoded(region_hw: np.ndarray) -> None:
    """The run-length code is exact, and its runs add up to the box."""
    counts = runs.encode(region_hw)
    assert region_hw.size == sum(counts)
    assert np.array_equal(region_hw, runs.decode(counts, region_hw.shape))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [(["0110"], [1, 2, 1]), (["1100"], [0, 2, 2]), (["111", "101"], [0, 4, 1, 1]), (["000"], [3]), (["1"], [0, 1])],
)
def test_runs_start_with_zeros_and_go_row_by_row(rows: list[str], expected: list[int]) -> None:
    """Cases written by hand from CVAT's description of its format."""
    region_hw = np.array([[mark == "1" for mark in row] for row in rows])
    assert expected == runs.encode(region_hw)


def test_a_mask_is_cut_to_its_box(tmp_path: Path) -> None:
    """The element written for a ring is the one CVAT would export: box, runs of the box, z order."""
    mask_hw = np.full((5, 6), IGNORE, np.uint8)
    mask_hw[1:4, 2:5] = 1
    mask_hw[2, 3] = IGNORE
    text = written({"ring.png": mask_hw}, tmp_path, specks=0).read_text()
    box = 'left="2" top="1" width="3" height="3" z_order="1"'
    assert f'<mask label="coin" source="auto" occluded="0" rle="0, 4, 1, 4" {box} />' in text


def test_equal_masks_make_equal_bytes(tmp_path: Path) -> None:
    """Nothing in the file depends on when or where it was written."""
    mask_hw = np.array(drawn("0011 2211"), np.uint8)
    (tmp_path / "other").mkdir()
    first, second = (written({"a": mask_hw}, folder).read_bytes() for folder in (tmp_path, tmp_path / "other"))
    assert first == second


def test_dust_shares_a_mask_and_larger_parts_stay_apart(tmp_path: Path) -> None:
    """Two large coins are two masks to edit; three single pixels are one."""
    mask_hw = np.full((8, 20), IGNORE, np.uint8)
    mask_hw[0:5, 0:5], mask_hw[0:5, 8:13] = 1, 1
    mask_hw[7, [0, 5, 10]] = 1
    (entry,) = Cvat().read(written({"a": mask_hw}, tmp_path))
    assert len(entry.shapes) == 3


def test_the_higher_z_order_is_on_top_and_equal_ones_go_by_the_file(tmp_path: Path) -> None:
    """As CVAT draws them."""
    shapes = """
      <mask label="coin" z_order="1" rle="0, 4" left="1" top="1" width="2" height="2"/>
      <mask label="background" z_order="0" rle="0, 24" left="0" top="0" width="6" height="4"/>
      <mask label="cloth" z_order="1" rle="0, 1" left="2" top="2" width="1" height="1"/>"""
    assert drawn("000000 011000 012000 000000") == read_one(one_image(shapes, tmp_path)).tolist()


def test_polygons_and_boxes_cover_the_pixels_whose_centre_they_hold(tmp_path: Path) -> None:
    """A box from 1 to 3 covers columns 1 and 2; a triangle covers centres on its inner side."""
    shapes = """
      <box label="coin" xtl="1.0" ytl="0.0" xbr="3.0" ybr="2.0" z_order="0"/>
      <polygon label="cloth" points="3,1;6,1;6,4" z_order="0"/>"""
    assert drawn(".11... .11222 ....22 .....2") == read_one(one_image(shapes, tmp_path)).tolist()


def test_a_box_turned_by_a_right_angle_swaps_its_sides(tmp_path: Path) -> None:
    """A 4 x 2 box about (3, 2) turned by 90 degrees is 2 x 4."""
    shapes = '<box label="coin" xtl="1" ytl="1" xbr="5" ybr="3" rotation="90" z_order="0"/>'
    assert drawn("..11.. ..11.. ..11.. ..11..") == read_one(one_image(shapes, tmp_path)).tolist()


def test_an_ellipse_covers_the_pixels_whose_centre_it_holds(tmp_path: Path) -> None:
    """Lying, and turned clockwise: by a right angle it stands, by less it leans to the right and down."""
    about = 'label="coin" cx="3" cy="2" rx="2.6" ry="1" z_order="0"'
    for turn, rows in (("", "...... .1111. .1111. ......"), ('rotation="90"', "..11.. ..11.. ..11.. ..11..")):
        assert drawn(rows) == read_one(one_image(f"<ellipse {about} {turn}/>", tmp_path)).tolist()
    leaning = read_one(one_image(f'<ellipse {about} rotation="30"/>', tmp_path))
    assert (leaning[3, 4], leaning[0, 1], leaning[0, 4], leaning[3, 1]) == (1, 1, IGNORE, IGNORE)


@given(cut=st.floats(0.0, 6.0), slope=st.floats(-3.0, 3.0))
def test_polygons_that_share_an_edge_leave_no_gap_and_no_overlap(
    cut: float, slope: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """An image divided by any line is covered once, whatever is painted last."""
    top, bottom = cut, cut + slope
    left = f'<polygon label="coin" points="-9,0;{top},0;{bottom},4;-9,4" z_order="0"/>'
    right = f'<polygon label="cloth" points="{top},0;19,0;19,4;{bottom},4" z_order="0"/>'
    folder = tmp_path_factory.mktemp("x")
    assert read_one(one_image(left + right, folder)).tolist() == read_one(one_image(right + left, folder)).tolist()
    assert IGNORE not in read_one(one_image(left + right, folder))


def test_an_image_without_shapes_says_nothing(tmp_path: Path) -> None:
    """An empty image and an empty mask are no error and no background."""
    empty = '<mask label="coin" rle="" left="0" top="0" width="0" height="0" z_order="0"/>'
    blank = '<mask label="coin" rle="4" left="0" top="0" width="2" height="2" z_order="0"/>'
    for shapes in ("", empty, blank, '<polygon label="coin" points="" z_order="0"/>'):
        assert (read_one(one_image(shapes, tmp_path)) == IGNORE).all()


def test_shapes_that_cover_no_pixels_are_named(tmp_path: Path) -> None:
    """Points, lines and tags are counted for the report; the rest of the image is read."""
    shapes = '<points label="coin" points="1,1"/><tag label="coin"/><points label="coin" points="2,2"/>'
    (entry,) = Cvat().read(one_image(shapes, tmp_path))
    assert [note.split(" not")[0] for note in entry.notes] == ["2 x <points>", "1 x <tag>"]


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ('<mask label="dog" rle="0, 1" left="0" top="0" width="1" height="1"/>', "unknown label"),
        ('<mask label="coin" rle="0, 3" left="0" top="0" width="1" height="1"/>', "do not fill"),
        ('<mask label="coin" rle="9, -8" left="0" top="0" width="1" height="1"/>', "do not fill"),
        ('<mask label="coin" rle="0, 2" left="5" top="0" width="2" height="1"/>', "outside its image"),
        ('<mask label="coin" rle="0, x" left="0" top="0" width="1" height="1"/>', "broken number"),
        ('<mask label="coin" left="0" top="0" width="1" height="1"/>', "lacks an attribute"),
        ('<polygon label="coin" points="1,2;3"/>', "broken number"),
        ('<polygon label="coin" points="1,2;nan,4;5,5"/>', "no number"),
        ('<ellipse label="coin" cx="1" cy="1" rx="nan" ry="1"/>', "no number"),
        ('<ellipse label="coin" cx="1" cy="1" rx="1"/>', "lacks an attribute"),
        ('<box label="coin" xtl="a" ytl="0" xbr="1" ybr="1"/>', "broken number"),
        ('<mask label="coin" z_order="1.5" rle="0, 1" left="0" top="0" width="1" height="1"/>', "whole number"),
    ],
)
def test_a_broken_shape_is_one_clear_error(shape: str, said: str, tmp_path: Path) -> None:
    """The message says what is wrong, names the image and what to do."""
    with pytest.raises(InputError, match=said) as caught:
        read_one(one_image(shape, tmp_path))
    assert (caught.value.where, bool(caught.value.todo)) == ("a.png", True)


@pytest.mark.parametrize("size", ['width="600000" height="400000"', 'width="5" height="4"', 'width="" height="4"'])
def test_another_size_is_refused_before_anything_is_allocated(size: str, tmp_path: Path) -> None:
    """A file may claim any size."""
    with pytest.raises(InputError):
        read_one(one_image("", tmp_path, size))


def test_a_truncated_file_is_one_clear_error(tmp_path: Path) -> None:
    """Wherever the download broke off."""
    whole = written({"a.png": np.eye(9, dtype=np.uint8)}, tmp_path).read_bytes()
    for length in range(0, len(whole) - 20, 97):
        (tmp_path / "half.xml").write_bytes(whole[:length])
        with pytest.raises(InputError, match="unreadable CVAT XML"):
            list(Cvat().read(tmp_path / "half.xml"))


@pytest.mark.parametrize(
    "prologue",
    [
        '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>',
        '<!DOCTYPE x SYSTEM "file:///etc/hostname">',
    ],
)
def test_files_with_entities_are_refused(prologue: str, tmp_path: Path) -> None:
    """A billion laughs are not expanded, nothing outside the file is read."""
    (tmp_path / "bomb.xml").write_text(f"{prologue}<annotations>&c;</annotations>")
    with pytest.raises(InputError, match="unreadable CVAT XML"):
        list(Cvat().read(tmp_path / "bomb.xml"))


def test_the_zip_that_cvat_hands_out_is_read(tmp_path: Path) -> None:
    """With or without the images beside the XML; a damaged one, or one without it, is one clear error."""
    mask_hw = np.array(drawn("0011 2211"), np.uint8)
    data = written({"a.png": mask_hw}, tmp_path).read_bytes()
    for name, inside in (
        ("task.zip", "annotations.xml"),
        ("project.zip", "images/annotations.xml"),
        ("other.zip", "a"),
    ):
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(inside, data)
    assert all(
        np.array_equal(mask_hw, read_one(tmp_path / name, mask_hw.shape)) for name in ("task.zip", "project.zip")
    )
    (tmp_path / "unpacked").mkdir()
    (tmp_path / "unpacked/annotations.xml").write_bytes(data)
    assert np.array_equal(mask_hw, read_one(tmp_path / "unpacked", mask_hw.shape)), "as some browsers leave it"
    whole = bytearray((tmp_path / "task.zip").read_bytes())
    whole[60:90] = bytes(30)
    (tmp_path / "damaged.zip").write_bytes(whole)
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        for inside in ("task_1/annotations.xml", "task_2/annotations.xml"):
            archive.writestr(inside, data)
    for name, todo in (
        ("damaged.zip", "export again"),
        ("other.zip", "as 'CVAT for images 1.1'"),
        ("two.zip", "one XML"),
    ):
        with pytest.raises(InputError) as caught:
            list(Cvat().read(tmp_path / name))
        assert todo in str(caught.value.todo)


def test_other_files_are_refused(tmp_path: Path) -> None:
    """Another XML, a picture, a folder, nothing at all."""
    (tmp_path / "voc.xml").write_text("<annotation/>")
    (tmp_path / "picture.xml").write_bytes(b"\x89PNG\r\n")
    for path in (tmp_path / "voc.xml", tmp_path / "picture.xml", tmp_path, tmp_path / "absent.xml"):
        with pytest.raises(InputError):
            list(Cvat().read(path))


@pytest.mark.parametrize(
    ("body", "got"),
    [
        ('<track id="0" label="coin"><box frame="0" xtl="0" ytl="0" xbr="1" ybr="1"/></track>', "<track>"),
        ('<image id="0" name="a.png" width="6" height="4"/><track id="0" label="coin"/>', "<track>"),
        ("", "no <image>"),
    ],
)
def test_an_export_for_video_is_told_from_one_that_says_nothing(body: str, got: str, tmp_path: Path) -> None:
    """It names frames, not images: nothing of it would be read, and nobody would notice."""
    path = tmp_path / "video.xml"
    path.write_text(f"<annotations><version>1.1</version><meta/>{body}</annotations>")
    with pytest.raises(InputError, match="not a CVAT file of images") as caught:
        list(Cvat().read(path))
    assert (caught.value.got, "CVAT for images 1.1" in str(caught.value.todo)) == (got, True)


def test_a_name_that_xml_cannot_hold_is_refused(tmp_path: Path) -> None:
    """Control characters have no place in XML, escaped or not."""
    with pytest.raises(InputError, match="cannot hold"):
        written({"a\x07.png": np.zeros((2, 2), np.uint8)}, tmp_path)


def test_labels_and_colours_stand_in_meta(tmp_path: Path) -> None:
    """The class list can be read back from the file; a file without one says so."""
    assert read_classes(written({}, tmp_path)) == CLASSES
    with pytest.raises(InputError, match="no labels"):
        read_classes(one_image("", tmp_path))


def test_the_label_constructor_gets_names_and_colours() -> None:
    """What is pasted into CVAT's raw label editor."""
    assert b'"name": "coin",\n  "color": "#' in label_constructor(CLASSES)


def test_a_negative_speck_size_is_refused() -> None:
    """Before anything is opened."""
    with pytest.raises(ConfigError, match="specks"):
        Cvat(specks=-1)
