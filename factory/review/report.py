"""One self-contained page on a whole run: no network, pictures inlined, equal inputs give equal bytes.

The sections are made as data (`sections`, `measures`, `gallery`) and laid out by the templates beside this file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from factory.core.artefact import Artefact, Model, Report
from factory.core.classes import VOID, ClassList
from factory.core.dataset import Dataset
from factory.core.queue import Queue
from factory.core.words import many
from factory.review import gallery, layout, measures, sections
from factory.review.calibration import calibration
from factory.review.measures import percent


@dataclass(frozen=True, kw_only=True)
class Line:
    """Every artefact of a run that is there; only queue and source must be."""

    queue: Queue
    source: Dataset
    rendered: Dataset | None = None
    labelled: Dataset | None = None
    audit: Report | None = None
    adapted: Dataset | None = None
    model: Model | None = None
    evaluation: Report | None = None
    calibration: Report | None = None
    comparison: Report | None = None

    def artefacts(self) -> dict[str, Artefact]:
        """What is there, by its part in the run, in the order of the line; one that plays two parts stands once."""
        order = (
            "source",
            "rendered",
            "calibration",
            "labelled",
            "audit",
            "adapted",
            "model",
            "evaluation",
            "comparison",
            "queue",
        )
        there = [(name, artefact) for name in order if (artefact := getattr(self, name)) is not None]
        parts: dict[str, list[str]] = {}
        for name, artefact in there:
            parts.setdefault(artefact.digest, []).append(name)
        return {", ".join(parts[artefact.digest]): artefact for _, artefact in there}

    def in_colours_of_source(self) -> Line:
        """The same line, of which pictures and curves are drawn in the colours that the legend tells.

        What stages drew tells its own, and so it is with artefacts of other classes.
        """
        ours, drawn = self.source.classes, ("rendered", "labelled", "model")
        there: dict[str, Any] = {name: one for name in drawn if (one := getattr(self, name))}
        alike = {name: one for name, one in there.items() if one.classes.names == ours.names}
        painted = {name: replace(one, header=replace(one.header, classes=ours)) for name, one in alike.items()}
        return replace(self, **painted)


def page(line: Line, *, title: str, seed: int, examples: int) -> bytes:
    """The page as HTML."""
    line = line.in_colours_of_source()
    labelled = len(sections.with_classes(line.labelled)) if line.labelled else 0
    found = [
        sections.renders(line.rendered, seed=seed, examples=examples),
        sections.adaptation(line.rendered, line.adapted, line.source, seed=seed, examples=examples),
        calibration(line.calibration, seed=seed, examples=examples),
        sections.labels(line.labelled, labelled, seed=seed, examples=examples),
        measures.audit(line.audit, seed=seed, examples=examples),
        measures.training(line.model),
        measures.measurement(line.evaluation, line.comparison, seed=seed, examples=examples),
        gallery.uncertainty(line.queue, line.source, examples=examples),
    ]
    return layout.render(
        "report.html",
        title=title,
        facts=facts(line, labelled),
        legend=_legend(line.source.classes),
        ignored=VOID,
        sections=[section for section in found if section],
        cards=gallery.cards(line.queue, line.source),
        queue_table=gallery.table(line.queue, line.source),
        issues=sections.issues(line.artefacts()),
        provenance=[_provenance(name, artefact) for name, artefact in line.artefacts().items()],
    )


def facts(line: Line, labelled: int) -> list[tuple[str, str, str]]:
    """The run in a few figures: (value, name, note); of ``labelled`` images some pixel has a class."""
    items = line.queue.items
    images = many(len({item.sample_id for item in items}), "image")
    found = [(str(len(items)), "region to look at" if len(items) == 1 else "regions to look at", f"in {images}")]
    if line.evaluation:
        ours, *others = measures.score_rows(line.evaluation, line.comparison)
        scored = [row for row in others if row.get("miou") is not None]
        note = "; ".join(f"{row['name']} {percent(row['miou'])}" for row in scored[:2])
        found.insert(0, (percent(ours["miou"]), "mIoU", note) if ours.get("miou") is not None else ("–", "mIoU", note))
    if line.rendered:
        found.append((f"{len(line.rendered.samples):,}", "images rendered", "with exact masks"))
    if line.labelled:
        found.append((f"{labelled:,}", "images labelled", f"of {len(line.labelled.samples):,}"))
    return found


def _legend(classes: ClassList) -> list[tuple[str, tuple[int, int, int]]]:
    return list(zip(classes.names, classes.colours, strict=True))


def _provenance(name: str, artefact: Artefact) -> dict[str, Any]:
    header = artefact.header
    identity = header.identity
    details = {"config": identity.config, "inputs": identity.inputs, "figures": header.figures}
    return {
        "name": name,
        "stage": identity.stage,
        "kind": str(header.kind),
        "seed": identity.seed,
        "digest": header.digest,
        "code": identity.code,
        "libraries": header.libraries,
        "details": json.dumps(details, indent=1, sort_keys=True, ensure_ascii=False),
    }
