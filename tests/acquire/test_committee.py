"""Committees: draws of one model, several models, several looks; all add up without being kept."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from factory.acquire.committee import Committee, Ensemble, Looks
from factory.acquire.mc_dropout import McDropout
from factory.acquire.moments import SQUARES, VOTES, Moments
from factory.command import tree
from factory.command.bind import make_part
from factory.core.artefact import Kind
from factory.core.classes import ClassList
from factory.core.errors import ArtefactError, ConfigError
from factory.segment import checkpoint
from factory.segment.chance import LN_2, draws
from factory.segment.models import SegmenterSpec, build
from factory.segment.predict import Predictor
from factory.segment.tta import Views
from factory.segment.working import Working
from tests.artefacts import written
from tests.command.composing import composed

CLASSES = ClassList.of(["background", "coin", "wood"])
IMAGE = np.random.default_rng(0).integers(0, 256, (40, 52, 3), np.uint8)
EXTRAS = (SQUARES, VOTES)


def trained(seed: int = 0, classes: ClassList = CLASSES, architecture: str = "unet") -> checkpoint.Trained:
    """A small random model that drops much."""
    spec = SegmenterSpec(architecture=architecture, encoder="tu-test_efficientnet", head_dropout=0.4)
    model = build(spec, classes, weights=None, seed=seed).eval()
    return checkpoint.Trained(model=model, working=Working(), tile_hw=(64, 64), step=0)


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    """Another model, on disk."""
    path = tmp_path_factory.mktemp("committee") / "other.ckpt"
    path.write_bytes(checkpoint.encode(trained(seed=1)))
    return path


def moments(committee: Committee, extras=EXTRAS) -> Moments:
    """What the committee says of the picture."""
    predictor = Predictor(trained=trained())
    return Moments.of_channels(predictor.map(IMAGE, committee(predictor, extras)), extras)


def check(found: Moments, answers: list[np.ndarray]) -> None:
    """All averages beside those of answers kept in full."""
    kept = np.stack(answers)
    np.testing.assert_allclose(found.mean_khw, kept.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(found.entropy_hw, -(kept * np.log(kept)).sum(axis=1).mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(found.squares_hw, (kept**2).sum(axis=1).mean(axis=0), atol=1e-5)
    votes = np.stack([kept.argmax(axis=1) == k for k in range(len(CLASSES))], axis=1).mean(axis=0)
    clear_hw = (np.diff(np.sort(kept, axis=1)[:, -2:], axis=1) > 1e-6).all(axis=(0, 1))
    assert clear_hw.mean() > 0.9
    np.testing.assert_allclose(found.votes_khw[:, clear_hw], votes[:, clear_hw], atol=1e-6)


def test_draws_of_one_model_are_averaged_as_if_they_had_been_kept() -> None:
    """By the same state of chance."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        found = moments(McDropout(passes=7))
        torch.manual_seed(3)
        with torch.inference_mode():
            draw = draws(trained().model, torch.from_numpy(IMAGE).permute(2, 0, 1)[None] / 255)
            kept = [torch.cat(list(draw()), dim=2).mul(LN_2).softmax(dim=1)[0, :, :40, :52].numpy() for _ in range(7)]
    check(found, kept)


def test_models_and_looks_have_a_vote_each(file: Path) -> None:
    """The stage's model first; a mirrored look is turned back."""
    both = [Predictor(trained=one) for one in (trained(), checkpoint.load(file))]
    found = moments(Ensemble(models=[str(file)], checkpoint="best"))
    check(found, [predictor(IMAGE) for predictor in both])
    mirrored = both[0](np.ascontiguousarray(IMAGE[:, ::-1]))[..., ::-1]
    check(moments(Looks(views=Views(flip=True))), [both[0](IMAGE), mirrored])


def test_a_member_may_be_a_whole_artefact(file: Path, tmp_path: Path) -> None:
    """Its checkpoint by the name that was asked for."""
    with written(tmp_path / "train", Kind.MODEL) as out:
        out.classes = trained().classes
        out.write("last.ckpt", file.read_bytes())
    found = moments(Ensemble(models=[str(tmp_path / "train")], checkpoint="last"))
    np.testing.assert_array_equal(found.mean_khw, moments(Ensemble(models=[str(file)], checkpoint="best")).mean_khw)


def test_averages_nobody_asked_for_are_not_taken() -> None:
    """Each extra by itself."""
    for extras in ((), (SQUARES,), (VOTES,)):
        found = moments(Looks(views=Views(flip=True)), extras)
        assert (found.squares_hw is not None, found.votes_khw is not None) == (SQUARES in extras, VOTES in extras)
        np.testing.assert_allclose(found.mean_khw.sum(axis=0), 1, atol=1e-5)


def test_members_must_fit_together(tmp_path: Path) -> None:
    """Other classes, another working size, no other member, a file that is not there."""
    other = tmp_path / "other.ckpt"
    for made, reason in (
        (trained(classes=ClassList.of(["a", "b"])), "other classes"),
        (replace(trained(), working=Working(size_hw=(20, 30))), r"(?s)another size.*20 x 30"),
    ):
        other.write_bytes(checkpoint.encode(made))
        with pytest.raises(ArtefactError, match=reason):
            moments(Ensemble(models=[str(other)], checkpoint="best"))
    with pytest.raises(ArtefactError, match=r"gone\.ckpt"):
        moments(Ensemble(models=[str(tmp_path / "gone.ckpt")], checkpoint="best"))
    with pytest.raises(ConfigError, match=r"committee\.models"):
        moments(Ensemble(models=[], checkpoint="best"))
    with pytest.raises(ConfigError, match=r"committee\.passes"):
        McDropout(passes=0)


def test_every_committee_of_the_configuration_can_be_asked(file: Path) -> None:
    """As its YAML file sets it up."""
    for choice in tree.choices("committee"):
        words = [f"committee.models=[{file}]"] if choice == "ensemble" else []
        ((config, _),) = composed("select", f"committee={choice}", *words)
        found = moments(make_part("committee", config["committee"]), ())
        assert found.mean_khw.shape == (3, 40, 52)
