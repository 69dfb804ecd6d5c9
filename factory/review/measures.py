"""The page's sections on the model: how training went, what was measured, what it predicts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from factory.core import masks, seeds
from factory.core.artefact import SUMS, Artefact, Model, Report
from factory.core.classes import ClassList
from factory.core.errors import ArtefactError
from factory.measure.calibration import Reliability
from factory.review import charts, pictures
from factory.review.charts import Curve
from factory.review.pictures import Picture
from factory.review.sections import ClassCurve, Section, Strip, Table

SCORES = {
    "miou": "mIoU",
    "boundary_iou": "Boundary IoU",
    "f1": "F1",
    "pixel_accuracy": "Pixel accuracy",
    "coverage": "Coverage",
}
TRUST = {
    "ece": "ECE",
    "class_ece": "ECE, mean over classes",
    "boundary_ece": "ECE at boundaries",
    "aurc": "AURC",
    "ause": "AUSE",
}
BY_CLASS = {
    "iou": "IoU",
    "boundary_iou": "Boundary IoU",
    "f1": "F1",
    "precision": "Precision",
    "recall": "Recall",
    "ece": "ECE",
}
CURVES = {
    "Training loss": {"train_loss": "loss"},
    "Validation": {"val_miou": "mIoU", "val_pixel_accuracy": "pixel accuracy", "val_f1": "F1"},
    "Learning rate": {"lr": "learning rate"},
}

SURENESS = "confidence (bright is sure)"
ERRORS = "errors (green is right, red wrong, blue unlabelled, grey without truth)"
"""How two panels of the pictures that stages draw are to be read."""


def training(model: Model | None) -> Section | None:
    """Curves of everything the history holds."""
    if model is None or not (history := read(model, "history.json")):
        return None
    drawn = [charts.lines(title, _curves(history, keys), across="step") for title, keys in CURVES.items()]
    best = [(row["val_miou"], row["step"]) for row in history if row.get("val_miou") is not None]
    lead = f"{history[-1]['step']} steps."
    if best:
        score, step = max(best, key=lambda pair: pair[0])  # of equals the first, as training keeps it
        lead += f" The best validation mIoU is {percent(score)}, at step {step}."
    return Section(
        key="training",
        title="Training",
        lead=lead,
        charts=tuple(chart for chart in drawn if chart),
        class_curves=class_curves(history, model.classes),
    )


def class_curves(history: Sequence[dict[str, Any]], classes: ClassList) -> tuple[ClassCurve, ...]:
    """Validation IoU of every class that had one, the mean of all dimmed behind; gaps where a class was not seen."""
    rows = [row for row in history if row.get("val_iou")]
    mean = Curve(name="mean", points=tuple((row["step"], row["val_miou"]) for row in rows))
    found = []
    for name, colour in zip(classes.names, classes.colours, strict=True):
        curve = Curve(name=name, points=tuple((row["step"], row["val_iou"].get(name)) for row in rows))
        if known := curve.known():
            said = Curve(name=f"{name}: validation IoU ends at {percent(known[-1][1])}", points=curve.points)
            svg = charts.small(said, mean, until=rows[-1]["step"])
            found.append(ClassCurve(name=name, colour=colour, last=known[-1][1], svg=svg))
    return tuple(found)


def measurement(evaluation: Report | None, comparison: Report | None, *, seed: int, examples: int) -> Section | None:
    """Scores of the model beside their peers', IoU by class, and predictions."""
    if evaluation is None:
        return None
    strips = drawn_pictures(evaluation, seed=seed, examples=examples, what="Prediction for")
    columns = (f"Photograph, truth, prediction, {ERRORS}",) if strips else ()
    found = _measured(evaluation, comparison, strips)
    return replace(found, key="measurement", title="Measurement", columns=columns)


def audit(report: Report | None, *, seed: int, examples: int) -> Section | None:
    """Scores of the dense masks where the truth is known, and where they are wrong."""
    if report is None:
        return None
    strips = drawn_pictures(report, seed=seed, examples=examples, what="Labels for")
    columns = (f"Hints, {SURENESS}, truth, labels, {ERRORS}",) if strips else ()
    return replace(_measured(report, None, strips), key="audit", title="Weak labels measured", columns=columns)


def _measured(evaluation: Report, comparison: Report | None, strips: tuple[Strip, ...]) -> Section:
    rows = score_rows(evaluation, comparison)
    name, split = (str(read(evaluation, "metrics.json").get(key, "")) for key in ("name", "split"))
    tables = (
        *_score_table("Scores", SCORES, rows),
        *_score_table("How far confidence is off, and how badly it tells right from wrong", TRUST, rows),
        *class_tables(rows, evaluation.classes),
    )
    titled = f": {name}" if name != evaluation.header.identity.stage else ""
    lead = f"Measured on the {split} split{titled}." if split else name
    return Section(
        key="", title="", lead=lead, strips=strips, drawings=_confusion(evaluation), tables=tables,
        charts=trust(rows[0]) if rows else (),
    )  # fmt: skip


def _score_table(title: str, columns: dict[str, str], rows: Sequence[dict[str, Any]]) -> list[Table]:
    """A row a method, of the figures that any of them has; none where no method has any."""
    shown = _stated(columns, rows)
    cells = tuple((row["name"], *(row.get(key) for key in shown)) for row in rows)
    return [Table(title=title, head=("Method", *shown.values()), rows=cells, bars="rows")] if shown else []


def _stated(columns: dict[str, str], rows: Iterable[dict[str, Any]]) -> dict[str, str]:
    """The columns in which anything stands."""
    known = list(rows)
    return {key: title for key, title in columns.items() if any(row.get(key) is not None for row in known)}


def trust(row: dict[str, Any]) -> tuple[charts.Chart, ...]:
    """How far a method's confidence can be trusted: right where it says so, and surer of what is right."""
    seen = Reliability.of_json(row["confidence"]) if row.get("confidence") else Reliability()
    if not seen.pixels_l.any():
        return ()
    pixels, right, stated = (by_bin.tolist() for by_bin in seen.binned())
    bins = [(s / n, r / n) for n, r, s in zip(pixels, right, stated, strict=True) if n]
    share, risk = seen.risks()
    wrong = float(risk[-1])
    told = [max(0.0, 1 - (1 - wrong) / part) for part in share]
    drawn = (
        charts.lines(
            "Right pixels by confidence",
            [
                Curve(name="right", points=tuple(bins)),
                Curve(name="as stated", points=tuple((x, x) for x, _ in bins)),
            ],
            across="confidence",
        ),
        charts.lines(
            "Wrong pixels among the surest",
            [
                Curve(name="by confidence", points=tuple(zip(share.tolist(), risk.tolist(), strict=True))),
                Curve(name="at best", points=tuple(zip(share.tolist(), told, strict=True))),
            ],
            across="share of the pixels",
        ),
    )
    return tuple(chart for chart in drawn if chart)


def class_tables(rows: Sequence[dict[str, Any]], classes: ClassList) -> list[Table]:
    """Everything by class for the first method, which is ours, then the IoU of all where there are several."""
    rows = [{**row, **{key: _in_order(row.get(key) or {}, classes) for key in ("iou", "by_class")}} for row in rows]
    tables = []
    if by_class := rows[0]["by_class"] if rows else None:
        total = max(1, sum(figures["pixels"] for figures in by_class.values()))
        shown = _stated(BY_CLASS, by_class.values())
        cells = tuple(
            (name, *(figures.get(key) for key in shown), f"{figures['pixels']:,}", figures["pixels"] / total)
            for name, figures in by_class.items()
        )
        head = ("Class", *shown.values(), "Pixels of truth", "Share of truth")
        tables.append(Table(title=f"By class: {rows[0]['name']}", head=head, rows=cells, bars="all"))
    names = list(dict.fromkeys(name for row in rows for name in row["iou"]))
    if names and (len(rows) > 1 or not tables):
        cells = tuple((name, *(row["iou"].get(name) for row in rows)) for name in names)
        head = ("Class", *(str(row["name"]) for row in rows))
        tables.append(Table(title="IoU by class", head=head, rows=cells, bars="columns"))
    return tables


def score_rows(evaluation: Report, comparison: Report | None) -> list[dict[str, Any]]:
    """The rows of both reports. One that both hold stands once; of the same name but other figures, both are marked."""
    mine, other = (read(report, "metrics.json") if report else {"rows": []} for report in (evaluation, comparison))
    theirs = [row for row in other["rows"] if row not in mine["rows"]]
    shared = {row["name"] for row in mine["rows"]} & {row["name"] for row in theirs}
    marks = [str(mine.get("name", "")), str(other.get("name", ""))]
    if marks[0] == marks[1]:
        marks = ["", "comparison"]
    pairs = [(row, mark) for rows, mark in zip((mine["rows"], theirs), marks, strict=True) for row in rows]
    names = [f"{row['name']} ({mark})" if mark and row["name"] in shared else row["name"] for row, mark in pairs]
    return [{**row, "name": name} for (row, _), name in zip(pairs, names, strict=True)]


def percent(value: float) -> str:
    """A share of 1 in per cent, one digit behind the point; a little is never shown as nothing."""
    return "< 0.1 %" if 0 < value < 0.0005 else f"{100 * value:.1f} %"


def _curves(history: Sequence[dict[str, Any]], keys: dict[str, str]) -> list[Curve]:
    return [
        Curve(name=name, points=tuple((row["step"], row[key]) for row in history if row.get(key) is not None))
        for key, name in keys.items()
    ]


def drawn_pictures(report: Report, *, seed: int, examples: int, what: str) -> tuple[Strip, ...]:
    """Some of the pictures that a stage drew for people; ``what`` they show, in words before their names."""
    files = sorted(report.path(name) for name in _listed(report) if name.startswith("pictures/"))
    picks = sorted(seeds.generator(seed, "review", "predictions").permutation(len(files))[:examples].tolist())
    return tuple(
        Strip(
            name=files[k].stem,
            note="",
            pictures=(pictures.photo(_rgb(files[k]), f"{what} {files[k].stem}", longest=1600),),
        )
        for k in picks
    )


def _in_order(by_class: dict[str, Any], classes: ClassList) -> dict[str, Any]:
    """Sorted as the class list is; names it does not know come last."""
    names = dict.fromkeys([*classes.names, *by_class])
    return {name: by_class[name] for name in names if name in by_class}


def _confusion(evaluation: Report) -> tuple[Picture, ...]:
    """The confusion picture; measurements of earlier versions have none."""
    name = "confusion.png"
    if name not in _listed(evaluation):
        return ()
    return (pictures.drawing(evaluation.path(name).read_bytes(), "What each class was taken for, in per cent"),)


def _listed(artefact: Artefact) -> list[str]:
    """The files in it, as its checksums name them."""
    return [line.split("  ", 1)[1] for line in artefact.path(SUMS).read_text().splitlines()]


def _rgb(path: Any) -> pictures.Image8:
    pixels = masks.read_png(path)
    return pixels.astype("uint8") if pixels.ndim == 3 else pixels[..., None].repeat(3, axis=2).astype("uint8")


def read(artefact: Artefact, relative: str) -> Any:
    """A JSON file of an artefact; `ArtefactError` where it cannot be read, or another stage made the artefact."""
    if relative not in _listed(artefact):
        made, todo = f"what {artefact.header.identity.stage} made", "check which input is given for which"
        raise ArtefactError(f"it holds no {relative}", where=artefact.root, got=made, todo=todo)
    try:
        return json.loads(artefact.path(relative).read_text())
    except (OSError, ValueError) as error:
        todo = "make the artefact again"
        raise ArtefactError.of(error, what=f"unreadable {relative}", where=artefact.root, todo=todo) from error
