"""One property suite over every labeler of the configuration tree that needs nothing but a picture."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.command import tree
from factory.command.bind import make_part
from factory.core.classes import IGNORE
from factory.core.picture import Picture
from factory.core.sample import Hints
from factory.label import Learner
from tests.command.composing import composed

CLASSES = 4


def configured(choice: str):
    """The labeler as its YAML file sets it up."""
    ((config, _),) = composed("label", f"labeler={choice}")
    return make_part("labeler", config["labeler"])


def learns(part: object) -> bool:
    """Whether it, or a part of it, needs a whole data set or a model before it can label: tested by itself."""
    if isinstance(part, Mapping):
        return any(map(learns, part.values()))
    inner = [getattr(part, field.name) for field in fields(part)] if is_dataclass(part) else []
    return (isinstance(part, Learner) and not callable(part)) or any(map(learns, inner))


CONFIGURED = {choice: configured(choice) for choice in tree.choices("labeler")}
LABELERS = {choice: labeler for choice, labeler in CONFIGURED.items() if not learns(labeler)}
every_labeler = pytest.mark.parametrize("labeler", LABELERS.values(), ids=LABELERS.keys())


@st.composite
def pictures(draw) -> Picture:
    """Pictures of few pixels, flat or noisy, with any mix of hints."""
    height, width = draw(st.integers(1, 14)), draw(st.integers(1, 14))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    image = rng.integers(0, draw(st.sampled_from([1, 256])), (height, width, 3), np.uint8)
    spots = st.tuples(st.integers(0, width - 1), st.integers(0, height - 1), st.integers(0, CLASSES - 1))
    points = draw(st.lists(spots, max_size=4, unique_by=lambda point: point[:2]))
    corners = draw(st.lists(st.tuples(spots, spots), max_size=2))
    boxes = tuple(
        (min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]) + 1, max(a[1], b[1]) + 1, a[2]) for a, b in corners
    )
    maps = {
        name: np.where(rng.random((height, width)) < share, rng.integers(0, CLASSES, (height, width)), IGNORE)
        for name, share in (("scribbles", 0.1), ("noisy_mask", 0.9))
        if draw(st.booleans())
    }
    maps = {name: ids.astype(np.uint8) for name, ids in maps.items()}
    return Picture(id="p", image=image, hints=Hints(points=tuple(points), boxes=boxes), **maps)


@every_labeler
@given(picture=pictures())
@settings(deadline=None, max_examples=30)
def test_any_mix_of_hints_gives_probabilities_of_the_pictures_size(labeler, picture) -> None:
    """Down to one pixel; twice the same; nothing that was given is changed."""
    kept = picture.image.copy(), picture.seeds_hw.copy()
    scores = labeler(picture, CLASSES)
    assert (scores.shape, scores.dtype) == ((CLASSES, *picture.size_hw), np.float32)
    np.testing.assert_allclose(scores.sum(axis=0), 1, rtol=1e-4)
    assert scores.min() >= 0
    np.testing.assert_array_equal(scores, labeler(picture, CLASSES))
    np.testing.assert_array_equal(picture.image, kept[0])
    np.testing.assert_array_equal(picture.seeds_hw, kept[1])


@every_labeler
def test_nothing_said_is_nothing_known(labeler) -> None:
    """Uniform, not class 0."""
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    np.testing.assert_allclose(labeler(Picture(id="p", image=image, hints=Hints()), CLASSES), 1 / CLASSES, atol=1e-6)


@every_labeler
def test_a_single_class_is_everywhere(labeler) -> None:
    """There is nothing else it could be."""
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    given_ = Picture(
        id="p", image=image, hints=Hints(points=((3, 4, 0),), boxes=((2, 2, 9, 9, 0),)),
        scribbles=np.where(np.arange(600).reshape(20, 30) < 5, 0, IGNORE).astype(np.uint8),
        noisy_mask=np.zeros((20, 30), np.uint8),
    )  # fmt: skip
    np.testing.assert_allclose(labeler(given_, 1), 1)


@pytest.mark.parametrize("choice", sorted(set(LABELERS) - {"seeds", "spots"}))
def test_every_labeler_that_spreads_finds_a_disc_from_what_it_is_told(choice) -> None:
    """A dark disc on a bright ground: clicks, strokes, a box around it, or a mask that is off by three pixels."""
    rows, columns = np.mgrid[0:120, 0:160]
    truth = ((rows - 60) ** 2 + (columns - 88) ** 2 < 34**2).astype(np.uint8)
    noise = np.random.default_rng(0).normal(0, 4, (120, 160, 3))
    image = (190 - 110 * truth[..., None] + noise).clip(0, 255).astype(np.uint8)
    strokes = np.full((120, 160), IGNORE, np.uint8)
    strokes[60, 76:100], strokes[6, 20:140] = 1, 0
    clicks = ((88, 60, 1), *((x, y, 0) for x in (8, 80, 150) for y in (8, 110)))
    needs = getattr(LABELERS[choice], "NEEDS", None)
    given_ = Picture(
        id="p", image=image,
        hints=Hints(boxes=((54, 26, 123, 95, 1),)) if needs == "boxes" else Hints(points=clicks),
        scribbles=None if needs or choice == "points" else strokes,
        noisy_mask=np.roll(truth, 3, axis=1) if needs == "masks" else None,
    )  # fmt: skip
    found = LABELERS[choice](given_, 2).argmax(axis=0)
    both, either = (found & truth).sum(), (found | truth).sum()
    assert both / either > (0.75 if needs == "masks" else 0.9)


def test_every_labeler_that_trains_is_tested_by_itself() -> None:
    """Nothing hides behind the exception."""
    written = {path.stem.removeprefix("test_") for path in (Path(__file__).parents[1] / "label").glob("test_*.py")}
    assert CONFIGURED.keys() - LABELERS.keys() <= written
