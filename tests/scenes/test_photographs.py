"""The user's photographs: each is read as a viewer shows it, and what cannot be read is left out before it costs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from factory.command.bind import make_part
from factory.core.errors import ConfigError
from factory.ingest import pictures
from scenes.assets.plan import Assets
from scenes.assets.textures import Textures
from scenes.kit.backgrounds import Backgrounds
from scenes.kit.photographs import read
from tests.scenes.assets import write_table

BAD = ("cut.jpg", "cut.png", "cut.tif", "empty.jpg", "float.tif", "words.png")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six good photographs of all depths, two of them turned, and every file of `BAD`."""
    draw = np.random.default_rng(0)
    rgb, rgba = (Image.fromarray(draw.integers(0, 255, (24, 32, depth), np.uint8)) for depth in (3, 4))
    noted = Image.Exif()
    noted[0x0112] = 6  # lies on its side
    rgb.save(tmp_path / "good.jpg")
    rgb.save(tmp_path / "turned.jpg", exif=noted)
    rgba.save(tmp_path / "clear.png")
    for name, tags in (("deep.png", None), ("deep.tif", None), ("deep_turned.png", noted)):
        deep = Image.fromarray(draw.integers(0, 65535, (24, 32), np.uint16))
        deep.save(tmp_path / name, **({} if tags is None else {"exif": tags}))
    Image.fromarray(draw.normal(size=(24, 32)).astype(np.float32)).save(tmp_path / "float.tif")
    for ending in ("jpg", "png", "tif"):
        rgb.save(tmp_path / f"cut.{ending}")
        whole = (tmp_path / f"cut.{ending}").read_bytes()
        (tmp_path / f"cut.{ending}").write_bytes(whole[:-40])
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "words.png").write_text("no picture")
    return tmp_path


GOOD = ("clear.png", "deep.png", "deep.tif", "deep_turned.png", "good.jpg", "turned.jpg")


def test_photographs_that_cannot_be_read_are_left_out_and_named(folder: Path) -> None:
    """Each with the reason, without a place of this machine; the good ones are there."""
    part = Backgrounds(folder=str(folder))
    assert part.pictures == GOOD
    assert [sentence.split(": ")[:2] for sentence in part.left_out] == [["backgrounds", name] for name in BAD]
    assert all("got" in sentence and sentence.endswith("; left out") for sentence in part.left_out)
    assert str(folder) not in "".join(part.left_out)


def test_a_pack_names_what_its_photographs_leave_out(folder: Path) -> None:
    """Of backgrounds and textures alike, but none of those that are switched off."""
    (folder / "a.obj").write_text("something")
    write_table(folder, "a.obj,screw,1,,,,,")
    textures = Textures(folder=str(folder), share=1.0)
    scene = Assets(folder=str(folder), textures=textures, backgrounds=Backgrounds(folder=str(folder), share=0.0))
    assert scene.left_out == textures.left_out
    assert len(scene.left_out) == len(BAD)


def test_a_folder_without_a_readable_photograph_is_refused_before_anything_starts(folder: Path) -> None:
    """As a wrong value of the key, with a few of the reasons."""
    for name in GOOD:
        (folder / name).unlink()
    config = {"_target_": "scenes.kit.backgrounds.Backgrounds", "folder": str(folder)}
    with pytest.raises(ConfigError, match=r"cut\.jpg: got image file is truncated") as caught:
        make_part("render.scene.backgrounds", config)
    assert "got no readable photograph in" in str(caught.value)


@pytest.mark.parametrize("name", GOOD)
def test_a_photograph_is_read_as_ingest_reads_it(folder: Path, name: str) -> None:
    """So that what is behind things looks like the photographs that are labelled: depth, orientation, transparency."""
    np.testing.assert_array_equal(np.asarray(read(folder / name)), pictures.read(folder / name))


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_is_no_photograph_is_a_wrong_value(folder: Path, name: str) -> None:
    """And not a machine in trouble."""
    with pytest.raises(ValueError, match=f"^{name}: got .*, expected a readable photograph"):
        read(folder / name)


def test_a_whole_jpeg_is_not_decoded_before_it_is_shown(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of thousands would take minutes; one with something after its end is, and is fine."""
    decoded: list[str] = []
    load = Image.Image.load
    for name in BAD:
        (folder / name).unlink()
    (folder / "trailed.jpg").write_bytes((folder / "good.jpg").read_bytes() + b"a camera's own")
    monkeypatch.setattr(
        "PIL.ImageFile.ImageFile.load", lambda self: decoded.append(Path(self.filename).name) or load(self)
    )
    assert set(Backgrounds(folder=str(folder)).pictures) == {*GOOD, "trailed.jpg"}
    assert "trailed.jpg" in decoded
    assert not {"good.jpg", "turned.jpg"} & set(decoded)
