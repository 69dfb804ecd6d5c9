"""Tags become scores: where things are is found, nobody labels what they learnt from, and faults are said."""

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from factory.command import tree
from factory.command.bind import bind
from factory.core.classes import ClassList
from factory.core.errors import ConfigError, FactoryError, InputError
from factory.core.picture import Picture
from factory.core.sample import Hints
from factory.label.cam import fit
from factory.label.cam.background import Extent, Rest, Threshold, undecided
from factory.label.cam.frames import framed, reduced
from factory.label.cam.kept import together
from factory.label.cam.maps import _grown
from factory.label.cam.methods import Cam, LayerCam
from factory.label.cam.network import Classifier, build
from factory.label.cam.normal import Normal
from factory.label.cam.statements import ABSENT, OPEN, PRESENT, said_of, statements_of
from factory.label.cam.telling import Telling, auc, standard_error
from tests.command.composing import composed
from tests.label.shops import shop
from tests.label.tagged import SPEC, Heard, corpus_of, learnt, square, squares, tags

NORMAL = Normal(contrast=1.0, texture=0.5, surroundings=21, blur=1.0, side="both")


@pytest.mark.parametrize(
    "changes",
    [{}, {"training": replace(tags().training, encoder_lr=1e-4)}, {"classifier": replace(SPEC, width=16)}],
    ids=["encoder kept", "encoder learning", "a layer between"],
)
def test_the_square_of_a_tag_is_found(changes: dict[str, Any], tmp_path: Path) -> None:
    """The strongest pixel of the class lies on it; classes that are denied get nothing; scores are probabilities."""
    pictures = squares()
    labeler = learnt(pictures, tmp_path, **changes)
    found = []
    for picture in pictures:
        scores = labeler(picture, 3)
        assert scores.shape == (3, *picture.size_hw)
        assert (scores >= 0).all()
        np.testing.assert_allclose(scores.sum(axis=0), 1, rtol=1e-5)
        assert all(scores[class_id].max() == 0 for class_id in picture.hints.absent)
        for class_id in picture.hints.tags:
            place = np.unravel_index(scores[class_id].argmax(), picture.size_hw)
            found.append(abs(picture.image[place].astype(int) - 128).max() > 50)
    assert np.mean(found) > 0.8
    shelf = labeler.maker.shelf
    before, after = (model.encoder.state_dict() for model in (shelf.first(), shelf.trained(0)))
    assert any(not torch.equal(before[name], after[name]) for name in before) == ("training" in changes)
    seen = [p.id for p in pictures if labeler.models_of[p.id] != (0,)]
    kept = shelf.kept(lambda name: next(p.image for p in pictures if p.id == name), 64)
    cells, norm = torch.cat([kept(name).flatten(1) for name in seen], dim=1), shelf.trained(0).norm
    torch.testing.assert_close(norm.running_mean, cells.mean(dim=1), rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(norm.running_var, cells.var(dim=1).clamp(min=1e-6), rtol=1e-2, atol=1e-5)


def test_a_picture_is_labelled_by_a_model_that_never_saw_it(tmp_path: Path) -> None:
    """Changing a picture changes nothing of the model that labels it."""
    pictures = squares()
    changed = [replace(pictures[0], image=255 - pictures[0].image), *pictures[1:]]
    first, second = learnt(pictures, tmp_path / "a"), learnt(changed, tmp_path / "b")
    (fold,) = first.models_of[pictures[0].id]
    one, other = (labeler.maker.shelf.trained(fold).head.weight for labeler in (first, second))
    torch.testing.assert_close(one, other, rtol=0, atol=0)
    assert not torch.equal(*(labeler.maker.shelf.trained(1 - fold).head.weight for labeler in (first, second)))


class KilledError(Exception):
    """Stands for SIGKILL between two steps."""


def test_a_killed_training_goes_on_and_ends_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle of a fold; the labeler travels to other processes."""
    monkeypatch.setattr(fit, "KEEP_EVERY", 4)
    pictures, whole = squares(), learnt(squares(), tmp_path / "whole")
    step = fit.Course._step

    def dying(self: fit.Course, model: Classifier, optimiser: torch.optim.Optimizer, number: int) -> float:
        if number == 7 and self.place.name == "fold1.pt":
            raise KilledError
        return step(self, model, optimiser, number)

    monkeypatch.setattr(fit.Course, "_step", dying)
    with pytest.raises(KilledError):
        learnt(pictures, tmp_path / "cut")
    monkeypatch.setattr(fit.Course, "_step", step)
    resumed = pickle.loads(pickle.dumps(learnt(pictures, tmp_path / "cut")))  # noqa: S301  # our own bytes
    for picture in pictures[::5]:
        np.testing.assert_array_equal(resumed(picture, 3), whole(picture, 3))


def test_the_same_tags_of_the_same_pictures_train_nothing_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is made of the maps is no matter; another picture, tag or seed is."""
    pictures = squares()

    def labeler(name: str, said: list[Picture] = pictures, seed: int = 0, **changes: Any) -> Any:
        there = replace(shop(tmp_path, tell=lambda *_: None), scratch=tmp_path / name)
        return tags(shares=[0.1, 1.0], **changes).learnt(corpus_of(said), seed=seed, shop=there)

    first = labeler("first")

    def never(*_: Any) -> float:
        raise KilledError

    monkeypatch.setattr(fit.Course, "_step", never)
    again, other = labeler("again"), labeler("other", method=LayerCam(), background=Rest(exponent=2.0))
    for picture in pictures[::5]:
        np.testing.assert_array_equal(again(picture, 3), first(picture, 3))
    assert other.maker.heads_k == first.maker.heads_k
    moved = [replace(pictures[0], image=255 - pictures[0].image), *pictures[1:]]
    untold = [replace(pictures[0], hints=Hints(absent=(1, 2))), *pictures[1:]]
    for number, asked in enumerate(({"said": moved}, {"said": untold}, {"seed": 1})):
        with pytest.raises(KilledError):
            labeler(f"anew {number}", **asked)


def test_what_nobody_says_moves_neither_loss_nor_gradient() -> None:
    """A class left open in a picture is not a class that is absent."""
    logits = torch.tensor([[[3.0, -2.0]], [[1.0, 5.0]]], requires_grad=True)
    said = torch.tensor([[PRESENT, OPEN], [ABSENT, OPEN]])
    fit.tag_loss(logits, said, torch.ones(2)).backward()
    assert logits.grad is not None
    assert (logits.grad[..., 1] == 0).all()
    assert (logits.grad[..., 0] != 0).all()


def test_points_scribbles_and_boxes_are_tags_too() -> None:
    """They outweigh a tag that denies the class."""
    scribbles = np.full((6, 6), 255, np.uint8)
    scribbles[2, 2] = 2
    hints = Hints(absent=(0, 1), points=((1, 1, 1),), boxes=((0, 0, 3, 3, 3),))
    given = Picture(id="a", image=np.zeros((6, 6, 3), np.uint8), hints=hints, scribbles=scribbles)
    assert said_of(given, 5).tolist() == [ABSENT, PRESENT, PRESENT, PRESENT, OPEN]


def test_a_map_of_cells_lies_where_its_cells_do() -> None:
    """The last cell reaches over the border: what lies beyond is cut off, not squeezed in."""
    small, large = np.zeros((32, 40, 3), np.uint8), np.zeros((64, 80, 3), np.uint8)
    cells = np.array([[0.0, 1.0]], np.float32)
    np.testing.assert_allclose(_grown(cells, 32, small, small)[0, [8, 31, 39]], [0, 0.484, 0.734], atol=1e-3)
    np.testing.assert_allclose(_grown(cells, 32, small, large)[0, 63], 0.492, atol=1e-3)


def test_a_tag_that_no_picture_has_is_told_and_the_others_are_learnt(tmp_path: Path) -> None:
    """And so is one that nothing denies."""
    told: Heard = []
    labeler = learnt([p for p in squares() if not p.id.startswith("blue")], tmp_path, heard=told)
    assert labeler.learnable == (1,)
    assert told == [("blue", "denied in 12 pictures and named in none: nothing can be learnt of it")]


def test_a_single_picture_of_a_class_is_left_unknown_where_it_cannot_be_learnt(tmp_path: Path) -> None:
    """Its own fold's model never saw one."""
    pictures = [p for p in squares() if not p.id.startswith("blue")] + [square("blue", {"tags": (2,), "absent": (1,)})]
    told: Heard = []
    labeler = learnt(pictures, tmp_path, heard=told)
    assert "blue" in [where for where, _ in told]
    np.testing.assert_allclose(labeler(pictures[-1], 3), 1 / 3)


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ([{}], "say which classes are absent too"),
        ([{"tags": (1,)}, {"tags": (2,)}], "say which classes are absent too"),
        ([{"tags": (1,)}], "add pictures that differ"),
        ([{"absent": (1,)}], "add pictures that differ"),
        ([{"tags": (1,), "absent": (2,)}], "add pictures that differ"),
    ],
    ids=["nothing said", "only presence", "one class alone", "only absence", "all alike"],
)
def test_tags_that_tell_nothing_apart_are_one_clear_error(said, advice: str, tmp_path: Path) -> None:
    """Nothing was trained before."""
    pictures = [square(f"p{n}", said[n % len(said)]) for n in range(4)]
    with pytest.raises(InputError, match="the tags tell no class from another") as error:
        learnt(pictures, tmp_path)
    assert advice in str(error.value.todo)
    assert not list(tmp_path.iterdir())


def test_one_class_alone_is_enough(tmp_path: Path) -> None:
    """Without any background class every pixel is it or unknown."""
    said = [{"tags": (0,)}, {"absent": (0,)}] * 3
    pictures = [
        Picture(id=f"p{n}", image=np.full((20, 20, 3), 40 + 20 * n, np.uint8), hints=Hints(**each))
        for n, each in enumerate(said)
    ]
    labeler = learnt(pictures, tmp_path, classes=ClassList.of(["only"]))
    assert all((labeler(picture, 1) == 1).all() for picture in pictures)


def test_pictures_of_a_pixel_and_of_other_sizes_are_labelled_too(tmp_path: Path) -> None:
    """Maps have each picture's own size; flat pictures give no NaN."""
    sizes = [(1, 1), (1, 70), (90, 3), (33, 65), (200, 40), (17, 17)] * 2
    said = [{"tags": (1,), "absent": (2,)}, {"absent": (1, 2)}, {"tags": (2,), "absent": (1,)}]
    pictures = [square(f"p{n}", said[n % 3], size) for n, size in enumerate(sizes)]
    told: Heard = []
    evidence: dict[str, Any] = {"background": Extent(gain=3.0, softness=0.5), "normal": NORMAL, "shares": [0.05, 0.4]}
    evidence["method"] = Cam(whole=True)  # the positive part alone is 0 nearly everywhere: no level would leave a share
    labeler = learnt(pictures, tmp_path, heard=told, **evidence)
    maker, taken = labeler.maker, []
    for picture in pictures:
        scores = labeler(picture, 3)
        assert scores.shape == (3, *picture.size_hw)
        assert np.isfinite(scores).all()
        np.testing.assert_allclose(scores.sum(axis=0), 1, rtol=1e-5)
        models = labeler.models_of[picture.id]
        maps, surprise = maker(picture.image, models)
        assert set(maps.max(axis=(1, 2)).round(5).tolist()) <= {0, 1}
        if 1 in picture.hints.tags:
            taken.append((3 * maps[1] + surprise > labeler.levels[1]).mean())
            logits = maker.shelf.logits(maker.shelf.trained(*models), reduced(picture.image, 64))
            beliefs = replace(maker, heads_k=(0, 1, 0)).beliefs(picture.image, models)
            np.testing.assert_allclose(beliefs[1:], 1 / (1 + np.exp(-logits[[1, 0], [1, 2]])), rtol=1e-4)
    np.testing.assert_allclose(np.mean(taken), float(dict(told)["red"].split()[1]), atol=0.1)


def test_maps_are_of_the_head_that_pools_most(tmp_path: Path) -> None:
    """Wherever it stands among the shares."""
    maker = learnt(squares(), tmp_path, shares=[0.05, 0.4, 0.1]).maker
    image = squares()[0].image
    found = []
    for head in range(3):
        seen_khw = maker.views([maker.shelf.trained(0)], Cam(), image, head)[0].numpy()
        grown_khw = np.stack([_grown(map_hw, SPEC.stride, image, image) for map_hw in seen_khw])
        found.append(grown_khw / grown_khw.max(axis=(1, 2), keepdims=True).clip(1e-9))
    maps, _ = maker(image, (0,))
    assert [np.allclose(maps, one, atol=1e-5) for one in found] == [False, True, False]


def test_a_huge_picture_is_looked_at_no_larger_than_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in training nor in labelling."""
    seen = []
    raw = Classifier.raw

    def watched(self: Classifier, images: torch.Tensor) -> torch.Tensor:
        seen.append(max(images.shape[-2:]))
        return raw(self, images)

    monkeypatch.setattr(Classifier, "raw", watched)
    pictures = [*squares(2), square("huge", {"tags": (1,), "absent": (2,)}, (1500, 2000))]
    assert learnt(pictures, tmp_path)(pictures[-1], 3).shape == (3, 1500, 2000)
    assert max(seen) == 64


def test_weights_that_are_no_numbers_are_refused_before_training(tmp_path: Path) -> None:
    """So is a file that is not there; each is one message."""
    broken = {key: value * torch.nan for key, value in Classifier(SPEC, 3, 1).encoder.state_dict().items()
              if value.is_floating_point()}  # fmt: skip
    torch.save(broken, tmp_path / "nan.pth")
    for name, message in (("nan.pth", "no numbers"), ("missing.pth", "unreadable")):
        with pytest.raises(FactoryError, match=message):
            learnt(squares(2), tmp_path / "scratch", weights=str(tmp_path / name))


def test_a_training_that_leaves_the_numbers_is_one_message(tmp_path: Path) -> None:
    """With what to do about it."""
    wild = fit.Training(steps=3, batch=4, encoder_lr=0.0, head_lr=1e36, longest=64)
    with pytest.raises(FactoryError, match="not a number"):
        learnt(squares(2), tmp_path, training=wild)


def test_surprise_is_one_in_a_thousand_for_one_normal_pixel_in_a_thousand(tmp_path: Path) -> None:
    """Beside pictures that nothing was learnt from; a dark spot is a greater surprise."""
    rng = np.random.default_rng(0)
    sound = {f"s{n}": rng.normal(128, 12, (64, 64, 3)).clip(0, 255).astype(np.uint8) for n in range(16)}
    model = build(SPEC, 3, 1, weights=None, seed=0).eval()
    only = replace(NORMAL, texture=0.0)
    known = only.learnt([f"s{n}" for n in range(8)], sound.__getitem__, model, 64, seed=0)
    surprise = np.stack([known(sound[f"s{n}"], model) for n in range(8, 16)])
    assert 0.5e-3 < (surprise >= 3).mean() < 2e-3
    spotted = sound["s9"].copy()
    spotted[30:34, 30:34] = 0
    assert known(spotted, model)[31, 31] > 4


def test_what_all_normal_pixels_reach_is_no_surprise(tmp_path: Path) -> None:
    """Flat pictures with a speck: their contrast is 0 nearly everywhere, and all of them go as far as that."""

    def speckled(number: int) -> np.ndarray:
        image = np.full((64, 64, 3), 120, np.uint8)
        image[20 + number, 30] = 140
        return image

    model = build(SPEC, 3, 1, weights=None, seed=0).eval()
    only = replace(NORMAL, texture=0.0, surroundings=15)
    known = only.learnt([str(n) for n in range(8)], lambda name: speckled(int(name)), model, 64, seed=0)
    surprise = known(speckled(9), model)
    assert surprise[5, 5] == 0
    assert surprise[29, 30] > 3


def test_background_and_band_follow_their_formulas() -> None:
    """A constant, a power of what is left, and nothing decided in between."""
    maps = np.array([[[0.1, 0.4, 0.9]], [[0.0, 0.2, 0.3]]], np.float32)
    np.testing.assert_allclose(Threshold(level=0.15)(maps), [[0.15] * 3])
    np.testing.assert_allclose(Rest(exponent=2.0)(maps), [[0.81, 0.36, 0.01]], rtol=1e-5)
    assert undecided(maps, [0.35, 0.55]).tolist() == [[False, True, False]]
    extent = Extent(gain=2.0, softness=0.5)
    found = extent.probability(extent.evidence(maps[0], 1.0), 1.8)
    np.testing.assert_allclose(found, [[1 / (1 + np.exp(1.2)), 0.5, 1 / (1 + np.exp(-2))]], rtol=1e-5)


def test_auc_counts_pairs_in_the_right_order() -> None:
    """Ties count half; without pairs it is chance."""
    said = np.array([PRESENT, ABSENT, PRESENT, ABSENT, OPEN], np.int8)
    assert auc(np.array([2, 1, 1, 0, 9], np.float32), said, np.zeros(5, int)) == (1 + 1 + 0.5 + 1) / 4
    assert auc(np.array([2, 1], np.float32), said[[0, 2]], np.zeros(2, int)) == 0.5
    assert auc(np.array([2, 1, 1, 0, 9], np.float32), said, np.array([0, 0, 1, 1, 1])) == 1
    assert auc(np.array([2, 1, 1, 0, 9], np.float32), said, np.array([0, 1, 1, 0, 1])) == (1 + 0.5) / 2


def test_heads_that_look_at_nothing_are_no_worse_than_chance() -> None:
    """Each fold's model states how many pictures of the other fold have the class: over both folds, that misleads."""
    said = np.array([PRESENT, PRESENT, PRESENT, ABSENT, PRESENT, ABSENT, ABSENT, ABSENT], np.int8)
    folds = np.repeat([0, 1], 4)
    stated = np.array([(said[folds != fold] == PRESENT).mean() for fold in folds], np.float32)
    assert auc(stated, said, folds) == 0.5
    assert auc(stated, said, np.zeros(8, int)) < 0.3
    alike = np.tile(said[:4], 2)
    assert standard_error(0.8, alike, folds) == pytest.approx(standard_error(0.8, alike[:4], folds[:4]) / 2**0.5)


def test_a_tie_between_shares_goes_to_the_larger_one() -> None:
    """Within a standard error of the best, whatever the order of the heads; the error is that of a known example."""
    said = np.repeat([PRESENT, ABSENT], [51, 58])
    assert standard_error(0.893, said, np.zeros(109, int)) == pytest.approx(0.0325, abs=1e-4)
    assert standard_error(0.5, said[51:], np.zeros(58, int)) == 0
    aucs, errors = np.array([[0.95, 0.95, 0.80], [0.93, 0.80, 0.90]]), np.array([0.04, 0.04, 0.04])
    for order in ([0, 1], [1, 0]):
        told = Telling(auc_hk=aucs[order], error_k=errors, shares=np.array([0.003, 0.3])[order])
        assert [told.shares[head] for head in told.heads_k] == [0.3, 0.003, 0.3]


def test_frames_know_where_the_picture_ends() -> None:
    """Cells of filled-up rows and columns are outside."""
    frames = framed([np.zeros((5, 9, 3), np.uint8), np.zeros((8, 4, 3), np.uint8)], stride=4)
    assert frames.images_nchw.shape == (2, 3, 8, 9)
    assert frames.inside_nhw.sum(dim=(1, 2)).tolist() == [6, 2]
    features_nchw, inside_nhw = together([torch.ones(2, 3, 4), torch.ones(2, 5, 2)])
    assert torch.equal(features_nchw[:, 0] == 1, inside_nhw)
    assert inside_nhw.sum(dim=(1, 2)).tolist() == [12, 10]


def test_statements_name_the_pictures_that_hold_nothing() -> None:
    """Those that deny every class which can be learnt."""
    statements = statements_of(corpus_of(squares(2)))
    assert statements.learnable == (1, 2)
    assert statements.normal() == ["none0", "none1"]
    assert statements.without(["none0"]).normal() == ["none1"]
    assert statements.counts(1) == (2, 4)


@pytest.mark.parametrize(
    "changes",
    [{"shares": []}, {"shares": [0.0]}, {"folds": 1}, {"repeats": 0}, {"ignore_band": [0.6, 0.4]}, {"normal": NORMAL}],
    ids=str,
)
def test_values_out_of_range_are_refused(changes) -> None:
    """Before anything is read."""
    with pytest.raises(ConfigError):
        tags(**changes)


@pytest.mark.parametrize("word", [f"cam@labeler.method={choice}" for choice in tree.choices("cam")] + [
    f"cam_background@labeler.background={choice}" for choice in tree.choices("cam_background")])  # fmt: skip
def test_methods_and_backgrounds_are_chosen_from_the_command_line(word: str) -> None:
    """Each by its name."""
    for config, _ in composed("label", "labeler=tags", word):
        bind("label", config)
