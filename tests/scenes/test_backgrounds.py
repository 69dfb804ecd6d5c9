"""Photographs behind and beneath things: which, what part of them, and how bright."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage

from factory.core.seeds import generator
from scenes.assets.plan import Assets
from scenes.coins.plan import Coins
from scenes.kit import backgrounds, files
from scenes.kit.backgrounds import FOLDER, Backgrounds, behind
from tests.scenes.assets import write_meshes, write_table
from tests.scenes.rendering import render, work

WHOLE = {"corner": [0.0, 0.0], "size": 1.0, "flip": False}


def streams(index: int) -> Callable[[str], np.random.Generator]:
    """The random streams of one picture."""
    return lambda component: generator(0, "scene", index, component)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A declared folder with a picture, red on the left and blue on the right, and things that are no pictures."""
    pixels = np.zeros((40, 80, 3), np.uint8)
    pixels[:, :40, 0] = pixels[:, 40:, 2] = 200
    (tmp_path / "deep").mkdir()
    Image.fromarray(pixels).save(tmp_path / "deep/TWO.PNG")
    Image.fromarray(pixels).save(tmp_path / "one.png")
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "album.png").mkdir()
    monkeypatch.setattr(files, "_folders", {})
    files.declare({FOLDER: str(tmp_path)})
    return tmp_path


def light(alpha: float, level: float = 0.5, size: tuple[int, int] = (20, 40)) -> np.ndarray:
    """A scene of one grey, premultiplied."""
    return np.full((*size, 4), (level * alpha, level * alpha, level * alpha, alpha), np.float32)


def test_pictures_are_listed_in_order_whatever_their_case_and_depth(folder: Path) -> None:
    """Files only, relative to the folder, so that a plan says the same on every machine."""
    assert Backgrounds(folder=str(folder)).pictures == ("deep/TWO.PNG", "one.png")


@pytest.mark.parametrize(
    ("name", "words"), [("nowhere", "an existing folder"), ("album.png", "a folder with files in")]
)
def test_a_folder_without_pictures_is_refused(folder: Path, name: str, words: str) -> None:
    """Field, what was got, what was expected."""
    with pytest.raises(ValueError, match=f"folder: got '.*{name}', expected {words}"):
        Backgrounds(folder=str(folder / name))


def test_a_share_that_is_none_is_refused() -> None:
    """Also without a folder."""
    with pytest.raises(ValueError, match=r"share: got 1\.5, expected a share from 0 to 1"):
        Backgrounds(share=1.5)


@pytest.mark.parametrize(("changes", "number"), [({"share": 0.0}, 0), ({"share": 1.0}, 40), ({"enabled": False}, 0)])
def test_the_share_of_pictures_with_a_photograph(folder: Path, changes: dict[str, Any], number: int) -> None:
    """None, all, and none where it is switched off."""
    part = Backgrounds(folder=str(folder), **changes)
    assert sum(part.plan(streams(index)) is not None for index in range(40)) == number


def test_no_folder_no_photograph() -> None:
    """The default."""
    assert Backgrounds(share=1.0).plan(streams(0)) is None


def test_the_share_does_not_shift_which_part_of_which_photograph_is_shown(folder: Path) -> None:
    """What is shown at half the share is shown at the full one, too."""
    half, full = (Backgrounds(folder=str(folder), share=share) for share in (0.5, 1.0))
    both = [(half.plan(streams(index)), full.plan(streams(index))) for index in range(40)]
    shown = [(some, every) for some, every in both if some is not None]
    assert 10 < len(shown) < 30
    assert all(some == every for some, every in shown)
    assert {every["file"] for _, every in shown if every} == {"deep/TWO.PNG", "one.png"}


@given(st.floats(0, 1, exclude_max=True), st.floats(0, 1, exclude_max=True), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_a_cut_never_leaves_the_photograph(x: float, y: float, size: float) -> None:
    """Not even by a rounding: that frame would fail, once in thousands."""

    class Draws:
        """A generator that has drawn these numbers."""

        def random(self) -> float:
            return 0.0

        def integers(self, _: int) -> int:
            return 0

        def uniform(self, low: float, high: float, shape: Any = None) -> Any:
            return low + size * (high - low) if shape is None else np.array([x, y])

    part = Backgrounds(share=1.0)
    object.__setattr__(part, "pictures", ("one.png",))
    plan = part.plan(lambda _: Draws())  # type: ignore[arg-type, return-value]
    assert plan is not None
    for wide, high, ratio in ((80, 40, 1.0), (31, 77, 1.5), (4000, 3000, 0.6)):
        left, top, right, bottom = backgrounds._cut(plan, (wide, high), ratio)
        assert 0 <= left < right <= wide
        assert 0 <= top < bottom <= high
        assert (right - left) / (bottom - top) == pytest.approx(ratio, rel=1e-3)
        Image.new("L", (wide, high)).resize((3, 3), box=(left, top, right, bottom))


def test_where_a_thing_is_nothing_of_the_photograph_shows(folder: Path) -> None:
    """Alpha one keeps the light, bit by bit."""
    np.testing.assert_array_equal(behind(light(1.0), {"file": "one.png", **WHOLE}), light(1.0)[..., :3])


def test_where_nothing_is_the_photograph_shows_as_bright_as_the_scene(folder: Path) -> None:
    """Its mean is the things' mean, or one where there is no thing; the rest of the colours is its own."""
    scene = light(1.0)
    scene[:, 20:] = 0
    shown, alone = (behind(rgba, {"file": "one.png", **WHOLE}) for rgba in (scene, np.zeros_like(scene)))
    assert alone.mean() == pytest.approx(1.0)
    np.testing.assert_allclose(shown[:, 20:], 0.5 * alone[:, 20:], rtol=1e-5)


def test_the_edge_of_a_thing_is_composed_by_its_share(folder: Path) -> None:
    """Exactly: premultiplied light plus what it lets through."""
    scene = np.concatenate([light(1.0), light(0.25)])
    photograph = behind(np.concatenate([light(1.0), light(0.0)]), {"file": "one.png", **WHOLE})[20:]
    shown = behind(scene, {"file": "one.png", **WHOLE})[20:]
    np.testing.assert_allclose(shown, 0.125 + 0.75 * photograph, rtol=1e-5)


def test_a_denoised_edge_takes_the_colour_of_its_thing_by_a_smooth_alpha() -> None:
    """Whatever its own noisy alpha was: no fringe; covered pixels keep their light."""
    own = np.repeat(np.array([0.0, 0.25, 1.0, 1.0, 1.0], np.float32)[None], 5, 0)
    own[::2, 1] = 0.75
    scene = np.stack([0.4 * own, 0.2 * own, 0.1 * own, own], -1)
    smooth = np.repeat(np.array([0.0, 0.5, 1.0, 1.0, 1.0], np.float32)[None], 5, 0)
    edged = backgrounds.recut(scene, smooth)
    np.testing.assert_allclose(edged, smooth[..., None] * [0.4, 0.2, 0.1, 1.0], rtol=1e-5)
    np.testing.assert_array_equal(edged[:, 2:], scene[:, 2:])
    hole = np.zeros_like(scene)
    np.testing.assert_array_equal(backgrounds.recut(hole, np.full_like(smooth, 0.5)), hole)
    glass = np.full_like(scene, 0.5)
    np.testing.assert_array_equal(backgrounds.recut(glass, np.ones_like(smooth)), glass)


@pytest.mark.blender
def test_a_denoised_thing_before_a_backplate_has_no_fringe(folder: Path, tmp_path: Path) -> None:
    """A few samples, denoised, look at the edge about as many samples do: twice as wrong as inside, not five times."""
    write_meshes(tmp_path / "meshes")
    table = write_table(tmp_path / "meshes", "deep/ball.ply,ball,0.1,,,,,")
    Image.new("RGB", (40, 40), (200, 200, 200)).save(folder / "plain.png")
    scene = Assets(folder=str(table), backgrounds=Backgrounds(folder=str(folder), share=1.0), count=(3, 3))
    plan = scene(streams(0), {}) | {"sensor": {}}
    plan["backplate"] = {"file": "plain.png", **WHOLE}
    job = {"width": 64, "height": 64, "nothing": 0, "folders": scene.folders, "outputs": []}
    few, failed = work(job | {"samples": 4, "denoise": True}, [plan], tmp_path / "few")
    many, _ = work(job | {"samples": 128}, [plan], tmp_path / "many")
    assert failed == {}
    things = many[0].class_ids > 0
    edge = ndimage.binary_dilation(things) & ~ndimage.binary_erosion(things)
    wrong = np.abs(few[0].image.astype(int) - many[0].image).mean(-1)
    assert edge.any()
    assert wrong[edge].mean() < 6


def test_a_photograph_keeps_its_sides(folder: Path) -> None:
    """Red left and blue right; flipped, the other way round; turned, as its camera noted."""
    plain = behind(light(0.0), {"file": "one.png", **WHOLE})
    flipped = behind(light(0.0), {"file": "one.png", **WHOLE, "flip": True})
    assert plain[10, 5, 0] > plain[10, 5, 2] < plain[10, 35, 2]
    np.testing.assert_array_equal(flipped, plain[:, ::-1])
    noted = Image.Exif()
    noted[0x0112] = 3  # upside down
    with Image.open(folder / "one.png") as opened:
        opened.save(folder / "turned.png", exif=noted)
    np.testing.assert_allclose(behind(light(0.0), {"file": "turned.png", **WHOLE}), flipped, atol=1e-5)


def test_a_photograph_is_not_squeezed(folder: Path) -> None:
    """A wide one behind a square frame shows its middle: a round thing stays round."""
    rows, columns = np.mgrid[:40, :80]
    disc = (np.hypot(rows - 19.5, columns - 39.5) < 10).astype(np.uint8) * 255
    Image.fromarray(np.repeat(disc[..., None], 3, 2)).save(folder / "disc.png")
    shown = behind(light(0.0, size=(40, 40)), {"file": "disc.png", **WHOLE})[..., 0] > 0.5
    assert shown.any(0).sum() == shown.any(1).sum() == 20


@pytest.mark.parametrize("name", ["broken.jpg", "gone.jpg"])
def test_a_file_that_is_no_photograph_is_named(folder: Path, name: str) -> None:
    """As a wrong value, not as a machine in trouble, for which a worker would make way."""
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff rubbish")
    with pytest.raises(ValueError, match=f"^{name}: got .*, expected a readable photograph"):
        behind(light(0.0), {"file": name, **WHOLE})


@pytest.mark.blender
def test_a_photograph_beneath_things_lies_upright_and_unsqueezed(folder: Path, tmp_path: Path) -> None:
    """Seen straight from above: red on the left, a white disc that is round; flipped, red on the right.

    As its camera noted, which Blender would not ask.
    """
    rows, columns = np.mgrid[:40, :80]
    pixels = np.full((40, 80, 3), 60, np.uint8)
    pixels[:10, :, 1], pixels[:, :28, 0] = 230, 230
    pixels[np.hypot(rows - 19.5, columns - 39.5) < 8] = 255
    Image.fromarray(pixels).save(folder / "ground.png")
    noted = Image.Exif()
    noted[0x0112] = 3  # upside down
    Image.fromarray(pixels[::-1, ::-1]).save(folder / "turned.png", exif=noted)
    scene = Coins(backgrounds=Backgrounds(folder=str(folder)), tilt_deg=(0, 0), ambient=(10, 10))
    plan = scene(streams(0), {}) | {"coins": [], "distractors": [], "lift": 0.0, "sensor": {}}
    plan["camera"] |= {"azimuth_deg": 0.0, "roll_deg": 0.0}
    plans = [plan | {"photograph": {"file": "ground.png", **WHOLE, "flip": flip}} for flip in (False, True)]
    plans += [plan | {"photograph": {"file": "turned.png", **WHOLE}}]
    plain, flipped, turned = (frame.image.astype(int) for frame in render(scene, plans, tmp_path / "frames"))
    np.testing.assert_array_equal(turned, plain)
    for image, red, other in ((plain, 3, 60), (flipped, 60, 3)):
        assert image[40, red, 0] > 2 * image[40, red, 2]
        assert image[40, other, 0] < 1.5 * image[40, other, 2]
        assert image[4, other, 1] > 2 * image[4, other, 2]
        disc = image.min(2) > 0.75 * image.max()
        assert disc.any(0).sum() == pytest.approx(disc.any(1).sum(), abs=2)
        assert disc.any(0).sum() == pytest.approx(64 * 16 / 40, abs=3)
