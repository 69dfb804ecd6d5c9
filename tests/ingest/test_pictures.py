"""Whatever a camera, scanner or editor writes is decoded the way a viewer shows it."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from factory.core.errors import ConfigError, InputError
from factory.ingest import pictures
from tests import artefacts

RGB = np.random.default_rng(5).integers(0, 256, (12, 20, 3), np.uint8)
GREY = RGB[..., 0]


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".bmp"])
def test_lossless_formats_keep_every_pixel(tmp_path: Path, suffix: str) -> None:
    """Colour and grey; grey comes back as three equal channels."""
    options = {"lossless": True} if suffix == ".webp" else {}
    Image.fromarray(RGB).save(tmp_path / f"c{suffix}", **options)
    np.testing.assert_array_equal(pictures.read(tmp_path / f"c{suffix}"), RGB)
    Image.fromarray(GREY).save(tmp_path / f"g{suffix}", **options)
    np.testing.assert_array_equal(pictures.read(tmp_path / f"g{suffix}"), np.stack([GREY] * 3, axis=2))


def test_a_jpeg_comes_back_close(tmp_path: Path) -> None:
    """It is lossy; a smooth picture survives well."""
    smooth = cv2.resize(RGB, (80, 48), interpolation=cv2.INTER_CUBIC)
    Image.fromarray(smooth).save(tmp_path / "a.jpg", quality=97)
    assert np.abs(pictures.read(tmp_path / "a.jpg").astype(int) - smooth).mean() < 9


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int) -> None:
    """All eight of them, as Pillow's own transposition says."""
    upright = {
        1: lambda a: a, 2: np.fliplr, 3: lambda a: np.rot90(a, 2), 4: np.flipud,
        5: lambda a: np.swapaxes(a, 0, 1), 6: lambda a: np.rot90(a, -1),
        7: lambda a: np.swapaxes(np.rot90(a, 2), 0, 1), 8: lambda a: np.rot90(a, 1),
    }  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    for suffix in (".png", ".tif", ".webp"):
        options = {"lossless": True} if suffix == ".webp" else {}
        Image.fromarray(RGB).save(tmp_path / f"a{suffix}", exif=exif, **options)
        np.testing.assert_array_equal(pictures.read(tmp_path / f"a{suffix}"), upright[orientation](RGB))
    Image.fromarray(GREY.astype(np.uint16) * 257).save(tmp_path / "deep.png", exif=exif)
    np.testing.assert_array_equal(pictures.read(tmp_path / "deep.png")[..., 0], upright[orientation](GREY))


def test_a_camera_that_writes_other_tags_wrongly_is_no_obstacle(tmp_path: Path) -> None:
    """The maker as a fraction: nothing but the orientation is asked for."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "somebod"
    as_text, as_fraction = bytes.fromhex("010f000200000008"), bytes.fromhex("010f000500000001")
    written = exif.tobytes()
    assert as_text in written
    Image.fromarray(RGB).save(tmp_path / "a.png", exif=written.replace(as_text, as_fraction))
    with Image.open(tmp_path / "a.png") as opened, pytest.raises(AttributeError):
        opened.getexif().tobytes()
    assert pictures.read(tmp_path / "a.png").shape == (20, 12, 3)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_are_scaled_from_white_not_folded(tmp_path: Path, suffix: str) -> None:
    """Colour and grey; a 12-bit camera says where its white is."""
    deep = RGB.astype(np.uint16) * 257
    cv2.imwrite(str(tmp_path / f"c{suffix}"), deep[..., ::-1])
    np.testing.assert_array_equal(pictures.read(tmp_path / f"c{suffix}"), RGB)
    cv2.imwrite(str(tmp_path / f"g{suffix}"), deep[..., 0])
    np.testing.assert_array_equal(pictures.read(tmp_path / f"g{suffix}")[..., 0], GREY)
    cv2.imwrite(str(tmp_path / f"t{suffix}"), np.full((4, 4), 4095, np.uint16))
    assert pictures.read(tmp_path / f"t{suffix}", white_level=4095).min() == 255
    for beyond in (-1, 0, 65536):
        with pytest.raises(ConfigError, match="white_level"):
            pictures.read(tmp_path / f"t{suffix}", white_level=beyond)


def test_transparency_is_laid_over_white(tmp_path: Path) -> None:
    """Also of a palette with a transparent colour, and in 16 bits."""
    rgba = np.dstack([RGB, np.zeros_like(GREY)])
    rgba[:6, :, 3] = 255
    Image.fromarray(rgba).save(tmp_path / "a.png")
    found = pictures.read(tmp_path / "a.png")
    np.testing.assert_array_equal(found[:6], RGB[:6])
    assert (found[6:] == 255).all()
    deep = cv2.cvtColor(rgba, cv2.COLOR_RGBA2BGRA).astype(np.uint16) * 257
    cv2.imwrite(str(tmp_path / "d.png"), deep)
    np.testing.assert_array_equal(pictures.read(tmp_path / "d.png"), found)


def test_a_palette_is_looked_up_and_cmyk_converted(tmp_path: Path) -> None:
    """Neither ends as indices or inks."""
    picture = Image.fromarray(RGB).quantize(16)
    picture.save(tmp_path / "p.png")
    np.testing.assert_array_equal(pictures.read(tmp_path / "p.png"), np.asarray(picture.convert("RGB")))
    Image.new("CMYK", (5, 4), (0, 255, 255, 0)).save(tmp_path / "k.jpg")
    assert tuple(pictures.read(tmp_path / "k.jpg")[0, 0] > 128) == (True, False, False)


@pytest.mark.parametrize(("name", "told"), [("p.tif", 3), ("a.gif", 3), ("a.png", 3), ("w.webp", 3), ("m.mpo", 0)])
def test_more_frames_than_the_first_are_told(tmp_path: Path, name: str, told: int) -> None:
    """Pages and animations; not the previews that cameras add (MPO), nor what is one picture."""
    frames = [Image.fromarray(np.roll(RGB, shift, axis=1)) for shift in range(3)]
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
    expected = [f"{told} frames: the first is used, the others are left out"] if told else []
    assert pictures.passed_over(tmp_path / name) == expected
    frames[0].save(tmp_path / f"one-{name}")
    assert not pictures.passed_over(tmp_path / f"one-{name}")


def test_smaller_copies_in_a_tiff_are_no_frames(tmp_path: Path) -> None:
    """As scanners of slides write them, and of what is broken `read` tells."""
    frames = [Image.fromarray(RGB[::step, ::step]) for step in (1, 2, 4)]
    for frame in frames[1:]:
        frame.encoderinfo = {"tiffinfo": {254: 1}}
    frames[0].save(tmp_path / "p.tif", save_all=True, append_images=frames[1:])
    (tmp_path / "cut.tif").write_bytes((tmp_path / "p.tif").read_bytes()[:-300])
    assert not pictures.passed_over(tmp_path / "p.tif")
    assert not pictures.passed_over(tmp_path / "cut.tif")
    assert not pictures.passed_over(tmp_path / "not there.tif")


@pytest.mark.parametrize("cut", [0, 10, 60, -20])
def test_a_truncated_file_is_refused_in_one_message(tmp_path: Path, cut: int) -> None:
    """Not decoded to grey in its lower half."""
    Image.fromarray(RGB).save(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(data[:cut])
    with pytest.raises(InputError, match="not a readable picture"):
        pictures.read(tmp_path / "cut.png")


def test_what_has_no_white_is_refused(tmp_path: Path) -> None:
    """A float TIFF does not say how bright 1.7 is."""
    Image.fromarray(np.ones((4, 4), np.float32)).save(tmp_path / "f.tif")
    with pytest.raises(InputError, match="pixel type"):
        pictures.read(tmp_path / "f.tif")


def test_a_mask_of_absurd_size_is_refused_in_one_message(tmp_path: Path, monkeypatch) -> None:
    """As a picture is: a small file may unpack to any size."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    for size_wh in ((12, 10), (20, 12)):  # what Pillow warns of, and what it refuses
        Image.new("L", size_wh).save(tmp_path / "m.png")
        with pytest.raises(InputError, match="the mask is larger than allowed"):
            pictures.read_ids(tmp_path / "m.png", {})


def test_masks_keep_palette_indices_and_refuse_colour(tmp_path: Path) -> None:
    """A mask is ids, not colours; ids are translated where asked."""
    ids = np.array([[0, 1, 11]], np.uint8)
    picture = Image.fromarray(ids, mode=None)
    picture.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0] * 4)
    picture.save(tmp_path / "m.png")
    np.testing.assert_array_equal(pictures.read_ids(tmp_path / "m.png", {11: 255}), [[0, 1, 255]])
    Image.fromarray(RGB).save(tmp_path / "c.png")
    with pytest.raises(InputError, match="one 8-bit id a pixel"):
        pictures.read_ids(tmp_path / "c.png", {})


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_masks_of_few_bits_keep_their_ids(tmp_path: Path, bits: int) -> None:
    """Pillow scales such grey to white; the ids are those in the file."""
    rows = [[0, 1, 2**bits - 1]]
    (tmp_path / "m.png").write_bytes(artefacts.grey_png(rows, bits))
    np.testing.assert_array_equal(pictures.read_ids(tmp_path / "m.png", {}), rows)
