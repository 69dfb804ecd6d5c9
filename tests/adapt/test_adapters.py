"""One property suite over every adapter, and what each promises by itself."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.color import rgb2lab

import adapt.stage
from adapt.chain import Chain
from adapt.colour import Colour
from adapt.fourier import Fourier, low_frequencies
from factory.command import tree
from factory.command.bind import make_part
from factory.core.artefact import Kind
from factory.core.dataset import Dataset
from factory.core.errors import ConfigError, InputError
from factory.core.sample import Domain, Origin, Split, Supervision
from factory.core.seeds import generator
from factory.core.writer import Writer
from factory.execute.process import Process
from factory.execute.serial import Serial
from tests.artefacts import CLASSES, add_sample, dataset, sealed, written
from tests.command.composing import composed


def configured(choice: str):
    """The adapter as its YAML file sets it up."""
    ((config, _),) = composed("adapt", f"adapter={choice}")
    return make_part("adapter", config["adapter"])


ADAPTERS = {choice: configured(choice) for choice in tree.choices("adapter")}
every_adapter = pytest.mark.parametrize("adapter", ADAPTERS.values(), ids=ADAPTERS.keys())
sizes = st.tuples(st.integers(1, 20), st.integers(1, 20))


@every_adapter
@given(size=sizes, other=sizes, seed=st.integers(0, 99), flat=st.booleans())
@settings(deadline=None, max_examples=30)
def test_shape_and_type_stay_whatever_the_reference(adapter, size, other, seed, flat) -> None:
    """Flat images, single pixels, references of another size; drawn twice, the same comes out."""
    rng = np.random.default_rng(seed)
    image = np.full((*size, 3), 77, np.uint8) if flat else rng.integers(0, 256, (*size, 3), np.uint8)
    reference = rng.integers(0, 256, (*other, 3), np.uint8)
    found = adapter(image, reference, generator(seed, "a"))
    assert (found.shape, found.dtype) == (image.shape, np.uint8)
    np.testing.assert_array_equal(found, adapter(image, reference, generator(seed, "a")))


@every_adapter
def test_adapting_to_itself_changes_next_to_nothing(adapter) -> None:
    """At most a rounding."""
    image = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
    found = adapter(image, image, generator(0, "a")).astype(int)
    assert np.abs(found - image).max() <= 1


def test_colour_takes_over_mean_and_spread() -> None:
    """In CIELAB, up to rounding and the borders of the gamut."""
    rng = np.random.default_rng(0)
    image = (100 + 20 * rng.standard_normal((40, 40, 3))).clip(0, 255).astype(np.uint8)
    reference = (140 + 12 * rng.standard_normal((30, 50, 3))).clip(0, 255).astype(np.uint8)
    found = rgb2lab(Colour(strength=1.0, max_gain=3.0)(image, reference, rng))
    wanted = rgb2lab(reference)
    np.testing.assert_allclose(found.mean(axis=(0, 1)), wanted.mean(axis=(0, 1)), atol=0.5)
    np.testing.assert_allclose(found.std(axis=(0, 1)), wanted.std(axis=(0, 1)), atol=0.5)


def test_a_large_photograph_says_what_its_pixels_on_a_grid_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mean and spread stay those of all its pixels, noise and all, to half a grey level; few of them are converted."""
    rng = np.random.default_rng(0)
    slope = np.linspace(40, 180, 2400)[:, None, None] * (1, 0.8, 0.6)
    reference = (slope + rng.normal(0, 15, (2400, 1600, 3))).clip(0, 255).astype(np.uint8)
    image = rng.integers(0, 255, (60, 80, 3), np.uint8)
    converted: list[int] = []
    monkeypatch.setattr("adapt.colour.rgb2lab", lambda pixels: converted.append(pixels[..., 0].size) or rgb2lab(pixels))
    found = Colour(strength=1.0, max_gain=3.0)(image, reference, rng).astype(int)
    assert max(converted) <= 300_000
    monkeypatch.setattr("adapt.colour.ENOUGH", reference.size)
    whole = Colour(strength=1.0, max_gain=3.0)(image, reference, rng)
    assert abs(found - whole).mean() < 0.5
    assert max(converted) == 2400 * 1600


def test_colours_that_no_screen_shows_are_cut_off_in_silence() -> None:
    """Every colour there is, moved towards a saturated one: skimage warned, an error here, of rounding."""
    steps = np.linspace(0, 255, 32).astype(np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 128, 3)
    saturated = np.zeros((8, 8, 3), np.uint8)
    saturated[:4], saturated[4:] = (0, 0, 255), (255, 255, 0)
    assert Colour(strength=1.0, max_gain=5.0)(cube, saturated, generator(0)).shape == cube.shape


def test_a_grey_reference_takes_the_colour_away() -> None:
    """What rendered coins need to look like an old photograph."""
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (24, 24, 3), np.uint8)
    grey = np.repeat(rng.integers(0, 256, (24, 24, 1), np.uint8), 3, axis=2)
    found = Colour(strength=1.0, max_gain=3.0)(image, grey, rng).astype(int)
    assert np.ptp(found, axis=2).max() <= 2


def test_fourier_swaps_the_amplitude_inside_the_window_only_and_keeps_the_phase() -> None:
    """Equations 1-3 of the paper, on an image that no clipping touches."""
    rng = np.random.default_rng(0)
    image, reference = (rng.integers(90, 160, (32, 40, 3), np.uint8) for _ in range(2))
    found = Fourier(betas=[0.09])(image, reference, rng)
    window = low_frequencies(32, 40, 0.09)
    assert window.sum() == 5 * 5
    before, style, after = (np.fft.fft2(a.astype(float), axes=(0, 1)) for a in (image, reference, found))
    np.testing.assert_allclose(np.abs(after[window]), np.abs(style[window]), atol=60)
    np.testing.assert_allclose(np.abs(after[~window]), np.abs(before[~window]), atol=60)


@pytest.mark.parametrize("broken", [{"betas": []}, {"betas": [0.6]}])
def test_windows_must_fit_the_spectrum(broken) -> None:
    """The message names the key."""
    with pytest.raises(ConfigError, match="betas"):
        Fourier(**broken)


def rendered_and_real(tmp_path: Path) -> tuple[Dataset, Dataset]:
    """Two synthetic images with masks, three photographs of which one is for testing."""
    masks = {f"scene-{i}": np.full((24, 32), i, np.uint8) for i in range(2)}
    synthetic = dataset(
        tmp_path / "s", masks, domain=Domain.SYNTHETIC, supervision=Supervision.EXACT, origin=Origin.EXACT
    )
    return synthetic, dataset(tmp_path / "r", {"photo-a": None, "photo-b": None})


def run(tmp_path: Path, synthetic: Dataset, real: Dataset, executor=None) -> Dataset:
    """The stage with its default adapter."""
    with written(tmp_path) as out:
        adapt.stage.run(
            synthetic=synthetic, real=real, out=out, seed=0, adapter=ADAPTERS["colour"], executor=executor or Serial()
        )
    return Dataset.open(tmp_path)


def test_masks_stay_byte_for_byte_and_images_change(tmp_path: Path) -> None:
    """Ids, splits and the origin maps too; the source is left alone; workers do not matter."""
    synthetic, real = rendered_and_real(tmp_path)
    made = run(tmp_path / "one", synthetic, real)
    assert run(tmp_path / "two", synthetic, real, Process(count=2)).digest == made.digest
    assert synthetic.damaged() == []
    for before, after in zip(synthetic.samples, made.samples, strict=True):
        assert (before.id, before.split, before.mask, before.source) == (
            after.id,
            after.split,
            after.mask,
            after.source,
        )
        for name in ("mask", "source"):
            relative = getattr(before, name)
            assert synthetic.path(relative).read_bytes() == made.path(relative).read_bytes()
        assert (synthetic.image(before) != made.image(after)).any()
        assert after.provenance["reference"] in ("photo-a", "photo-b")


def test_test_photographs_are_never_looked_at(tmp_path: Path) -> None:
    """With nothing else there, the stage refuses."""
    synthetic, _ = rendered_and_real(tmp_path)
    held_out = dataset(tmp_path / "t", {"photo": None}, split=Split.TEST)
    with pytest.raises(InputError, match="no real training image"):
        run(tmp_path / "none", synthetic, held_out)


def test_rendered_pictures_kept_for_tests_stay_as_they_are(tmp_path: Path) -> None:
    """Byte for byte; where there are no others there is nothing to adapt."""
    _, real = rendered_and_real(tmp_path)

    def data(*splits: Split) -> Dataset:
        def fill(out: Writer) -> None:
            for split in splits:
                about = {"domain": Domain.SYNTHETIC, "supervision": Supervision.EXACT, "split": split}
                add_sample(out, f"{split}", np.zeros((24, 32), np.uint8), **about)

        return Dataset.open(sealed(tmp_path / "-".join(splits), Kind.DATASET, fill))

    kept = data(Split.TEST, Split.TRAIN)
    made = run(tmp_path / "made", kept, real)
    same = {a.split: a.image_sha256 == b.image_sha256 for a, b in zip(made.samples, kept.samples, strict=True)}
    assert same == {Split.TEST: True, Split.TRAIN: False}
    for source in (data(Split.TEST), real):
        with pytest.raises(InputError, match="no rendered picture to adapt"):
            run(tmp_path / "none", source, real)
    assert not list(tmp_path.glob("none*"))


def test_small_pictures_take_on_more_than_the_mean_colour() -> None:
    """A hundredth of 48 pixels is no frequency at all."""
    rng = np.random.default_rng(2)
    image = rng.integers(0, 255, (48, 64, 3), np.uint8)
    slope = np.broadcast_to(np.linspace(60, 190, 64)[None, :, None], (48, 64, 3)).astype(np.uint8)
    adapted = Fourier(betas=[0.01])(image, slope, rng)
    lowest = [abs(np.fft.fft2(pixels[..., 0])[0, 1]) for pixels in (adapted, slope, image)]
    assert lowest[0] == pytest.approx(lowest[1], rel=0.1)
    assert lowest[0] > 5 * lowest[2]


def test_each_setting_of_an_adapter_is_kept() -> None:
    """Half the strength goes half the way, a gain stretches no further than allowed, each link has its say."""
    rng = np.random.default_rng(1)
    image = (120 + 4 * rng.standard_normal((30, 30, 3))).clip(0, 255).astype(np.uint8)
    reference = (130 + 30 * rng.standard_normal((30, 30, 3))).clip(0, 255).astype(np.uint8)
    spreads = [
        rgb2lab(Colour(strength=strength, max_gain=gain)(image, reference, rng))[..., 0].std()
        for strength, gain in ((0.0, 9.0), (0.5, 9.0), (1.0, 9.0), (1.0, 2.0))
    ]
    assert spreads[1] == pytest.approx((spreads[0] + spreads[2]) / 2, rel=0.05)
    assert spreads[3] == pytest.approx(2 * spreads[0], rel=0.1)
    half, whole = Colour(strength=0.5, max_gain=9.0), Colour(strength=1.0, max_gain=9.0)
    np.testing.assert_array_equal(
        Chain(links=[half, whole])(image, reference, rng), whole(half(image, reference, rng), reference, rng)
    )
    assert (Chain(links=[half, whole])(image, reference, rng) != half(image, reference, rng)).any()


def test_photographs_of_other_classes_lend_their_look_all_the_same(tmp_path: Path) -> None:
    """Renders keep their own classes."""
    synthetic, _ = rendered_and_real(tmp_path)
    fill = partial(add_sample, sample_id="photo", mask_hw=None)
    other = Dataset.open(sealed(tmp_path / "other", Kind.DATASET, fill, CLASSES.of(["x"])))
    assert run(tmp_path / "made", synthetic, other).classes == synthetic.classes


class Drawn:
    """Dark where a picture is bright and bright where it is dark, in a colour that is drawn."""

    def __call__(self, image_hwc, reference_hwc, rng):
        """See `adapt.Adapter`."""
        del reference_hwc
        return np.where(image_hwc < 128, 250, 3).astype(np.uint8) + rng.integers(0, 6, (1, 1, 3), np.uint8)


def test_each_picture_draws_for_itself_by_its_id_and_the_seed(tmp_path: Path) -> None:
    """Its photograph, rendered ones never, and what its adapter does; what that changed is told in grey levels."""
    alike = {f"scene-{i}": np.zeros((4, 4), np.uint8) for i in range(16)}
    image = np.broadcast_to(np.uint8([[[0], [200]]]), (4, 2, 3)).repeat(2, axis=1)
    synthetic = dataset(tmp_path / "s", alike, domain=Domain.SYNTHETIC, image=image)

    def fill(out: Writer) -> None:
        for name, domain in {"a": Domain.REAL, "b": Domain.REAL, "c": Domain.SYNTHETIC}.items():
            add_sample(out, name, None, domain=domain)

    real = Dataset.open(sealed(tmp_path / "r", Kind.DATASET, fill))
    drawn = {}
    for seed in (0, 1):
        with written(tmp_path / f"{seed}") as out:
            adapt.stage.run(synthetic=synthetic, real=real, out=out, seed=seed, adapter=Drawn(), executor=Serial())
        made = Dataset.open(tmp_path / f"{seed}")
        drawn[seed] = [sample.provenance["reference"] for sample in made.samples]
        assert set(drawn[seed]) == {"a", "b"}
        assert len({sample.image_sha256 for sample in made.samples}) > 10
        for before, after in zip(synthetic.samples, made.samples, strict=True):
            shift = np.abs(made.image(after).astype(float) - synthetic.image(before)).mean()
            assert after.provenance["shift"] == pytest.approx(shift, abs=1e-3)
    assert drawn[0] != drawn[1]


def test_what_a_reference_shows_finer_than_the_picture_is_averaged() -> None:
    """Also where it is larger one way only; picked out instead, a grey photograph was a black one."""
    image = np.random.default_rng(0).integers(90, 160, (16, 24, 3), np.uint8)
    stripes = np.broadcast_to(np.tile([255, 0, 0, 255], 24)[None, :, None], (16, 96, 3)).astype(np.uint8)
    fourier = Fourier(betas=[0.2])
    found, expected = (fourier(image, one, generator(0)) for one in (stripes, np.full_like(image, 128)))
    assert np.abs(found.astype(int) - expected).max() <= 1


def test_each_window_has_its_turn() -> None:
    """The mean alone, and all of the spectrum."""
    image, reference = np.random.default_rng(0).integers(90, 160, (2, 16, 16, 3), np.uint8)
    windows = Fourier(betas=[0.0, 0.5])
    changes = [windows(image, reference, generator(seed)).astype(int) - image for seed in range(20)]
    assert 4 < sum(change.std() < 5 for change in changes) < 16


def test_a_strength_of_0_changes_nothing() -> None:
    """Whatever the way through CIELAB rounds."""
    image, reference = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), np.uint8)
    np.testing.assert_array_equal(Colour(strength=0.0, max_gain=3.0)(image, reference, generator(0)), image)
