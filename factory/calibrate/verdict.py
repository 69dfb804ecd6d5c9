"""What a calibration concludes from two halves of the pictures: one fits the curve, the other says what to expect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from factory.calibrate.audit import Counts, Outcome, Trust, miou
from factory.calibrate.interval import Interval, interval
from factory.core.errors import InputError
from factory.label import Labeler
from factory.label.calibrated import Calibration, name_of
from factory.measure.calibration import AsStated, Levels, Reliability
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
    as pairs, None where all pictures are of one photograph; ``gain`` is the refiner's mean IoU less that of the scores
    alone. ``ece`` is that of the labels that will be made of such pictures, every pixel at the confidence that is
    written (before ``min_confidence`` leaves any out): people's at 1, unknown ones at their own, all else mapped by the
    curve; ``ece_as_stated`` is that without a curve, ``curve_ece`` that with the one that was fitted. A curve that
    makes the error larger is refused: confidence then stays as it is.

    The pictures had no part in the search, but whether refiner, pool and mirror images are used is decided on them. So
    ``miou`` is that of the luckier of two: where both are equally good, 8 pictures promise 0.01 to 0.02 too much, 24
    promise up to 0.01 (simulated), and the intervals hold 95 % all the same.
    """

    calibration: Calibration
    pictures: int
    miou: float
    miou_interval: Interval | None
    refined_miou: float
    plain_miou: float
    gain_interval: Interval | None
    ece: float
    ece_as_stated: float
    curve_ece: float

    @property
    def curve_refused(self) -> bool:
        """Whether confidence is worse with the fitted curve than as it is stated."""
        return self.curve_ece > self.ece_as_stated

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
    hints: tuple[str, ...],
) -> Verdict:
    """Fit the curve on ``seen``, judge everything on ``held``: refuse a refiner that makes masks worse there.

    The curve is fitted to those pixels alone that it will be applied to; `InputError` where there are none.
    """
    refined, plain = (_used(held, refused=refused) for refused in (False, True))
    refused = not isinstance(refiner, Argmax) and miou(refined) < miou(plain)
    guessed = _together(seen, refused=refused).guessed
    if not guessed.pixels_l.any():
        todo = "give hints that this labeler reads (supervision=…), or take another labeler"
        raise InputError("no pixel could be labelled from the hints", got=repr(labeler), todo=todo)
    fitted, judged = curve(guessed).round(6), _together(held, refused=refused)
    as_stated, with_curve = (judged.guessed + judged.kept).ece(), judged.stated(fitted).ece()
    levels = fitted if with_curve <= as_stated else AsStated()(guessed).round(6)
    used = plain if refused else refined
    calibration = Calibration(
        labeler=name_of(labeler),
        refiner=name_of(refiner),
        settings=dict(settings[0]),
        pooled=tuple(map(dict, settings[1:])),
        mirrored=mirrored,
        refused=refused,
        curve=tuple(levels.tolist()),
        hints=hints,
    )
    return Verdict(
        calibration=calibration,
        pictures=len(held),
        miou=miou(used),
        miou_interval=interval(used, _photographs(held), seed=seed),
        refined_miou=miou(refined),
        plain_miou=miou(plain),
        gain_interval=interval(refined, _photographs(held), beside=plain, seed=seed),
        ece=judged.stated(levels).ece(),
        ece_as_stated=as_stated,
        curve_ece=with_curve,
    )


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What more looks at a picture are worth beside fewer: mean IoU of both, and of the gain 95 %."""

    miou: float
    before: float
    gain_interval: Interval | None

    @property
    def refused(self) -> bool:
        """Worse beyond doubt; nothing is, of one photograph."""
        return self.gain_interval is not None and self.gain_interval[1] < 0


def compared(after: Sequence[Outcome], before: Sequence[Outcome], *, seed: int) -> Comparison:
    """On the same pictures, refined if that is better for the fewer looks."""
    refused = miou(_used(before, refused=False)) < miou(_used(before, refused=True))
    more, fewer = (_used(side, refused=refused) for side in (after, before))
    gain = interval(more, _photographs(before), beside=fewer, seed=seed)
    return Comparison(miou=miou(more), before=miou(fewer), gain_interval=gain)


def _used(outcomes: Sequence[Outcome], *, refused: bool) -> list[Counts]:
    return [outcome.plain_kk if refused else outcome.refined_kk for outcome in outcomes]


def _photographs(outcomes: Sequence[Outcome]) -> list[str]:
    return [outcome.photograph for outcome in outcomes]


def _together(outcomes: Sequence[Outcome], *, refused: bool) -> Trust:
    each = [outcome.plain if refused else outcome.refined for outcome in outcomes]
    return Trust(*(sum(parts, Reliability()) for parts in zip(*each, strict=True)))
