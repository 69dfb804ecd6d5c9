"""One property suite over every way of simulating hints in the configuration tree."""

from collections import Counter
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.command import tree
from factory.command.bind import make_part
from factory.core.classes import IGNORE
from factory.core.picture import Picture
from factory.core.sample import Hints
from tests.command.composing import composed

SQUARES = 100


def configured(choice: str):
    """The filter as its YAML file sets it up."""
    ((config, _),) = composed("ingest", f"supervision={choice}")
    return make_part("supervision", config["supervision"])


def changed(kind, **values: Any):
    """The filter with other values for those of these fields that it has."""
    names = {field.name for field in fields(kind)}
    return replace(kind, **{name: value for name, value in values.items() if name in names})


def attentive(kind):
    """Someone who makes no mistakes and overlooks nothing."""
    return changed(kind, missed=0.0, wrong=0.0, jitter=0.0, shift=0.0, least=1)


def careless(kind):
    """Someone who makes all mistakes often."""
    return changed(kind, missed=0.4, wrong=0.4, jitter=2.0, shift=4.0, reach=2.0, least=1)


KINDS = {choice: configured(choice) for choice in tree.choices("supervision")}
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
every_weak_kind = pytest.mark.parametrize(
    "kind", [kind for name, kind in KINDS.items() if name != "full"], ids=[name for name in KINDS if name != "full"]
)


@st.composite
def pictures(draw) -> Picture:
    """Masks of few pixels: flat, in patches or noisy, of any ids, with ignored pixels up to all."""
    height, width = draw(st.integers(1, 24)), draw(st.integers(1, 24))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    ids = rng.choice(IGNORE, draw(st.integers(1, 5)), replace=False).astype(np.uint8)
    patch = draw(st.sampled_from([1, 3, 8, 24]))
    mask_hw = rng.choice(ids, (24 // patch + 1, 24 // patch + 1)).repeat(patch, 0).repeat(patch, 1)[:height, :width]
    mask_hw[rng.random(mask_hw.shape) < draw(st.sampled_from([0.0, 0.1, 1.0]))] = IGNORE
    image = rng.integers(0, 256, (height, width, 3), np.uint8)
    return Picture(id=f"p{draw(st.integers(0, 9))}", image=image, hints=Hints(), mask=np.ascontiguousarray(mask_hw))


def same(one: Picture, other: Picture) -> None:
    """All that is said of two pictures is equal."""
    assert one.hints == other.hints
    for name in ("mask", "scribbles", "noisy_mask"):
        np.testing.assert_equal(getattr(one, name), getattr(other, name))


def check_inside(photo: Picture) -> None:
    """Every hint lies in the picture."""
    height, width = photo.size_hw
    assert all(0 <= x < width and 0 <= y < height for x, y, _ in photo.hints.points)
    assert len({point[:2] for point in photo.hints.points}) == len(photo.hints.points)
    assert all(0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height for x0, y0, x1, y1, _ in photo.hints.boxes)
    for map_hw in (photo.scribbles, photo.noisy_mask):
        assert map_hw is None or (map_hw.shape, map_hw.dtype) == ((height, width), np.uint8)


def check_ignored(photo: Picture, mask_hw: np.ndarray) -> None:
    """Nothing is said of ignored pixels, and only classes of the picture are named."""
    assert all(mask_hw[y, x] != IGNORE for x, y, _ in photo.hints.points)
    for map_hw in (photo.scribbles, photo.noisy_mask):
        assert map_hw is None or (map_hw[mask_hw == IGNORE] == IGNORE).all()
    named = {*photo.hints.tags, *(hint[-1] for hint in (*photo.hints.points, *photo.hints.boxes))}
    named |= {int(i) for map_hw in (photo.scribbles, photo.noisy_mask) if map_hw is not None for i in np.unique(map_hw)}
    assert named - {IGNORE} <= {int(i) for i in np.unique(mask_hw)} - {IGNORE}


def check_agrees(photo: Picture, mask_hw: np.ndarray) -> None:
    """Every hint is true."""
    assert all(mask_hw[y, x] == class_id for x, y, class_id in photo.hints.points)
    for x0, y0, x1, y1, class_id in photo.hints.boxes:
        object_hw = mask_hw[y0:y1, x0:x1] == class_id
        assert all(edge.any() for edge in (object_hw[0], object_hw[-1], object_hw[:, 0], object_hw[:, -1]))
    assert all((mask_hw == class_id).any() for class_id in photo.hints.tags)
    assert not any((mask_hw == class_id).any() for class_id in photo.hints.absent)
    for map_hw in (photo.scribbles, photo.noisy_mask):
        assert map_hw is None or (map_hw == mask_hw)[map_hw != IGNORE].all()


@every_weak_kind
@given(photo=pictures(), seed=st.integers(0, 5))
@settings(deadline=None, max_examples=30)
def test_hints_lie_in_the_picture_and_the_mask_is_forgotten(kind, photo, seed) -> None:
    """Down to one pixel, with all clumsiness; twice the same; what was given is not changed."""
    kept = photo.mask.copy()
    for someone in (kind, careless(kind)):
        hinted = someone(photo, seed)
        assert hinted.mask is None
        check_inside(hinted)
        check_ignored(hinted, kept)
        same(hinted, someone(photo, seed))
    np.testing.assert_array_equal(photo.mask, kept)


@every_kind
@given(photo=pictures(), seed=st.integers(0, 5))
@settings(deadline=None, max_examples=30)
def test_without_clumsiness_every_hint_is_true(kind, photo, seed) -> None:
    """And something is said wherever something is known."""
    hinted = attentive(kind)(photo, seed)
    check_agrees(hinted, photo.mask)
    stuff = [*getattr(kind, "stuff", []), IGNORE] if hinted.noisy_mask is None else [IGNORE]
    said = [hinted.hints.points, hinted.hints.boxes, hinted.hints.tags]
    said += [map_hw != IGNORE for map_hw in (hinted.mask, hinted.scribbles, hinted.noisy_mask) if map_hw is not None]
    assert (
        any(np.any(one) if isinstance(one, np.ndarray) else one for one in said) == (~np.isin(photo.mask, stuff)).any()
    )


@every_kind
def test_a_picture_without_mask_stays_as_it_is(kind) -> None:
    """There is nothing to draw hints from; those it has are kept."""
    photo = Picture(id="p", image=np.zeros((4, 5, 3), np.uint8), hints=Hints(points=((1, 2, 0),), tags=(3,)))
    assert kind(photo, 0) is photo


@every_weak_kind
def test_other_hints_are_kept(kind) -> None:
    """Only those of the filter's own kind are replaced."""
    hints = Hints(points=((0, 0, 9),), boxes=((0, 0, 1, 1, 9),), tags=(9,), absent=(8,))
    maps = {name: np.full((12, 12), 9, np.uint8) for name in ("scribbles", "noisy_mask")}
    photo = Picture(id="p", image=np.zeros((12, 12, 3), np.uint8), hints=hints, mask=np.eye(12, dtype=np.uint8), **maps)
    hinted = attentive(kind)(photo, 0)
    before = {**vars(hints), **maps}
    after = {**vars(hinted.hints), "scribbles": hinted.scribbles, "noisy_mask": hinted.noisy_mask}
    other = [name for name in ("points", "boxes", "tags") if after[name] != before[name]]
    other += [name for name in maps if not np.array_equal(after[name], before[name])]
    assert len(other) == 1


@every_weak_kind
def test_hints_depend_on_seed_and_picture_alone(kind) -> None:
    """Not on which pictures came before."""
    pictures_ = [chequered(f"p{n}") for n in range(3)]
    forwards = [careless(kind)(photo, 1) for photo in pictures_]
    backwards = [careless(kind)(photo, 1) for photo in reversed(pictures_)][::-1]
    for one, other in zip(forwards, backwards, strict=True):
        same(one, other)
    with pytest.raises(AssertionError):
        same(forwards[0], forwards[1])
    with pytest.raises(AssertionError):
        same(forwards[0], careless(kind)(pictures_[0], 2))


def chequered(name: str) -> Picture:
    """A hundred squares, each a class of its own."""
    mask_hw = np.arange(1, 101, dtype=np.uint8).reshape(10, 10).repeat(12, 0).repeat(12, 1)
    return Picture(id=name, image=np.zeros((120, 120, 3), np.uint8), hints=Hints(), mask=mask_hw)


def told(photo: Picture, mask_hw: np.ndarray) -> list[tuple[int, int]]:
    """Of every point, box, tag or square that something is said of: its class, and that which is said."""
    said = [(int(mask_hw[y, x]), class_id) for x, y, class_id in photo.hints.points]
    middles = [((y0 + y1) // 2, (x0 + x1) // 2, class_id) for x0, y0, x1, y1, class_id in photo.hints.boxes]
    said += [(int(mask_hw[y, x]), class_id) for y, x, class_id in middles]
    said += [(class_id, class_id) for class_id in photo.hints.tags if (mask_hw == class_id).any()]
    for map_hw in (photo.scribbles, photo.noisy_mask):
        for class_id in [] if map_hw is None else np.unique(mask_hw):
            named = map_hw[(mask_hw == class_id) & (map_hw != IGNORE)]
            said += [(int(class_id), int(np.bincount(named).argmax()))] if named.size else []
    return said


@every_weak_kind
@pytest.mark.parametrize("slip", ["missed", "wrong"])
def test_hints_are_left_out_and_misnamed_as_often_as_stated(kind, slip) -> None:
    """Three in ten of four hundred; what is said right is what someone attentive says."""
    exact = changed(attentive(kind), count=100, classes=200)
    clumsy = changed(exact, **{slip: 0.3})
    shares = []
    for seed in range(4):
        photo = chequered("p")
        meant = told(exact(photo, seed), photo.mask)
        said = told(clumsy(photo, seed), photo.mask)
        right = [pair for pair in said if pair[0] == pair[1]]
        assert len(meant) == SQUARES
        assert all(pair[0] == pair[1] for pair in meant)
        assert not Counter(right) - Counter(meant)
        shares.append(len(right) / len(meant))
    assert 0.62 < np.mean(shares) < 0.78


@pytest.mark.parametrize("choice", [name for name, kind in KINDS.items() if {"jitter", "shift"} & vars(kind).keys()])
def test_a_hand_that_is_off_says_what_is_not_so(choice) -> None:
    """More so the further it is off."""
    exact = attentive(KINDS[choice])
    steps = (0.0, 0.03, 0.12) if choice == "boxes" else (0.0, 1.0, 4.0)
    off = [amiss(changed(exact, jitter=step, shift=step)) for step in steps]
    assert off[0] == 0
    assert off[0] < off[1] < off[2]


def amiss(kind) -> float:
    """How much of what is said is not so: a share of pixels, or for boxes of the squares' sides."""
    photo = chequered("p")
    hinted = kind(photo, 3)
    edges = [abs(edge - 12 * round(edge / 12)) / 12 for box in hinted.hints.boxes for edge in box[:4]]
    said = edges + [photo.mask[y, x] != class_id for x, y, class_id in hinted.hints.points]
    for map_hw in (hinted.scribbles, hinted.noisy_mask):
        said += [] if map_hw is None else (map_hw != photo.mask)[map_hw != IGNORE].tolist()
    return float(np.mean(said))
