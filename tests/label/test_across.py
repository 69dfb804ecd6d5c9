"""Networks that learn from the hints of some pictures and label the others."""

import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from factory.command.bind import make_part
from factory.core.cache import Cache
from factory.core.classes import ClassList
from factory.core.dataset import Dataset
from factory.core.errors import ConfigError, InputError
from factory.core.picture import Picture, resize
from factory.core.sample import Hints
from factory.execute.process import Process
from factory.label.across import Across
from factory.label.corpus import Corpus
from factory.label.dense import Densifier
from factory.label.networks import labelers_keys
from factory.refine.argmax import Argmax
from factory.segment.architectures import no_weights
from tests.command.composing import composed
from tests.label.shops import shop

CLASSES = ClassList.of(["ground", "square"])
SMALL = [
    "labeler=across", "labeler.folds=2", "labeler.training.model.encoder=tu-test_efficientnet",
    "labeler.training.model.encoder_weights=null", "labeler.training.recipe.batch=4", "labeler.training.crop=[32,32]",
    "labeler.training.recipe.precision=32-true", "labeler.spread.area=9", "labeler.training.recipe.ema=0.5",
]  # fmt: skip


def across(*words: str, steps: int = 3) -> Across:
    """As the YAML files set it up, but small."""
    ((config, _),) = composed("label", *SMALL, f"labeler.training.recipe.steps={steps}", *words)
    return make_part("labeler", config["labeler"])


def corpus(count: int = 6, *, said: bool = True, aside: int = 0) -> Corpus:
    """Pictures of a bright square on a dark ground, a click on the square and four on the ground."""
    pictures = {}
    for number in range(count + aside):
        rng = np.random.default_rng(number)
        left, top = rng.integers(2, 18, 2)
        image = rng.integers(20, 50, (32, 36, 3), np.uint8)
        image[top : top + 12, left : left + 12] += 160
        corners = tuple((x, y, 0) for x in (1, 34) for y in (1, 30))
        points = ((int(left) + 6, int(top) + 6, 1), *corners) if said else ()
        pictures[f"p{number}"] = Picture(id=f"p{number}", image=image, hints=Hints(points=points))
    names = list(pictures)
    return Corpus(classes=CLASSES, ids=names[:count], aside=names[count:], picture=pictures.__getitem__)


def test_no_picture_is_labelled_by_a_network_that_learnt_from_it(tmp_path: Path) -> None:
    """Other hints on one picture change what is said of the other fold's pictures, and of no other picture."""
    given = corpus()
    first, _ = given.folds(2, 3)
    changed = first[0]
    clicks = tuple((x, y, 1 - class_id) for x, y, class_id in given.picture(changed).hints.points)

    def turned(name: str) -> Picture:
        picture = given.picture(name)
        return replace(picture, hints=Hints(points=clicks)) if name == changed else picture

    before = across().learnt(given, seed=3, shop=shop(tmp_path / "before"))
    after = across().learnt(replace(given, picture=turned), seed=3, shop=shop(tmp_path / "after"))
    for name in given.ids:
        same = np.array_equal(before(given.picture(name), 2), after(given.picture(name), 2))
        assert same == (name in first), name


def test_pictures_kept_aside_are_labelled_and_not_learnt_from(tmp_path: Path) -> None:
    """By the first fold's network; the folds are of the others."""
    given = corpus(aside=2)
    labeler = across().learnt(given, seed=3, shop=shop(tmp_path))
    said = Dataset.open(tmp_path / "scratch/said")
    assert sorted(sample.id for sample in said.samples) == sorted(given.ids)
    assert len(list((tmp_path / "cache").glob("pixels-*"))) == 2
    assert sorted(path.stem for path in (tmp_path / "scratch/scores").iterdir()) == [f"p{n}" for n in range(8)]
    scores = labeler(given.picture("p7"), 2)
    np.testing.assert_allclose(scores.sum(axis=0), 1, rtol=1e-3)
    folds = given.folds(2, 3)
    assert sorted(folds[0] + folds[1]) == sorted(given.ids)


def test_pictures_that_nothing_is_said_of_are_labelled_too_and_fill_no_fold(tmp_path: Path) -> None:
    """Each of two networks learns from two of the four that are hinted, whatever the draw."""
    hinted, bare = corpus(4), corpus(12, said=False)

    def some(name: str) -> Picture:
        return (hinted if name in hinted.ids else bare).picture(name)

    labeler = across().learnt(replace(bare, picture=some), seed=5, shop=shop(tmp_path))
    assert len(list((tmp_path / "cache").glob("pixels-*"))) == 2
    for name in bare.ids:
        assert labeler(bare.picture(name), 2).shape == (2, 32, 36)


def test_tiles_of_one_photograph_share_a_fold_unless_there_is_no_other() -> None:
    """Each tile its own picture, as many photographs in each fold as can be."""
    given = corpus(12)
    tiled = replace(given, photograph_of={name: str(number % 4) for number, name in enumerate(given.ids)})
    for seed in range(5):
        folds = tiled.folds(2, seed)
        of = [{tiled.photograph_of[name] for name in fold} for fold in folds]
        assert sorted(map(len, folds)) == [6, 6]
        assert not of[0] & of[1]
        alone = replace(given, photograph_of=dict.fromkeys(given.ids, "same"))
        assert alone.folds(2, seed) == given.folds(2, seed)


def test_tiles_that_nothing_is_said_of_are_labelled_with_the_others_of_their_photograph(tmp_path: Path) -> None:
    """By a network that learnt from no tile of it: other clicks on one change nothing of what is said of its fellow."""
    bare = corpus(8, said=False)
    tiled = replace(corpus(8), photograph_of={name: str(number % 4) for number, name in enumerate(bare.ids)})
    changed = tiled.folds(2, 3, tiled.ids[:4])[1][0]
    fellow = bare.picture(bare.ids[bare.ids.index(changed) + 4])

    def said(name: str, turned: bool) -> Picture:
        picture = (tiled if name in tiled.ids[:4] else bare).picture(name)
        clicks = tuple((x, y, 1 - class_id) for x, y, class_id in picture.hints.points)
        return replace(picture, hints=Hints(points=clicks)) if turned and name == changed else picture

    before, after = (
        across().learnt(replace(tiled, picture=partial(said, turned=turned)), seed=3, shop=shop(tmp_path / str(turned)))
        for turned in (False, True)
    )
    np.testing.assert_array_equal(before(fellow, 2), after(fellow, 2))


def test_a_killed_run_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    """Whatever was there: hints, one network of two, some of the scores."""
    given, labeler = corpus(), across()
    whole = labeler.learnt(given, seed=0, shop=shop(tmp_path / "whole"))
    labeler.learnt(given, seed=0, shop=shop(tmp_path / "cut"))
    for name in ("p0.npy", "p3.npy"):
        (tmp_path / "cut/scratch/scores" / name).unlink()
    shutil.rmtree(next((tmp_path / "cut/cache").glob("network-*")))
    again = labeler.learnt(given, seed=0, shop=shop(tmp_path / "cut"))
    for name in given.ids:
        np.testing.assert_array_equal(whole(given.picture(name), 2), again(given.picture(name), 2))


def test_another_run_with_the_same_hints_learns_nothing_anew(tmp_path: Path) -> None:
    """However its scores are used; with other settings of the training, or another click, it does."""
    given = corpus()

    def networks(run: str, *words: str, of: Corpus = given) -> dict[Path, int]:
        there = replace(shop(tmp_path / run), cache=Cache(folder=tmp_path / "cache"))
        across(*words).learnt(of, seed=0, shop=there)
        return {path: path.stat().st_ino for path in (tmp_path / "cache").glob("network-*/last.ckpt")}

    first = networks("first")
    assert networks("second", "labeler.certainty=0.5", "labeler.tta.scales=[1.0]") == first
    assert len(networks("third", "labeler.training.recipe.ema=0.6")) == 4

    def moved(name: str) -> Picture:
        picture = given.picture(name)
        return replace(picture, hints=Hints(points=picture.hints.points[:4])) if name == "p0" else picture

    assert len(networks("fourth", of=replace(given, picture=moved))) == 6


def test_networks_learn_the_same_side_by_side(tmp_path: Path) -> None:
    """In processes of their own, or one after the other in this one."""
    given, labeler = corpus(), across()
    alone, beside = (
        labeler.learnt(given, seed=0, shop=shop(tmp_path / str(number), executor=executor))
        for number, executor in enumerate((None, Process(count=2)))
    )
    for name in given.ids:
        np.testing.assert_array_equal(alone(given.picture(name), 2), beside(given.picture(name), 2))


@pytest.mark.slow
def test_networks_find_what_only_other_pictures_were_told_of(tmp_path: Path) -> None:
    """Five clicks a picture; after 200 steps more than half of what is found or there is both (chance: an eighth)."""
    given = corpus(16)
    fine = ("model@labeler.training.model=unet", "labeler.training.model.encoder=tu-test_efficientnet")
    labeler = across(*fine, steps=200).learnt(given, seed=0, shop=shop(tmp_path))
    densifier = Densifier(labeler=labeler, refiner=Argmax(), min_confidence=0, longest=1024)
    hits = total = 0
    for name in given.ids:
        picture = given.picture(name)
        truth = picture.image[..., 0] > 100
        found = densifier(picture, 2).mask_hw == 1
        hits, total = hits + (found & truth).sum(), total + (found | truth).sum()
    assert hits / total > 0.5


def test_scores_fit_pictures_that_were_reduced(tmp_path: Path) -> None:
    """Learnt and labelled at a smaller size; softened by certainty."""
    given = corpus()
    wide = replace(given, picture=lambda name: resize(given.picture(name), 144, 128))
    across("labeler.longest=64").learnt(wide, seed=0, shop=shop(tmp_path / "wide"))
    said = Dataset.open(tmp_path / "wide/scratch/said")
    assert {(sample.height, sample.width) for sample in said.samples} == {(57, 64)}
    big = Picture(id="p0", image=np.repeat(np.repeat(given.picture("p0").image, 4, axis=0), 4, axis=1), hints=Hints())
    plain, soft, certain = (
        across(f"labeler.certainty={certainty}").learnt(given, seed=0, shop=shop(tmp_path))(big, 2)
        for certainty in (1.0, 0.2, 1e4)
    )
    assert plain.shape == (2, 128, 144)
    np.testing.assert_array_equal(plain.argmax(axis=0), soft.argmax(axis=0))
    assert soft.max(axis=0).mean() < plain.max(axis=0).mean()
    np.testing.assert_array_equal(plain.argmax(axis=0), certain.argmax(axis=0))
    assert (certain.max(axis=0) >= plain.max(axis=0)).all()


@pytest.mark.parametrize("given", [corpus(said=False), corpus(3)], ids=["nothing said", "three pictures"])
def test_too_little_to_learn_from_is_said(tmp_path: Path, given: Corpus) -> None:
    """With what to do instead."""
    with pytest.raises(InputError, match="too few pictures") as caught:
        across().learnt(given, seed=0, shop=shop(tmp_path))
    assert "labeler=scribbles" in caught.value.todo


@pytest.mark.parametrize("word", ["labeler.folds=1", "labeler.least=1.5", "labeler.longest=8", "labeler.certainty=0"])
def test_impossible_settings_are_refused(word: str) -> None:
    """By name."""
    with pytest.raises(ConfigError, match=word.partition("=")[0].rpartition(".")[2]):
        across(word)


def test_weights_that_cannot_be_had_are_asked_for_by_the_keys_of_the_labeler() -> None:
    """Those of a training are no keys of `factory label`; nothing stays in the way of others."""
    with pytest.raises(ConfigError) as raised, labelers_keys():
        raise no_weights("mobilenet_v2", "imagenet", OSError("no network"))
    said = str(raised.value)
    assert "where:    the labeler's training.model.encoder_weights" in said
    assert "weights=…" in said
    assert "inputs.weights" not in said
