"""Folders of mask PNGs: every pixel survives, and nothing is guessed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from factory.core.classes import IGNORE, VOID, ClassList
from factory.core.errors import ConfigError, InputError
from factory.exchange.png import Png
from tests import artefacts

CLASSES = ClassList.of(["background", "coin", "cloth"])
IDS = st.sampled_from([0, 1, 2, IGNORE])
MASKS = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12), elements=IDS)
COLOUR = st.tuples(*[st.sampled_from([0, 64, 128, 255])] * 3)


def read_one(folder: Path, classes: ClassList = CLASSES, size_hw: tuple[int, int] = (1, 3)) -> np.ndarray:
    """The only picture's class ids."""
    (entry,) = Png().read(folder)
    return entry.mask(classes, size_hw)


def saved(picture: Image.Image, folder: Path) -> Path:
    """The folder, after saving the picture in it."""
    picture.save(folder / "a.png")
    return folder


def palette_picture(ids: list[int], colours: list[tuple[int, int, int]]) -> Image.Image:
    """One row of ids with a palette."""
    picture = Image.fromarray(np.array([ids], np.uint8))
    picture.putpalette([value for colour in colours for value in colour])
    return picture


@given(mask_hw=MASKS, style=st.sampled_from(["palette", "grey", "colour"]))
@settings(deadline=None)
def test_pixels_written_are_pixels_read(
    mask_hw: np.ndarray, style: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """In each of the three styles."""
    folder = tmp_path_factory.mktemp("x")
    for name, data in Png(style=style).write([("a.jpg", mask_hw)], CLASSES):
        (folder / name).write_bytes(data)
    assert np.array_equal(mask_hw, read_one(folder, size_hw=mask_hw.shape))


@given(mask_hw=MASKS, colours=st.lists(COLOUR, min_size=3, max_size=3, unique=True))
@settings(deadline=None)
def test_class_ids_survive_any_colours(
    mask_hw: np.ndarray, colours: list[tuple[int, int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Also where a class has the grey of ignored pixels."""
    folder, classes = tmp_path_factory.mktemp("x"), ClassList.of(["a", "b", "c"], colours)
    for name, data in Png(style="palette").write([("a", mask_hw)], classes):
        (folder / name).write_bytes(data)
    assert np.array_equal(mask_hw, read_one(folder, classes, mask_hw.shape))


def test_a_palette_sorted_otherwise_is_read_by_its_colours(tmp_path: Path) -> None:
    """A tool that sorts classes by name keeps the colours: cloth at index 1, coin at index 2."""
    black, coin, cloth = CLASSES.colours
    assert read_one(saved(palette_picture([1, 2, 0], [black, cloth, coin]), tmp_path)).tolist() == [[2, 1, 0]]


def test_a_palette_of_foreign_colours_is_read_by_its_indices(tmp_path: Path) -> None:
    """The usual palette of VOC, for example."""
    colours = [(0, 0, 0), (128, 0, 0), (0, 128, 0)]
    assert read_one(saved(palette_picture([1, 2, 0], colours), tmp_path)).tolist() == [[1, 2, 0]]


def test_transparent_pixels_are_ignored(tmp_path: Path) -> None:
    """An RGBA drawing says nothing where nothing was drawn."""
    pixels = np.array([[(*CLASSES.colours[1], 255), (9, 9, 9, 0), (0, 0, 0, 255)]], np.uint8)
    assert read_one(saved(Image.fromarray(pixels), tmp_path)).tolist() == [[1, IGNORE, 0]]


@pytest.mark.parametrize(
    ("picture", "clear"),
    [
        (palette_picture([1, 9, 0], [(0, 0, 0), (128, 0, 0), *[(7, 7, 7)] * 8]), 9),
        (palette_picture([0, 2, 1], [CLASSES.colours[1], CLASSES.colours[0], CLASSES.colours[2]]), 2),
        (palette_picture([1, 0, 2], [(7, 7, 7), CLASSES.colours[1], CLASSES.colours[0]]), 0),
        (Image.fromarray(np.array([[1, 9, 0]], np.uint8)), 9),
        (Image.fromarray(np.array([[1, 900, 0]], np.uint16)), 900),
        (Image.fromarray(np.array([[CLASSES.colours[1], (7, 7, 7), CLASSES.colours[0]]], np.uint8)), (7, 7, 7)),
    ],
)
def test_a_transparent_value_is_ignored_like_a_transparent_pixel(
    picture: Image.Image, clear: int | tuple[int, int, int], tmp_path: Path
) -> None:
    """A drawing on an empty layer, saved with a palette, in grey or in RGB: whatever stands there, it is no class."""
    picture.save(tmp_path / "a.png", transparency=clear)
    assert read_one(tmp_path).tolist() == [[1, IGNORE, 0]]


def test_a_layer_reduced_to_a_palette_says_what_it_said_before(tmp_path: Path) -> None:
    """Its transparent entry is black, as the background is; half-transparent colours stay an error."""
    pixels = np.zeros((1, 3, 4), np.uint8)
    pixels[0, 1] = (*CLASSES.colours[2], 255)
    layer = Image.fromarray(pixels).quantize(8)
    assert read_one(saved(layer, tmp_path)).tolist() == [[IGNORE, 2, IGNORE]]
    layer.save(tmp_path / "a.png", transparency=bytes([0, 90]))
    with pytest.raises(InputError, match="half-transparent"):
        read_one(tmp_path)


@pytest.mark.parametrize(("bits", "highest"), [(1, 1), (2, 3), (4, 15), (8, 15)])
def test_grey_of_few_bits_holds_ids_as_they_stand_in_the_file(bits: int, highest: int, tmp_path: Path) -> None:
    """Not scaled to white; the value that is transparent, if there is one, is ignored."""
    classes, rows = ClassList.of([f"c{i}" for i in range(16)]), [[0, highest, 1], [1, 0, highest]]
    for clear in (None, 0, highest):
        (tmp_path / "a.png").write_bytes(artefacts.grey_png(rows, bits, clear))
        expected = np.where(np.array(rows) == clear, IGNORE, rows)
        assert np.array_equal(expected, read_one(tmp_path, classes, (2, 3)))


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        (Image.fromarray(np.array([[0, 3, 9]], np.uint8)), "outside the class list"),
        (Image.fromarray(np.array([[0, 1, 300]], np.uint16)), "outside the class list"),
        (Image.fromarray(np.full((1, 3, 3), 77, np.uint8)), "colours of no class"),
        (Image.fromarray(np.full((1, 3, 4), 77, np.uint8)), "half-transparent"),
        (Image.fromarray(np.zeros((1, 3, 2), np.uint8)), "unknown kind"),
        (Image.fromarray(np.zeros((2, 3), np.uint8)), "another size"),
    ],
)
def test_what_is_no_class_is_named_and_never_matched(picture: Image.Image, said: str, tmp_path: Path) -> None:
    """Stray ids, soft edges and other sizes are errors."""
    with pytest.raises(InputError, match=said) as caught:
        read_one(saved(picture, tmp_path))
    assert caught.value.where == "a.png"


def test_a_colour_of_no_class_is_answered_with_what_says_nothing(tmp_path: Path) -> None:
    """Most tools paint what is of no class black: whoever reads the message is told how it is said here."""
    with pytest.raises(InputError) as caught:
        read_one(saved(Image.new("RGB", (3, 1), (7, 7, 7)), tmp_path))
    assert "what is of no class transparent or #e0e0c0" in str(caught.value.todo)
    for silent in (Image.new("RGBA", (3, 1)), Image.new("RGB", (3, 1), "#e0e0c0")):
        assert (read_one(saved(silent, tmp_path)) == IGNORE).all()


def test_a_sixteen_bit_mask_of_small_ids_is_read(tmp_path: Path) -> None:
    """Some tools write nothing else."""
    assert read_one(saved(Image.fromarray(np.array([[0, 2, 1]], np.uint16)), tmp_path)).tolist() == [[0, 2, 1]]


def test_broken_and_lossy_files_are_errors_of_their_own(tmp_path: Path) -> None:
    """One bad file does not keep the others from being read."""
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    Image.new("L", (3, 1)).save(tmp_path / "lossy.jpg")
    Image.new("L", (3, 1)).save(tmp_path / "right.png")
    said = []
    for entry in Png().read(tmp_path):
        try:
            said.append(str(entry.mask(CLASSES, (1, 3)).sum()))
        except InputError as error:
            said.append(error.what)
    assert said == ["unreadable mask", "not a PNG", "0"]


def test_a_missing_or_empty_folder_is_refused(tmp_path: Path) -> None:
    """As is a file in its place."""
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file", tmp_path / "absent"):
        with pytest.raises(InputError):
            list(Png().read(path))


def test_colours_that_cannot_tell_ignored_pixels_are_refused() -> None:
    """A class in the colour of ignored pixels and ignored pixels would be written alike."""
    classes = ClassList.of(["a", "b"], [(0, 0, 0), VOID])
    with pytest.raises(InputError, match="colour of ignored pixels"):
        list(Png(style="colour").write([("a", np.array([[1, IGNORE]], np.uint8))], classes))


def test_an_unknown_style_is_refused() -> None:
    """At start-up."""
    with pytest.raises(ConfigError, match="style"):
        Png(style="jpeg")
