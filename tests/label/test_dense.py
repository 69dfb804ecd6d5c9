"""What holds for every labeler and refiner together."""

import multiprocessing
import resource
import tracemalloc
from concurrent.futures import ProcessPoolExecutor

import cv2
import numpy as np
import pytest

from factory.core.classes import IGNORE
from factory.core.errors import ConfigError, InputError
from factory.core.picture import Picture
from factory.core.sample import Hints, Origin
from factory.label import Workshop
from factory.label.dense import Densifier, _cut, _tiles
from factory.label.mixed import Mixed, Weighed
from factory.label.points import Points
from factory.label.seeds import Seeds
from factory.refine.argmax import Argmax
from factory.refine.guided_filter import GuidedFilter
from tests.label.shops import shop
from tests.label.tagged import corpus_of

RNG = np.random.default_rng(3)
POINTS = Points(area=30, compactness=10.0, colour_sigma=12.0, place_sigma=0.3)


class Stated:
    """A labeler that says what it was made with, whatever it is shown."""

    def __init__(self, scores_k) -> None:
        self.scores_k = np.asarray(scores_k, np.float32)

    def __call__(self, given: Picture, classes: int) -> np.ndarray:
        """Everywhere the same."""
        return np.broadcast_to(self.scores_k[:, None, None], (classes, *given.size_hw)).copy()


class Bright:
    """A labeler that takes brightness for the probability of class 1, and keeps the sizes it saw."""

    def __init__(self) -> None:
        self.seen = []

    def __call__(self, given: Picture, classes: int) -> np.ndarray:
        """As bright as it is."""
        assert classes == 2
        self.seen.append(given.size_hw)
        bright_hw = given.image[..., 0] / np.float32(255)
        return np.stack([1 - bright_hw, bright_hw]).astype(np.float32)


def made(labeler, **settings) -> Densifier:
    """With the plain refiner."""
    return Densifier(**{"labeler": labeler, "refiner": Argmax(), "min_confidence": 0.0, "longest": 1024} | settings)


def picture(size_hw=(9, 12), **said) -> Picture:
    """A noisy picture with hints."""
    maps = {name: said.pop(name) for name in ("scribbles", "noisy_mask") if name in said}
    return Picture(id="p", image=RNG.integers(0, 255, (*size_hw, 3), np.uint8), hints=Hints(**said), **maps)


def test_what_a_person_said_of_a_pixel_stands() -> None:
    """Against a labeler that is certain of something else; and it is marked as said."""
    scribbles = np.full((9, 12), IGNORE, np.uint8)
    scribbles[2, 3:6] = 2
    found = made(Stated([1, 0, 0]))(picture(points=((7, 5, 1),), scribbles=scribbles), 3)
    assert (found.mask_hw[5, 7], found.origin_hw[5, 7], found.confidence_hw[5, 7]) == (1, Origin.HINT, 1)
    assert (found.mask_hw[2, 3:6] == 2).all()
    assert (found.origin_hw == Origin.HINT).sum() == 4
    assert (found.mask_hw == 0).sum() == 9 * 12 - 4


def test_a_point_on_a_scribble_of_another_class_counts_as_neither() -> None:
    """What lies around decides."""
    scribbles = np.full((9, 12), IGNORE, np.uint8)
    scribbles[4] = 0
    found = made(Seeds(), min_confidence=0.9)(picture(points=((7, 4, 1),), scribbles=scribbles), 2)
    assert found.mask_hw[4, 7] == IGNORE
    assert (found.mask_hw == 0).sum() == 11


@pytest.mark.parametrize(("scores_k", "absent"), [([1 / 3] * 3, ()), ([0.5, 0.5, 0], (2,))])
def test_a_curve_makes_nothing_up_where_nothing_is_known(scores_k, absent) -> None:
    """However right equal odds turned out to be elsewhere; what is known goes by the curve."""
    curve = [0.9] * 256
    unknown = made(Stated(scores_k), curve=curve, min_confidence=0.55)(picture(absent=absent), 3)
    assert unknown.coverage == 0
    known = made(Stated([0.7, 0.3, 0]), curve=curve, min_confidence=0.55)(picture(), 3)
    np.testing.assert_allclose(known.confidence_hw, 0.9)


def test_where_nothing_is_known_nothing_is_labelled_unless_every_pixel_is_to_be() -> None:
    """Not as the class that happens to come first, however little is asked for."""
    nothing = Stated([0.5, 0.5])
    assert made(nothing, min_confidence=0.5)(picture(), 2).coverage == 0
    assert made(nothing, min_confidence=0.01)(picture(), 2).coverage == 0
    assert made(nothing, min_confidence=0)(picture(), 2).coverage == 1


def test_classes_known_to_be_absent_are_nowhere() -> None:
    """The second best takes their place; where nothing else was possible, what is left is even."""
    found = made(Stated([0.6, 0.3, 0.1]))(picture(absent=(0,)), 3)
    assert (found.mask_hw == 1).all()
    np.testing.assert_allclose(found.confidence_hw, 0.75)
    np.testing.assert_allclose(made(Stated([1, 0, 0]))(picture(absent=(0,)), 3).confidence_hw, 0.5)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -0.5])
def test_scores_that_are_no_probabilities_stop_with_the_pictures_name(bad) -> None:
    """Not a mask of nonsense."""
    with pytest.raises(InputError, match="no probabilities") as caught:
        made(Stated([bad, 0.5]))(picture(), 2)
    assert caught.value.where == "p"


@pytest.mark.parametrize("size_hw", [(300, 200), (64, 500), (65, 64)])
def test_large_pictures_are_decided_in_tiles_and_look_as_if_they_were_not(size_hw) -> None:
    """Hints are spread at a size that fits; a smooth picture gives the same mask up to its border line."""
    ramp = np.linspace(0, 255, size_hw[1])[None, :, None] * np.ones((size_hw[0], 1, 3))
    given = Picture(id="p", image=ramp.astype(np.uint8), hints=Hints(points=((size_hw[1] - 1, 0, 0),)))
    labeler = Bright()
    whole, tiled = made(Bright())(given, 2), made(labeler, longest=64)(given, 2)
    assert max(labeler.seen[0]) == 64
    differing = whole.mask_hw != tiled.mask_hw
    differing[:16, -16:] = False  # at the reduced size a point speaks for all that falls into its pixel
    assert not differing[:, np.abs(np.arange(size_hw[1]) - size_hw[1] / 2) > 0.06 * size_hw[1]].any()
    assert (tiled.mask_hw[0, -1], tiled.origin_hw[0, -1]) == (0, Origin.HINT)
    np.testing.assert_allclose(whole.confidence_hw[16:], tiled.confidence_hw[16:], atol=0.06)


@pytest.mark.parametrize("length", [65, 100, 500])
def test_what_lies_near_the_edge_of_a_tile_is_decided_by_its_neighbour(length: int) -> None:
    """Each pixel once; a refiner sees four pixels at least on either side of it, but at the picture's border."""
    decided = []
    for tile, own in _tiles(length, 64):
        decided += range(own.start, own.stop)
        assert tile.start == 0 or own.start - tile.start >= 4
        assert tile.stop == length or tile.stop - own.stop >= 4
    assert decided == list(range(length))


def test_scores_of_a_part_are_those_of_the_whole_brought_to_its_size() -> None:
    """Each score stands for the middle of its share of the picture; by OpenCV's word for it, but for its rounding."""
    scores = np.random.default_rng(0).random((2, 12, 9), np.float32)
    whole = np.stack([cv2.resize(plane, (36, 30), interpolation=cv2.INTER_LINEAR) for plane in scores])
    part = _cut(scores, (30, 36), slice(7, 30), slice(0, 21))
    np.testing.assert_allclose(part, whole[:, 7:30, :21], atol=0.05)


def test_memory_does_not_grow_with_the_scores_of_a_large_picture() -> None:
    """Of a picture of 2000 by 1500 no map of all classes is ever made at full size."""
    given = picture((1500, 2000), points=((1, 1, 0),))
    tracemalloc.start()
    made(Seeds(), longest=128)(given, 50)
    assert tracemalloc.get_traced_memory()[1] < 12 * 1500 * 2000
    tracemalloc.stop()


def growth_of_memory(side: int) -> tuple[int, float]:
    """Bytes by which this process grew while a square picture of so many pixels a side was labelled; the coverage."""
    clicks = tuple((side * x // 8, side * y // 8, (x + y) % 11) for x in range(1, 8) for y in range(1, 8))
    rough = np.random.default_rng(0).integers(0, 255, (side // 64, side // 64, 3), np.uint8)
    given = Picture(id="p", image=rough.repeat(64, axis=0).repeat(64, axis=1), hints=Hints(points=clicks))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refiner = GuidedFilter(radius=16, epsilon=1e-3, subsample=4)
    dense = made(POINTS, refiner=refiner)(given, 11)
    return 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before), dense.coverage


@pytest.mark.slow
def test_a_picture_of_8192_pixels_a_side_is_labelled_in_bounded_memory() -> None:
    """With a refiner that looks at the picture, in a process of its own; all classes' scores would take 3 GB."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        grown, coverage = pool.submit(growth_of_memory, 8192).result()
    assert coverage == 1
    assert grown < 1.5e9


def test_labelers_that_know_nothing_change_nothing_and_agreement_adds_up() -> None:
    """Uniform scores are the neutral element; two weak voices are worth a stronger one."""
    given = picture(points=((3, 4, 1), (10, 8, 0)))
    alone = POINTS(given, 2)
    silent = Weighed(labeler=Stated([0.5, 0.5]), weight=3.0)
    mixed = Mixed(members={"points": Weighed(labeler=POINTS, weight=1.0), "silent": silent})
    np.testing.assert_allclose(mixed(given, 2), alone, atol=1e-5)
    voice = Weighed(labeler=Stated([0.6, 0.4]), weight=1.0)
    both = Mixed(members={"a": voice, "b": voice})(given, 2)
    np.testing.assert_allclose(both[0], 0.36 / (0.36 + 0.16), atol=1e-6)
    certain, nearly = (Weighed(labeler=Stated(scores), weight=1.0) for scores in ([1, 0], [1e-3, 1 - 1e-3]))
    np.testing.assert_allclose(Mixed(members={"a": certain, "b": nearly})(given, 2)[0], 1 / (1 + 999e-6), rtol=1e-4)
    loud = Weighed(labeler=Stated([0.1, 0.1, 0.8]), weight=999.0)
    np.testing.assert_allclose(Mixed(members={"a": loud})(given, 3).sum(axis=0), 1, rtol=1e-5)


class Remembering:
    """A labeler that learns which class it is of, and goes by what it finds noted in its folder."""

    def __init__(self, class_id: int) -> None:
        self.class_id = class_id

    def learnt(self, *_: object, shop: Workshop, **__: object) -> Stated:
        """What a killed run noted stands."""
        shop.scratch.mkdir(parents=True, exist_ok=True)
        note = shop.scratch / "note"
        if not note.exists():
            note.write_text(str(self.class_id))
        return Stated(np.arange(2) == int(note.read_text()))


def test_members_that_learn_do_not_take_up_what_others_of_their_kind_left(tmp_path) -> None:
    """Each has a folder of its own."""
    members = {name: Weighed(labeler=Remembering(class_id), weight=1.0) for class_id, name in enumerate("ab")}
    ready = Mixed(members=members).learnt(corpus_of([]), seed=0, shop=shop(tmp_path))
    assert [one.labeler.scores_k.argmax() for one in ready.members.values()] == [0, 1]


@pytest.mark.parametrize("members", [{}, {"a": 0.0}, {"a": -1.0}])
def test_a_mixture_needs_somebody_to_ask(members) -> None:
    """And nobody counts less than nothing."""
    with pytest.raises(ConfigError):
        Mixed(members={name: Weighed(labeler=POINTS, weight=weight) for name, weight in members.items()})


@pytest.mark.parametrize("change", [{"min_confidence": 1.1}, {"longest": 10}])
def test_impossible_settings_are_refused(change) -> None:
    """By name."""
    with pytest.raises(ConfigError, match=next(iter(change))):
        made(POINTS, **change)
