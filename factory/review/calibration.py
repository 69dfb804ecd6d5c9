"""The page's section on the weak-label step: what was found where the truth is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from factory.core.artefact import Report
from factory.core.words import many
from factory.review import charts
from factory.review.charts import Curve
from factory.review.measures import ERRORS, SURENESS, drawn_pictures, percent, read
from factory.review.sections import Section, Table

NAME = "calibration.json"


def calibration(report: Report | None, *, seed: int, examples: int) -> Section | None:
    """Expected figures, what the refiner is worth, the settings found, confidence before and after, pictures."""
    if report is None:
        return None
    stated = read(report, NAME)
    found = stated["calibration"]
    settings = tuple((key, str(value)) for key, value in found["settings"].items())
    chart = charts.lines("Confidence", curves(found["curve"]), across="as stated")
    return Section(
        key="calibration",
        title="Weak labels where the truth is known",
        lead=" ".join(
            said for tell in (_expected, _pooled, _mirrored, _refiner, _confidence) if (said := tell(stated))
        ),
        charts=(chart,) if chart else (),
        columns=(f"Hints, {SURENESS}, truth, dense mask, {ERRORS}",),
        strips=drawn_pictures(report, seed=seed, examples=examples, what="Labels for"),
        tables=(Table(title="Settings found", head=("Setting", "Value"), rows=settings),),
    )


def _expected(stated: dict[str, Any]) -> str:
    within = _within(stated["miou_interval"], percent, "95 % between {} and {}")
    return (
        f"Dense masks of such hints reach a mean IoU of {percent(stated['miou'])} ({within}), measured on "
        f"{many(stated['pictures'], 'picture')} that had no part in the search, though in what was refused after it."
    )


def _pooled(stated: dict[str, Any]) -> str:
    more = len(stated["calibration"].get("pooled", ()))
    return f"Labelers of the {more + 1} best settings are pooled; the table has the best." if more else ""


def _mirrored(stated: dict[str, Any]) -> str:
    return "Each picture is asked about mirrored as well." if stated["calibration"].get("mirrored") else ""


def _refiner(stated: dict[str, Any]) -> str:
    name, gain = stated["calibration"]["refiner"], 100 * stated["gain"]
    if name == "argmax":
        return "No refiner is asked."
    within = _within(stated["gain_interval"], lambda value: f"{100 * value:+.1f}", "{} to {}")
    verdict = "was refused: it changes the mean IoU" if stated["calibration"]["refused"] else "changes it"
    return f"The refiner {name} {verdict} by {gain:+.1f} points ({within})."


def _within(interval: list[float] | None, word: Callable[[float], str], between: str) -> str:
    """Of one photograph there is no interval."""
    return between.format(*map(word, interval)) if interval else "of one photograph: no interval"


def _confidence(stated: dict[str, Any]) -> str:
    after, before = percent(stated["ece"]), percent(stated["ece_as_stated"])
    if (fitted := stated.get("curve_ece", 0)) > stated["ece_as_stated"]:
        return (
            f"Confidence stays as stated, off by {after} on average (ECE): with the curve fitted, by {percent(fitted)}."
        )
    return f"Confidence is off by {after} on average (ECE); as first stated, by {before}."


def curves(levels: list[float]) -> list[Curve]:
    """The share of right pixels at each level of confidence, and what it would be if all were as stated."""
    last = len(levels) - 1
    return [
        Curve(name="right", points=tuple((level / last, right) for level, right in enumerate(levels))),
        Curve(name="if it were right as stated", points=((0.0, 0.0), (1.0, 1.0))),
    ]
