"""What a calibration found: settings, whether the refiner is worth its while, and how far to trust confidence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from factory.core import parts
from factory.core.artefact import Report
from factory.core.errors import ArtefactError, ConfigError
from factory.label import Labeler
from factory.refine import Refiner
from factory.refine.argmax import Argmax

NAME = "calibration.json"


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """``labeler`` and ``refiner`` name the parts it was made for, ``settings`` what the search chose for them.

    ``curve`` is the probability that a pixel is right at each of 256 levels of confidence, of whichever is used:
    the refiner, or the scores alone where it was ``refused``.
    """

    labeler: str
    refiner: str
    settings: dict[str, Any]
    refused: bool
    curve: tuple[float, ...]

    def apply(self, labeler: Labeler, refiner: Refiner) -> tuple[Labeler, Refiner]:
        """The parts with the settings that were found; `ConfigError` if they are not those it was made for."""
        for group, made_for, given in (("labeler", self.labeler, labeler), ("refiner", self.refiner, refiner)):
            if (name := name_of(given)) != made_for:
                todo = f"give the {group} it was made for, or calibrate again with this one"
                raise ConfigError(f"the calibration is of another {group}", got=name, expected=made_for, todo=todo)
        labeler, refiner = with_settings(labeler, refiner, self.settings)
        return labeler, Argmax() if self.refused else refiner

    def as_json(self) -> dict[str, Any]:
        """Ready for JSON."""
        return asdict(self)


def name_of(part: Any) -> str:
    """The published name of a part."""
    return type(part).__name__


def with_settings(labeler: Labeler, refiner: Refiner, settings: Mapping[str, Any]) -> tuple[Labeler, Refiner]:
    """Both parts with some settings changed, by their keys on the command line."""
    found: dict[str, Any] = {"labeler": labeler, "refiner": refiner}
    for key, value in settings.items():
        found = parts.changed(found, key, value)
    return found["labeler"], found["refiner"]


def read(report: Report) -> Calibration:
    """A calibration's findings; `ArtefactError` for a report of another stage."""
    path = report.path(NAME)
    if not path.is_file():
        todo = "give what factory calibrate made"
        raise ArtefactError("not a calibration", where=report.root, got=report.header.identity.stage, todo=todo)
    stated = json.loads(path.read_text())["calibration"]
    return Calibration(**stated | {"curve": tuple(stated["curve"])})
