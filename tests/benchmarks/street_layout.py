"""How far rendered streets are laid out like CamVid's: class shares, and where in the picture each class is.

``python -m tests.benchmarks.street_layout <rendered> <annotations>`` prints two markdown tables: class shares with the
distances, and each class's share of each horizontal band. ``<rendered>`` is an artefact of ``factory render`` or a
folder of label PNGs, ``<annotations>`` CamVid's folder of label PNGs. Pixels of ids beyond the classes (CamVid's void)
are left out of both. Every picture counts alike, whatever its size.

Both distances lie between 0 (alike) and 1 (nothing in common):

* of the class shares, total variation: the share of pixels that would have to change class;
* of the layout, the Jensen-Shannon distance (the square root of the divergence, logarithm to base 2) of the joint
  distributions of class and horizontal band.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from scenes.street.classes import CLASSES

Array = npt.NDArray[Any]

BANDS = 12


def layout(masks: Iterable[Array], *, classes: int, bands: int = BANDS) -> Array:
    """Share of each band and class (bands, classes) in all pixels of a known class, averaged over the pictures."""
    total, number = np.zeros((bands, classes)), 0
    for mask in masks:
        found = np.stack([_counts(rows, classes) for rows in np.array_split(mask, bands)])
        total, number = total + found / max(found.sum(), 1), number + 1
    if not number:
        raise ValueError("no masks: expected label PNGs")
    return total / number


def total_variation(first: Array, second: Array) -> float:
    """Half of the summed differences of two distributions: 0 alike, 1 disjoint."""
    return float(np.abs(first - second).sum() / 2)


def jensen_shannon(first: Array, second: Array) -> float:
    """Square root of the Jensen-Shannon divergence to base 2 of two distributions: 0 alike, 1 disjoint."""
    middle = (first + second) / 2
    divergence = (_divergence(first, middle) + _divergence(second, middle)) / 2
    return float(np.sqrt(max(divergence, 0.0)))


def table(rendered: Array, real: Array, names: list[str]) -> str:
    """Both distances and both sets' class shares as markdown."""
    shares = rendered.sum(0), real.sum(0)
    rows = [f"| {name} | {100 * a:.2f} | {100 * b:.2f} |" for name, a, b in zip(names, *shares, strict=True)]
    distances = [
        f"| distance of shares (total variation) | {total_variation(*shares):.3f} | |",
        f"| distance of layout (Jensen-Shannon, {len(real)} bands) | {jensen_shannon(rendered, real):.3f} | |",
    ]
    return "\n".join(["| class, % of pixels | rendered | CamVid |", "|---|---|---|", *rows, *distances])


def band_table(rendered: Array, real: Array, names: list[str]) -> str:
    """Each class's share of each horizontal band, top to bottom, rendered and real, as markdown."""
    shares = [100 * part / np.maximum(part.sum(1, keepdims=True), 1e-12) for part in (rendered, real)]
    rows = [
        f"| {band + 1} | " + " | ".join(f"{ours:.0f} / {theirs:.0f}" for ours, theirs in zip(*pair, strict=True)) + " |"
        for band, pair in enumerate(zip(*shares, strict=True))
    ]
    return "\n".join([f"| band | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|", *rows])


def masks_of(folder: Path) -> list[Path]:
    """Label PNGs of an artefact or of a plain folder."""
    inner = folder / "masks" if (folder / "artefact.json").is_file() else folder
    return sorted(inner.rglob("*.png"))


def _counts(rows: Array, classes: int) -> Array:
    return np.bincount(rows.ravel(), minlength=256)[:classes].astype(np.float64)


def _divergence(first: Array, second: Array) -> float:
    """Kullback-Leibler divergence in bits."""
    there = first > 0
    return float((first[there] * np.log2(first[there] / second[there])).sum())


def main(rendered: str, annotations: str) -> None:
    """Print the table of two folders."""
    names = [name for name, _ in CLASSES]
    ours, theirs = (
        layout((np.asarray(Image.open(path)) for path in masks_of(Path(folder))), classes=len(names))
        for folder in (rendered, annotations)
    )
    print(table(ours, theirs, names), band_table(ours, theirs, names), sep="\n\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
