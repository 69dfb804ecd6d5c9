"""The page's counts and shares are those of the pixels."""

from __future__ import annotations

import base64
import csv
import dataclasses
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from factory.core.artefact import Kind
from factory.core.classes import IGNORE
from factory.core.dataset import Dataset
from factory.core.queue import Example, Queue, QueueItem, write_items, write_maps
from factory.core.sample import Hints, Split, Supervision
from factory.review import gallery, report, sections
from factory.review.queue import overlay, pack
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
    assert '<span class="swatch" style="background:#e0e0c0"></span><i>ignored</i>' in text
    void = Line(queue=line.queue, source=data, rendered=noted(tmp_path / "void", {"a": (BARE, {})}))
    assert 'class="stack"' in text
    assert 'class="stack"' not in report.page(void, title="run", seed=0, examples=1).decode(), "no bar of nothing"
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


def test_a_card_says_what_else_a_region_may_be_and_its_share_of_the_picture(tmp_path: Path, monkeypatch) -> None:
    """The first alternative is what it is taken for; of many regions the first are shown and listed."""
    data = noted(tmp_path / "data", {"a": (MASK, {})})
    region = QueueItem(
        rank=1, sample_id="a", region=1, box=(0, 0, 2, 1), pixels=2, class_id=1, score=0.5, scores={}, reason="why",
        alternatives=((1, 0.6), (0, 0.3), (2, 0.1)), border=7, clicks=3, seconds=2.5,
    )  # fmt: skip

    def fill(out: Any) -> None:
        maps = np.zeros(MASK.shape, np.uint8)
        numbers = np.zeros(MASK.shape, np.uint16)
        numbers[0, :2], numbers[0, 2:] = 1, 2
        write_maps(out, "a", regions=numbers, proposal=maps, uncertainty=maps)
        write_items(out, [region, dataclasses.replace(region, rank=2, region=2, box=(2, 0, 4, 1))])

    asked = Queue.open(artefacts.sealed(tmp_path / "queue", Kind.QUEUE, fill))
    first, second = gallery.cards(asked, data)
    assert (first.class_name, first.alternatives) == ("coin", "background 30%, wood & <cloth> 10%")
    assert first.share == second.share == 0.25
    assert first.pictures[0].uri != second.pictures[0].uri, "each has its own region outlined"
    assert gallery.table(asked, data).title == "Every region"
    with artefacts.written(tmp_path / "pack", Kind.REPORT) as out:
        pack(asked, data, out, "annotate")
    row, _ = csv.DictReader((tmp_path / "pack/annotate/queue.csv").read_text("utf-8-sig").splitlines())
    assert row["alternatives"] == "coin 60%; background 30%; wood & <cloth> 10%"
    assert [row[name] for name in ("x1", "border", "clicks", "seconds", "taken")] == ["2", "7", "3", "2.5", ""]
    monkeypatch.setattr(gallery, "CARDS", 1)
    monkeypatch.setattr(gallery, "ROWS", 1)
    assert [card.rank for card in gallery.cards(asked, data)] == [1]
    assert (gallery.table(asked, data).title, len(gallery.table(asked, data).rows)) == ("The first 1 regions", 1)


def test_a_known_pixel_at_the_edge_is_shown_in_as_much_of_its_surroundings(tmp_path: Path) -> None:
    """A square, moved into the picture."""
    data = noted(tmp_path / "data", {"a": (np.zeros((12, 12), np.uint8), {})})
    near = Example(data.samples[0].id, 11, 5, 2)
    region = QueueItem(
        rank=1, sample_id="a", region=1, box=(0, 0, 2, 1), pixels=2, class_id=1, score=0.5, scores={}, reason="why",
        nearest=((near, 0.9),),
    )  # fmt: skip

    def fill(out: Any) -> None:
        maps = np.zeros((12, 12), np.uint8)
        write_maps(out, "a", regions=maps.astype(np.uint16) + 1, proposal=maps, uncertainty=maps)
        write_items(out, [region])

    (card,) = gallery.cards(Queue.open(artefacts.sealed(tmp_path / "queue", Kind.QUEUE, fill)), data)
    (nearest,) = card.nearest
    assert nearest.class_name == "wood & <cloth>"
    assert nearest.picture.width == nearest.picture.height


def test_regions_are_numbered_by_their_rank(tmp_path: Path) -> None:
    """As the list of them is: their numbers in the map are nobody's business."""
    data, maps = noted(tmp_path / "data", {"a": (MASK, {})}), np.zeros(MASK.shape, np.uint8)
    numbers = np.repeat(np.array([[1, 2]], np.uint16), 2, axis=0).repeat(2, axis=1)

    def drawn(*order: int) -> np.ndarray:
        items = [
            QueueItem(rank=rank, sample_id="a", region=region, box=(2 * region - 2, 0, 2 * region, 2), pixels=4,
                      class_id=0, score=0.5, scores={}, reason="why")
            for rank, region in enumerate(order, start=1)
        ]  # fmt: skip

        def fill(out: Any) -> None:
            write_maps(out, "a", regions=numbers, proposal=maps, uncertainty=maps)
            write_items(out, items)

        asked = Queue.open(artefacts.sealed(tmp_path / f"queue{order}", Kind.QUEUE, fill))
        return overlay(asked, data, data.samples[0])

    assert (drawn(1, 2) != drawn(2, 1)).any()


def test_training_pictures_are_shown_before_others(tmp_path: Path) -> None:
    """Where there are enough of them."""
    splits = dict(zip("abcdef", (Split.TEST, Split.TRAIN, Split.VAL, Split.TRAIN, Split.TEST, Split.VAL), strict=True))
    data = noted(tmp_path / "data", {name: (MASK, {"split": split}) for name, split in splits.items()})
    for seed in range(5):
        assert [sample.id for sample in sections.chosen(data.samples, seed, "labels", 2)] == ["b", "d"]
    assert len(sections.chosen(data.samples, 0, "labels", 3)) == 3


def test_facts_count_images_once_and_leave_out_peers_without_a_figure(tmp_path: Path) -> None:
    """Two regions of one image; peers may lack the mIoU."""
    data = noted(tmp_path / "data", {"a": (MASK, {})})
    numbers = np.arange(MASK.size, dtype=np.uint16).reshape(MASK.shape) % 3
    asked = artefacts.queue(tmp_path / "queue", {"a": (numbers, np.zeros_like(MASK))})
    rows = [{"name": "ours", "miou": 0.5}, {"name": "void", "miou": None}, {"name": "peer", "miou": 0.25}]
    measured = artefacts.report(tmp_path / "report", {"name": "set", "rows": rows})
    line = Line(queue=asked, source=data, evaluation=measured)
    assert report.facts(line, 0) == [("50.0 %", "mIoU", "peer 25.0 %"), ("2", "regions to look at", "in 1 image")]


def test_pictures_with_hints_are_shown_and_renders_say_what_they_hold(tmp_path: Path) -> None:
    """Before those that nobody said anything of; a class of under half a per cent is not named."""
    rows: dict[str, tuple[np.ndarray, dict[str, Any]]] = {name: (MASK, {}) for name in "abcdef"}
    data = noted(tmp_path / "data", rows | {"d": (MASK, {"hints": Hints(tags=(1,))})})
    found = sections.labels(data, 6, seed=0, examples=1)
    assert found is not None
    assert [strip.name for strip in found.strips] == ["d"]
    speck = np.zeros((20, 20), np.uint8)
    speck[0, 0], speck[1:5] = 1, 2
    shown = sections.renders(noted(tmp_path / "one", {"a": (speck, {})}), seed=0, examples=1)
    assert shown is not None
    assert [strip.note for strip in shown.strips] == ["background 80%, wood & <cloth> 20%"]
    assert shown.lead.startswith("1 synthetic image. ")
