"""The page's sections as data: what each stage left behind, in pictures, curves and tables. The template only lays out.

Every function returns None where there is nothing to show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from factory.core import masks, seeds
from factory.core.artefact import Artefact
from factory.core.classes import IGNORE, ClassList
from factory.core.dataset import Dataset
from factory.core.sample import Domain, Origin, Sample, Split, Supervision
from factory.core.spread import spread
from factory.core.words import many
from factory.review import pictures
from factory.review.charts import Chart
from factory.review.pictures import Picture

COUNTED = 400
"""Pixel origins are counted over at most this many images, evenly spread: a share needs no more."""


@dataclass(frozen=True, kw_only=True)
class Strip:
    """One example: its id, a line about it, and one picture a column."""

    name: str
    note: str
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, kw_only=True)
class Table:
    """Text cells. With ``bars`` numbers are shares of 1 drawn as bars; ours: the first of `rows`, `columns`, or all."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    bars: str = ""


@dataclass(frozen=True, kw_only=True)
class Shares:
    """Parts of a whole, as (name, share of 1, RGB)."""

    title: str
    parts: tuple[tuple[str, float, tuple[int, int, int]], ...]


@dataclass(frozen=True, kw_only=True)
class ClassCurve:
    """How one class fared, in a drawing and in its last figure."""

    name: str
    colour: tuple[int, int, int]
    last: float | None
    svg: Markup


@dataclass(frozen=True, kw_only=True)
class Section:
    """A heading with what belongs under it. ``dense`` strips stand two in a row where there is room."""

    key: str
    title: str
    lead: str
    columns: tuple[str, ...] = ()
    dense: bool = False
    strips: tuple[Strip, ...] = ()
    charts: tuple[Chart, ...] = ()
    class_curves: tuple[ClassCurve, ...] = ()
    drawings: tuple[Picture, ...] = ()
    tables: tuple[Table, ...] = ()
    shares: tuple[Shares, ...] = ()


def renders(rendered: Dataset | None, *, seed: int, examples: int) -> Section | None:
    """Synthetic images with the masks they were rendered with."""
    if rendered is None or not (there := [sample for sample in rendered.samples if sample.mask]):
        return None
    strips = []
    for sample in chosen(there, seed, "renders", examples):
        image, mask_hw = rendered.image(sample), rendered.mask(sample)
        strips.append(
            Strip(
                name=sample.id,
                note=_contents(mask_hw, rendered.classes),
                pictures=(
                    pictures.photo(image, f"Rendered image {sample.id}"),
                    pictures.photo(masks.overlay(image, mask_hw, rendered.classes), f"{sample.id} with its mask"),
                    pictures.flat(masks.colour(mask_hw, rendered.classes), f"Mask of {sample.id}"),
                ),
            )
        )
    lead = f"{many(len(rendered.samples), 'synthetic image')}. Their masks come from the renderer and are exact."
    columns = ("Image", "Mask over image", "Mask")
    return Section(
        key="renders",
        title="Renders",
        lead=lead,
        columns=columns,
        dense=True,
        strips=tuple(strips),
        tables=render_tables(rendered.header.figures),
        shares=(class_shares(rendered, there),),
    )


def render_tables(figures: Mapping[str, Any]) -> tuple[Table, ...]:
    """Quotas with what was reached, and what rendering cost."""
    named = {
        "frames": "pictures kept",
        "quotas_met": "quotas met",
        "proposals": "scenes looked at with one sample",
        "acceptance": "share of them that was rendered",
        "audited": "pictures whose masks were made twice",
        "left_out": "pictures left out",
    }
    costs = tuple((title, figures[key]) for key, title in named.items() if key in figures)
    quotas = tuple(
        (row["wish"], row["target"], row["reached"], "yes" if row["met"] else "no", row["seen_in"])
        for row in figures.get("quota", ())
    )
    head = ("Quota", "Target", "Reached", "Met", "Scenes that show the class")
    tables = [Table(title="Quotas", head=head, rows=quotas)] if quotas else []
    return (*tables, *([Table(title="Rendering", head=("What", "How often"), rows=costs)] if costs else []))


def adaptation(
    rendered: Dataset | None, adapted: Dataset | None, source: Dataset, *, seed: int, examples: int
) -> Section | None:
    """The same renders before and after adaptation, beside a real image."""
    if rendered is None or adapted is None:
        return None
    after = {sample.id: sample for sample in adapted.samples}
    shared = [sample for sample in rendered.samples if sample.id in after]
    real = chosen(source.where(domain=Domain.REAL), seed, "looks", examples)
    strips = []
    for k, sample in enumerate(chosen(shared, seed, "renders", examples)):
        row = [
            pictures.photo(rendered.image(sample), f"{sample.id} as rendered"),
            pictures.photo(adapted.image(after[sample.id]), f"{sample.id} after adaptation"),
        ]
        if real:
            look = real[k % len(real)]
            row.append(pictures.photo(source.image(look), f"Real image {look.id}"))
        strips.append(Strip(name=sample.id, note="", pictures=tuple(row)))
    if not strips:
        return None
    lead = "Renders moved towards the look of the real images. Masks stay as they are, byte for byte."
    columns = ("As rendered", "Adapted", "A real image")[: len(strips[0].pictures)]
    return Section(key="adaptation", title="Adaptation", lead=lead, columns=columns, dense=True, strips=tuple(strips))


def with_classes(data: Dataset) -> list[Sample]:
    """The samples of which some pixel has a class; a mask may be there and ignored throughout.

    Labelling notes how much it covers; what people painted since, and what other stages made, is looked up.
    """

    def known(sample: Sample) -> bool:
        noted = sample.provenance.get("coverage") if sample.supervision == Supervision.PSEUDO else None
        return bool((data.mask(sample) != IGNORE).any() if noted is None else noted)

    return [sample for sample in data.samples if sample.mask and known(sample)]


def labels(labelled: Dataset | None, counted: int, *, seed: int, examples: int) -> Section | None:
    """Hints and the dense masks made of them, with confidence and origin; ``counted`` images have a labelled pixel."""
    if labelled is None or not (there := [sample for sample in labelled.samples if sample.mask]):
        return None
    hinted = [sample for sample in there if sample.hints.as_json()]
    strips = [_labelled_strip(labelled, sample) for sample in chosen(hinted or there, seed, "labels", examples)]
    lead = (
        f"Images with labels: {counted} of {len(labelled.samples)}. "
        "Pixels nobody vouches for stay ignored: the model does not learn from them."
    )
    shares = (origin_shares(labelled, there), class_shares(labelled, there))
    columns = ("Hints", "Dense mask", "Confidence (bright is sure)", "Origin")
    return Section(key="labels", title="Dense labels", lead=lead, columns=columns, strips=tuple(strips), shares=shares)


def chosen(samples: Sequence[Sample], seed: int, what: str, count: int) -> list[Sample]:
    """``count`` examples in id order, drawn for this purpose; training images before others."""
    trained = [sample for sample in samples if sample.split == Split.TRAIN]
    pool = trained if len(trained) >= count else list(samples)
    picks = seeds.generator(seed, "review", what).permutation(len(pool))[:count]
    return [pool[k] for k in sorted(picks.tolist())]


def origin_shares(data: Dataset, samples: Sequence[Sample]) -> Shares:
    """Where the pixels' classes come from."""
    counts = np.zeros(256, np.int64)
    for sample in (some := spread([sample for sample in samples if sample.source], COUNTED)):
        counts += np.bincount(data.map(sample, "source").ravel(), minlength=256)
    names = {Origin.NONE: "nobody vouches", Origin.EXACT: "exact", Origin.HINT: "given hint"}
    names |= {Origin.PSEUDO: "pseudo-label", Origin.HUMAN: "human"}
    total = max(1, int(counts.sum()))
    parts = tuple(
        (names[origin], int(counts[origin]) / total, pictures.ORIGIN_COLOURS[origin])
        for origin in Origin
        if counts[origin]
    )
    return Shares(title=f"Origin of the pixels{_over(some, samples)}", parts=parts)


def class_shares(data: Dataset, samples: Sequence[Sample]) -> Shares:
    """How the vouched-for pixels divide among classes."""
    counts = np.zeros(256, np.int64)
    for sample in (some := spread(samples, COUNTED)):
        counts += np.bincount(data.mask(sample).ravel(), minlength=256)
    total = max(1, int(counts[: len(data.classes)].sum()))
    rows = zip(data.classes.names, counts, data.classes.colours, strict=False)
    parts = tuple((name, int(count) / total, colour) for name, count, colour in rows if count)
    return Shares(title=f"Classes{_over(some, samples)}", parts=parts)


def issues(artefacts: dict[str, Artefact]) -> Section | None:
    """What each stage left out or wants looked at."""
    tables = tuple(
        Table(
            title=f"{name}: {len(artefact.header.issues)} reported",
            head=("Where", "Reason"),
            rows=tuple((issue["where"], issue["reason"]) for issue in artefact.header.issues[:500]),
        )
        for name, artefact in artefacts.items()
        if artefact.header.issues
    )
    lead = "What was left out, and why. The run went on without it."
    return Section(key="issues", title="Reported issues", lead=lead, tables=tables) if tables else None


def _labelled_strip(data: Dataset, sample: Sample) -> Strip:
    image, mask_hw = data.image(sample), data.mask(sample)
    scribbles = masks.read_png(data.path(sample.hints.scribbles)) if sample.hints.scribbles else None
    drawn = pictures.with_hints(
        image, sample.hints, data.classes, scribbles if scribbles is None else scribbles.astype(np.uint8)
    )
    row = [
        pictures.photo(drawn, f"{sample.id} with its hints"),
        pictures.photo(masks.overlay(image, mask_hw, data.classes), f"{sample.id} with its dense mask"),
    ]
    if sample.confidence:
        confidence = data.map(sample, "confidence").astype(np.uint8)
        row.append(pictures.flat(pictures.heat(confidence), f"Confidence of {sample.id}, bright is sure"))
    if sample.source:
        origin = pictures.origins(data.map(sample, "source").astype(np.uint8))
        row.append(pictures.flat(origin, f"Origin of each pixel of {sample.id}"))
    return Strip(name=sample.id, note=_hints_in_words(sample), pictures=tuple(row))


SINGULAR = {"points": "point", "boxes": "box", "tags": "tag", "classes denied": "class denied"}


def _hints_in_words(sample: Sample) -> str:
    hints = sample.hints
    counted = {"points": len(hints.points), "boxes": len(hints.boxes), "tags": len(hints.tags)}
    counted |= {"classes denied": len(hints.absent)}
    words = [f"{count} {name if count > 1 else SINGULAR[name]}" for name, count in counted.items() if count]
    words += [name for name in ("scribbles", "masks") if getattr(hints, name)]
    return ", ".join(words) or "no hints"


def _contents(mask_hw: pictures.Image8, classes: ClassList) -> str:
    counts = np.bincount(mask_hw.ravel(), minlength=256)[: len(classes)] / mask_hw.size
    return ", ".join(f"{name} {share:.0%}" for name, share in zip(classes.names, counts, strict=True) if share >= 0.005)


def _over(some: Sequence[Sample], everything: Sequence[Sample]) -> str:
    return f" ({len(some)} of {len(everything)} images)" if len(some) < len(everything) else ""
