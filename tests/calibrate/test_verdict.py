"""What is concluded from pictures held back: which refiner, pool and mirror images stand."""

from dataclasses import dataclass

import numpy as np
import pytest

from factory.calibrate.audit import Outcome, Trust, miou
from factory.calibrate.verdict import compared, conclude
from factory.core.errors import InputError
from factory.core.sample import Hints
from factory.label import calibrated
from factory.label.points import Points
from factory.measure.calibration import AsStated, Isotonic, Reliability
from factory.refine.argmax import Argmax

POINTS = Points(area=30, compactness=10.0, colour_sigma=12.0, place_sigma=0.3)
WORDS = {"settings": [{}], "mirrored": True, "labeler": POINTS, "seed": 0, "hints": ("points",)}


def trust(right: int, wrong: int) -> Trust:
    """Pixels that were guessed with a confidence of 0.8."""
    seen = Reliability()
    guess = np.repeat(np.array([1, 0], np.uint8), [right, wrong])
    seen.add(np.ones(right + wrong, np.uint8), guess, np.full(right + wrong, 0.8))
    return Trust(seen, Reliability())


SOME = trust(8, 2)


def outcome(right: int, wrong: int, plain_right: int, photograph: str = "", told: Trust = SOME) -> Outcome:
    """One picture of two classes: some pixels right and wrong with the refiner, and right without."""
    total = right + wrong
    return Outcome(
        photograph, np.array([[right, wrong], [0, total]]), np.array([[plain_right, total - plain_right], [0, total]]),
        told, told,
    )  # fmt: skip


@dataclass(frozen=True)
class Named:
    """Stands for a refiner by name."""


@dataclass(frozen=True, kw_only=True)
class Linked:
    """Stands for a refiner with a setting."""

    connectivity: int


def test_the_verdict_is_by_the_pictures_held_back_alone() -> None:
    """Better where it was searched, worse where it is judged: refused; of one photograph there is no interval."""
    seen, held = ([outcome(right, 100 - right, 50, name) for name in "0123"] for right in (90, 40))
    words = WORDS | {"refiner": Named(), "curve": AsStated()}
    assert conclude(seen, held, **words).calibration.refused
    assert not conclude(held, seen, **words).calibration.refused
    same = [outcome(50, 50, 50, name) for name in "0123"]
    assert not conclude(same, same, **words).calibration.refused
    assert not conclude(seen, held, **words | {"refiner": Argmax()}).calibration.refused
    alone = conclude(seen, [one._replace(photograph="one") for one in held], **words)
    assert alone.calibration.refused
    assert alone.miou_interval is alone.gain_interval is None
    found = conclude(seen, held, **words)
    low, high = found.gain_interval
    assert low <= found.gain == found.as_json()["gain"] == found.refined_miou - found.plain_miou <= high < 0
    assert calibrated.Calibration(**found.as_json()["calibration"]) == found.calibration


def test_a_curve_that_makes_confidence_worse_is_refused() -> None:
    """It was fitted where half were right; where it is judged eight of ten are, as stated."""
    words = WORDS | {"refiner": Argmax(), "curve": Isotonic(prior=1e-3)}
    seen, held = ([outcome(9, 1, 9, name, told) for name in "0123"] for told in (trust(50, 50), SOME))
    found = conclude(seen, held, **words)
    assert found.curve_refused
    assert found.curve_ece == pytest.approx(0.3, abs=0.01)
    assert found.ece == found.ece_as_stated == pytest.approx(0, abs=0.01)
    assert found.calibration.curve[204] == pytest.approx(0.8, abs=0.01)
    other = conclude(held, seen, **words | {"curve": AsStated()})
    assert not other.curve_refused
    good = conclude(seen, seen, **words)
    assert not good.curve_refused
    assert good.calibration.curve[204] == pytest.approx(0.5, abs=0.01)


def test_hints_that_the_labeler_makes_nothing_of_calibrate_nothing() -> None:
    """All that could be said of such labels is how rare classes are."""
    rows = [outcome(9, 1, 9, name, Trust(Reliability(), SOME.guessed)) for name in "0123"]
    with pytest.raises(InputError, match="no pixel could be labelled from the hints"):
        conclude(rows, rows, **WORDS | {"refiner": Argmax(), "curve": AsStated()})


def test_more_looks_stand_unless_they_are_worse_beyond_doubt() -> None:
    """A little worse on some pictures and better on others is no reason; worse on all is, if not of one photograph."""
    alone, mixed, worse = (
        [outcome(right, 100 - right, 50, name) for right, name in zip(rights, "0123", strict=True)]
        for rights in ((70, 80, 75, 85), (72, 79, 77, 80), (60, 70, 65, 75))
    )
    assert not compared(mixed, alone, seed=0).refused
    seen = compared(worse, alone, seed=0)
    assert seen.refused
    assert seen.miou == miou(one.refined_kk for one in worse) < seen.before
    one = [[outcome._replace(photograph="one") for outcome in side] for side in (worse, alone)]
    assert not compared(*one, seed=0).refused


def test_who_denies_a_class_gives_tags() -> None:
    """Kinds of hint stand in one order, whichever picture has them."""
    hints = [Hints(points=((1, 1, 0),)), Hints(absent=(1,)), Hints()]
    assert set(calibrated.kinds_of(hints)) == {"tags", "points"}
    assert calibrated.kinds_of(hints) == calibrated.kinds_of([*reversed(hints), Hints(tags=(0,))])


def test_a_pool_has_the_refiner_of_its_best_settings() -> None:
    """And a labeler for each."""
    best, next_best = ({"labeler.area": area, "refiner.connectivity": c} for area, c in ((20, 1), (40, 2)))
    labeler, refiner = calibrated.with_settings(POINTS, Linked(connectivity=0), [best, next_best])
    assert refiner == Linked(connectivity=1)
    assert [member.labeler.area for member in labeler.members.values()] == [20, 40]
