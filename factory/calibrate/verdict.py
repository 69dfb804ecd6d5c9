"""What a calibration concludes from two halves of the pictures: one fits the curve, the other says what to expect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from factory.calibrate.audit import Outcome, Trust, interval, miou
from factory.label import Labeler
from factory.label.calibrated import Calibration, name_of
from factory.measure.calibration import Levels, Reliability
from factory.refine import Refiner
from factory.refine.argmax import Argmax


class Curve(Protocol):
    """Turns what was seen of confidence into a probability for each of its 256 levels."""

    def __call__(self, seen: Reliability) -> Levels:
        """Probabilities, 256 of them, none below the one before it."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """``calibration`` is what the label stage takes; all else are figures of the pictures held back.

    ``miou`` is that of what will be used (the refiner, or the scores alone where it was refused), with 95 % intervals
    as pairs; ``gain`` is the refiner's mean IoU less that of the scores alone. ``ece`` is that of the labels that will
    be made of such pictures, every pixel at the confidence that is written (before ``min_confidence`` leaves any out):
    people's at 1, unknown ones at their own, all else mapped by the curve; ``ece_as_stated`` is that without the curve.
    """

    calibration: Calibration
    pictures: int
    miou: float
    miou_interval: tuple[float, float]
    refined_miou: float
    plain_miou: float
    gain_interval: tuple[float, float]
    ece: float
    ece_as_stated: float

    @property
    def gain(self) -> float:
        """What the refiner is worth."""
        return self.refined_miou - self.plain_miou

    def as_json(self) -> dict[str, Any]:
        """Ready for JSON."""
        return asdict(self) | {"gain": self.gain}


def conclude(
    seen: Sequence[Outcome],
    held: Sequence[Outcome],
    *,
    settings: Sequence[Mapping[str, Any]],
    mirrored: bool,
    labeler: Labeler,
    refiner: Refiner,
    curve: Curve,
    seed: int,
) -> Verdict:
    """Fit the curve on ``seen``, judge everything on ``held``: refuse a refiner that makes masks worse there.

    The curve is fitted to those pixels alone that it will be applied to.
    """
    refined, plain = miou(one.refined_kk for one in held), miou(one.plain_kk for one in held)
    refused = not isinstance(refiner, Argmax) and refined < plain
    levels = curve(_together(seen, refused=refused).guessed).round(6)
    judged = _together(held, refused=refused)
    used = [one.plain_kk if refused else one.refined_kk for one in held]
    calibration = Calibration(
        labeler=name_of(labeler),
        refiner=name_of(refiner),
        settings=dict(settings[0]),
        pooled=tuple(map(dict, settings[1:])),
        mirrored=mirrored,
        refused=refused,
        curve=tuple(levels.tolist()),
    )
    return Verdict(
        calibration=calibration,
        pictures=len(held),
        miou=plain if refused else refined,
        miou_interval=interval(used, seed=seed),
        refined_miou=refined,
        plain_miou=plain,
        gain_interval=interval([one.refined_kk for one in held], beside=[one.plain_kk for one in held], seed=seed),
        ece=judged.stated(levels).ece(),
        ece_as_stated=(judged.guessed + judged.kept).ece(),
    )


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What more looks at a picture are worth beside fewer: mean IoU of both, and of the gain 95 %."""

    miou: float
    before: float
    gain_interval: tuple[float, float]

    @property
    def refused(self) -> bool:
        """Worse beyond doubt."""
        return self.gain_interval[1] < 0


def compared(after: Sequence[Outcome], before: Sequence[Outcome], *, seed: int) -> Comparison:
    """On the same pictures, refined if that is better for the fewer looks."""
    refine = miou(one.refined_kk for one in before) >= miou(one.plain_kk for one in before)
    more, fewer = ([one.refined_kk if refine else one.plain_kk for one in side] for side in (after, before))
    return Comparison(miou=miou(more), before=miou(fewer), gain_interval=interval(more, beside=fewer, seed=seed))


def _together(outcomes: Sequence[Outcome], *, refused: bool) -> Trust:
    each = [outcome.plain if refused else outcome.refined for outcome in outcomes]
    return Trust(*(sum(parts, Reliability()) for parts in zip(*each, strict=True)))
