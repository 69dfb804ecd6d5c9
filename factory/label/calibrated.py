"""What a calibration found: settings, whether the refiner is worth its while, and how far to trust confidence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from factory.core import parts
from factory.core.artefact import Report
from factory.core.errors import ArtefactError, ConfigError
from factory.core.sample import Hints
from factory.label import Labeler
from factory.label.mirrored import Mirrored
from factory.label.mixed import Mixed, Weighed
from factory.refine import Refiner
from factory.refine.argmax import Argmax

NAME = "calibration.json"


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """``labeler`` and ``refiner`` name the parts it was made for, ``settings`` what the search found best for them.

    Labelers of the next best settings, ``pooled``, are asked as well, all of them about mirror images too where it says
    ``mirrored``: see `with_settings`.
    ``curve`` is the probability that a pixel is right at each of 256 levels of confidence, of whichever is used:
    the refiner, or the scores alone where it was ``refused``. ``hints`` are the kinds of hint that it was made with.
    """

    labeler: str
    refiner: str
    settings: dict[str, Any]
    refused: bool
    curve: tuple[float, ...]
    pooled: tuple[dict[str, Any], ...] = ()
    mirrored: bool = False
    hints: tuple[str, ...] = ()

    def apply(self, labeler: Labeler, refiner: Refiner) -> tuple[Labeler, Refiner]:
        """The parts with the settings that were found; `ConfigError` if they are not those it was made for."""
        for group, made_for, given in (("labeler", self.labeler, labeler), ("refiner", self.refiner, refiner)):
            if (name := name_of(given)) != made_for:
                todo = f"give the {group} it was made for, or calibrate again with this one"
                raise ConfigError(f"the calibration is of another {group}", got=name, expected=made_for, todo=todo)
        labeler, refiner = with_settings(labeler, refiner, [self.settings, *self.pooled], mirrored=self.mirrored)
        return labeler, Argmax() if self.refused else refiner

    def as_json(self) -> dict[str, Any]:
        """Ready for JSON."""
        return asdict(self)


def kinds_of(hints: Iterable[Hints]) -> tuple[str, ...]:
    """The kinds of hint that pictures have: names of fields of `Hints`, in their order; ``absent`` tags are tags."""
    present = {"tags" if name == "absent" else name for one in hints for name in one.as_json()}
    return tuple(field.name for field in fields(Hints) if field.name in present)


def name_of(part: Any) -> str:
    """The name of a part as it is chosen by on the command line."""
    return _as_typed(type(part).__name__)


def _as_typed(name: str) -> str:
    """``dense_crf`` for `DenseCrf`, as for itself: calibrations made before held the former."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def with_settings(
    labeler: Labeler, refiner: Refiner, settings: Sequence[Mapping[str, Any]], *, mirrored: bool = False
) -> tuple[Labeler, Refiner]:
    """Both parts with some settings changed, by their keys on the command line; the labeler `Mirrored` if so wished.

    Of several settings each has a labeler of its own, and all of them one vote: the geometric mean of their
    probabilities. The settings that win on some pictures hang on those pictures; several good ones pooled hang on them
    less (Caruana et al., Ensemble selection from libraries of models, 2004). The refiner is that of the first.
    """
    made = [_changed({"labeler": labeler, "refiner": refiner}, one) for one in settings]
    labelers = [Mirrored(labeler=one["labeler"]) if mirrored else one["labeler"] for one in made]
    if len(made) == 1:
        return labelers[0], made[0]["refiner"]
    weighed = (Weighed(labeler=one, weight=1 / len(made)) for one in labelers)
    return Mixed(members={str(number): one for number, one in enumerate(weighed)}), made[0]["refiner"]


def _changed(both: dict[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    for key, value in settings.items():
        both = parts.changed(both, key, value)
    return both


def read(report: Report) -> Calibration:
    """A calibration's findings; `ArtefactError` for a report of another stage."""
    path = report.path(NAME)
    if not path.is_file():
        todo = "give what factory calibrate made"
        raise ArtefactError("not a calibration", where=report.root, got=report.header.identity.stage, todo=todo)
    try:
        stated = json.loads(path.read_text("utf-8"))["calibration"]
        stated |= {name: _as_typed(stated[name]) for name in ("labeler", "refiner")}
        return Calibration(**stated | {name: tuple(stated.get(name, ())) for name in ("curve", "pooled", "hints")})
    except (ValueError, KeyError, TypeError) as error:
        todo = "make it again with factory calibrate"
        raise ArtefactError.of(error, what="a damaged calibration", where=path, todo=todo) from error
