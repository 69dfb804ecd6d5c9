"""The page's counts and shares are those of the pixels."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from factory.core.classes import IGNORE
from factory.core.dataset import Dataset
from factory.core.sample import Hints, Supervision
from factory.review import gallery, report, sections
from factory.review.report import Line
from tests import artefacts
from tests.artefacts import CLASSES

MASK = np.array([[0, 0, 0, 1], [IGNORE] * 4], np.uint8)
BARE = np.full((2, 4), IGNORE, np.uint8)


def noted(target: Path, rows: dict[str, tuple[np.ndarray, dict[str, Any]]]) -> Dataset:
    """Samples with masks, and what else is changed of each."""
    with artefacts.written(target) as out:
        out.classes = CLASSES
        for name, (mask_hw, changes) in rows.items():
            out.add(artefacts.add_sample(out, name, mask_hw).replace(**changes))
    return Dataset.open(target)


def test_images_whose_mask_is_ignored_throughout_are_not_labelled(tmp_path: Path) -> None:
    """As labelling noted, or as the mask shows where it noted nothing or people painted since."""
    rows: dict[str, tuple[np.ndarray, dict[str, Any]]] = {
        "labelled": (MASK, {"provenance": {"coverage": 0.5}}),
        "not": (BARE, {"provenance": {"coverage": 0.0}}),
        "ingested": (MASK, {}),
        "void": (BARE, {}),
        "painted": (MASK, {"provenance": {"coverage": 0.0}, "supervision": Supervision.HUMAN}),
    }
    data = noted(tmp_path / "data", rows)
    assert [sample.id for sample in sections.with_classes(data)] == ["ingested", "labelled", "painted"]
    line = Line(queue=artefacts.queue(tmp_path / "queue", {}), source=data, labelled=data)
    assert ("3", "images labelled", "of 5") in report.facts(line, 3)
    text = report.page(line, title="run", seed=0, examples=1).decode()
    assert "Images with labels: 3 of 5." in text
    assert "<dt>images labelled</dt><dd><strong>3</strong><span>of 5</span>" in text


def test_hints_are_counted_in_words(tmp_path: Path) -> None:
    """One point is no points, and to deny a class is a hint."""
    hints = {"a": Hints(points=((1, 1, 0),), tags=(0, 1)), "b": Hints(absent=(2,))}
    data = noted(tmp_path / "data", {name: (MASK, {"hints": hint}) for name, hint in hints.items()})
    found = sections.labels(data, 1, seed=0, examples=2)
    assert found is not None
    assert [strip.note for strip in found.strips] == ["1 point, 2 tags", "1 class denied"]


def test_shares_are_of_the_pixels_that_have_a_class(tmp_path: Path) -> None:
    """Ignored ones are no part of the whole, though of where pixels come from."""
    data = noted(tmp_path / "data", {"a": (MASK, {})})
    of_class = {name: share for name, share, _ in sections.class_shares(data, data.samples).parts}
    assert of_class == pytest.approx({"background": 0.75, "coin": 0.25})
    of_origin = {name: share for name, share, _ in sections.origin_shares(data, data.samples).parts}
    assert of_origin == pytest.approx({"nobody vouches": 0.5, "pseudo-label": 0.5})


def test_a_picture_with_one_region_says_so(tmp_path: Path) -> None:
    """One region is no regions."""
    data = noted(tmp_path / "data", {"a": (MASK, {})})
    asked = artefacts.queue(tmp_path / "queue", {"a": (np.ones(MASK.shape, np.uint16), np.zeros_like(MASK))})
    found = gallery.uncertainty(asked, data, examples=1)
    assert found is not None
    assert [strip.note for strip in found.strips] == ["1 region, ranked 1"]


def test_regions_of_a_large_picture_are_seen_where_it_is_shown_small(tmp_path: Path) -> None:
    """Their lines on a card, and on the whole picture, are white still when it is scaled down."""
    dark, regions = np.zeros((1280, 1280, 3), np.uint8), np.zeros((1280, 1280), np.uint16)
    regions[300:1000, 300:1000] = 1
    nothing = np.zeros_like(regions, np.uint8)
    with artefacts.written(tmp_path / "data") as out:
        out.classes = CLASSES
        artefacts.add_sample(out, "a", None, image=dark)
    data, asked = Dataset.open(tmp_path / "data"), artefacts.queue(tmp_path / "queue", {"a": (regions, nothing)})
    (card,) = gallery.cards(asked, data)
    found = gallery.uncertainty(asked, data, examples=1)
    assert found is not None
    for shown in (*card.pictures, found.strips[0].pictures[1]):
        with Image.open(io.BytesIO(base64.b64decode(shown.uri.partition(",")[2]))) as opened:
            grey_hw = np.asarray(opened.convert("L"))
        side = len(grey_hw)
        assert grey_hw[side // 3, : side // 3].max() > 200
