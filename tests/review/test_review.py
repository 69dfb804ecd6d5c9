"""The annotator's folder and the page: complete, self-contained, the same twice, and fine with whatever is absent."""

from __future__ import annotations

import csv
import json
import re
import shutil
from codecs import BOM_UTF8
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from factory.core.artefact import HEADER, Kind, Report
from factory.core.classes import ClassList
from factory.core.dataset import Dataset
from factory.core.errors import ArtefactError, ConfigError
from factory.core.queue import Queue
from factory.core.sample import Domain, Hints, Origin, Supervision
from factory.exchange.cvat import Cvat, read_classes
from factory.exchange.labelme import LabelMe
from factory.review.corrections import Rules
from factory.stages import merge, review
from tests import artefacts
from tests.artefacts import CLASSES

MASK = np.kron(np.array([[0, 1, 1, 0], [255, 1, 2, 2], [0, 0, 2, 0]], np.uint8), np.ones((8, 8), np.uint8))
REGIONS = np.kron(np.array([[0, 7, 0, 0], [0, 7, 9, 0], [0, 0, 0, 0]], np.uint16), np.ones((8, 8), np.uint16))
PROPOSAL = np.where(MASK == 255, 0, MASK).astype(np.uint8)
IOU = {"background": 0.8, "coin": 1.0, "wood & <cloth>": None}
HISTORY = [
    {
        "step": k,
        "train_loss": 1 / k,
        "val_miou": None if k % 2 else 0.1 * k,
        "val_f1": None,
        "val_iou": None if k % 2 else {**IOU, "coin": None if k == 4 else 0.1 * k},
        "lr": 1e-3,
    }
    for k in range(1, 7)
]
ROW = {"name": "ours", "miou": 0.9, "pixel_accuracy": 0.95, "f1": 0.94, "boundary_iou": 0.313, "iou": IOU}
DETAILED = {
    **ROW,
    "by_class": {
        name: {"iou": iou, "boundary_iou": iou, "f1": iou, "precision": None, "recall": iou, "pixels": 3000}
        for name, iou in sorted(IOU.items(), reverse=True)
    },
}
VOID = {"area", "base", "br", "hr", "img", "input", "link", "meta", "line", "circle", "polyline"}


class Page(HTMLParser):
    """Checks nesting, and collects ids, links and what would be fetched."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: dict[str, list[str]] = {"id": [], "href": [], "src": [], "alt": []}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        for name, value in attrs:
            self.seen.setdefault(name, []).append(value or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Nothing stays open."""

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost element, which must be this one."""
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Every artefact of a small run; sealed, so that tests can share it."""
    tmp_path = tmp_path_factory.mktemp("line")
    hints = Hints(points=((3, 4, 0), (12, 5, 1)), boxes=((8, 0, 24, 16, 1),), tags=(0, 1))
    labelled = artefacts.dataset(tmp_path / "label", {"a": MASK, "b": MASK}, hints=hints)
    exact = {"domain": Domain.SYNTHETIC, "supervision": Supervision.EXACT, "origin": Origin.EXACT}
    sheet = artefacts.photograph((24, 96), 5)
    return {
        "source": labelled,
        "queue": artefacts.queue(tmp_path / "queue", {"b": (REGIONS, PROPOSAL), "a": (REGIONS, PROPOSAL)}),
        "rendered": artefacts.dataset(tmp_path / "render", {"s1": PROPOSAL, "s2": PROPOSAL, "s3": PROPOSAL}, **exact),
        "adapted": artefacts.dataset(tmp_path / "adapt", {"s1": PROPOSAL, "s2": PROPOSAL, "s3": PROPOSAL}, **exact),
        "labelled": labelled,
        "model": artefacts.model(tmp_path / "train", HISTORY),
        "evaluation": artefacts.report(
            tmp_path / "eval", {"name": "photo", "rows": [DETAILED]}, {"pictures/a.png": sheet, "confusion.png": sheet}
        ),
        "calibration": artefacts.report(
            tmp_path / "calibrate", CALIBRATED, {"pictures/a.png": sheet}, name="calibration.json"
        ),
        "audit": artefacts.report(
            tmp_path / "audit",
            {"name": "twenty clicks", "split": "train", "rows": [{**DETAILED, "coverage": 0.625, "ece": 0.041}]},
            {"pictures/b.png": sheet},
        ),
        "comparison": artefacts.report(tmp_path / "peer", {"name": "plain", "rows": [{**ROW, "miou": 0.7}]}),
    }


CALIBRATED = {
    "calibration": {
        "labeler": "points", "refiner": "dense_crf", "settings": {"labeler.area": 41}, "refused": True,
        "curve": np.linspace(0.2, 0.9, 256).tolist(),
    },
    "pictures": 24, "miou": 0.531, "miou_interval": [0.5, 0.56], "gain": -0.021, "gain_interval": [-0.03, -0.01],
    "ece": 0.012, "ece_as_stated": 0.2,
}  # fmt: skip


def reviewed(target: Path, line: dict[str, Any], *, title: str = "Coins", examples: int = 2) -> Report:
    """The report `review` makes."""
    optional = "rendered", "adapted", "labelled", "audit", "model", "evaluation", "calibration", "comparison"
    absent = dict.fromkeys(optional)
    with artefacts.written(target, Kind.REPORT) as out:
        review.run(**{**absent, **line}, out=out, seed=0, title=title, examples=examples)
    return Report.open(target)


def page(report: Report) -> str:
    """Its page."""
    return report.path("index.html").read_text()


def test_the_page_tells_what_weak_labels_are_worth_and_that_a_refiner_was_refused(tmp_path, line) -> None:
    """Expected figures with their interval, the settings found, confidence before and after."""
    text = " ".join(page(reviewed(tmp_path / "review", line)).split())
    assert "reach a mean IoU of 53.1 % (95 % between 50.0 % and 56.0 %), measured on 24 pictures" in text
    assert "had no part in the search, though in what was refused after it." in text
    assert "The refiner dense_crf was refused: it changes the mean IoU by -2.1 points (-3.0 to -1.0)" in text
    assert "Confidence is off by 1.2 % on average (ECE); as first stated, by 20.0 %" in text
    assert "labeler.area" in text
    assert "Labels for a" in text


def test_of_one_photograph_the_page_tells_no_interval(tmp_path, line) -> None:
    """Of the mean IoU as of the gain."""
    stated = CALIBRATED | {"miou_interval": None, "gain_interval": None}
    alone = artefacts.report(tmp_path / "calibration", stated, name="calibration.json")
    text = " ".join(page(reviewed(tmp_path / "review", line | {"calibration": alone})).split())
    assert "a mean IoU of 53.1 % (of one photograph: no interval)" in text
    assert "by -2.1 points (of one photograph: no interval)" in text


def test_the_page_tells_of_a_curve_that_was_refused_and_of_no_refiner(tmp_path, line) -> None:
    """Instead of the same error twice, and of what argmax is worth beside itself."""
    stated = CALIBRATED | {"ece": 0.083, "ece_as_stated": 0.083, "curve_ece": 0.099, "gain": 0.0}
    stated |= {"calibration": CALIBRATED["calibration"] | {"refiner": "argmax", "refused": False, "pooled": [{}, {}]}}
    report = artefacts.report(tmp_path / "calibration", stated, name="calibration.json")
    text = " ".join(page(reviewed(tmp_path / "review", line | {"calibration": report})).split())
    assert "Labelers of the 3 best settings are pooled" in text
    assert "No refiner is asked. Confidence stays as stated, off by 8.3 % on average (ECE): " in text
    assert "with the curve fitted, by 9.9 %." in text


def test_the_page_tells_how_good_the_labels_are_where_the_truth_is_known(tmp_path, line) -> None:
    """Coverage and calibration error stand beside the scores; what was not measured has no column."""
    text = page(reviewed(tmp_path / "review", line))
    told = text[text.index('<section id="audit"') :]
    told = told[: told.index("</section>")]
    for said in ("Measured on the train split: twenty clicks.", "Coverage", "62.5 %", "ECE", "4.1 %", "Labels for b"):
        assert said in told
    measured = text[text.index('<section id="measurement"') :]
    assert "Coverage" not in measured[: measured.index("</section>")]


def test_a_narrow_page_keeps_every_title(tmp_path: Path, line: dict[str, Any]) -> None:
    """Only the second copy of what stands above pictures is ever hidden; titles of wide tables do not scroll away."""
    text = page(reviewed(tmp_path / "review", line))
    style = text[text.index("<style>") : text.index("</style>")]
    hidden = re.findall(r"([^{}]*)\{ display: none; \}", style)
    assert [where.strip() for where in hidden if ".heads" in where] == [".dense .heads + .heads"]
    assert text.count("<caption>") == text.count("<caption><span>") + 1, "that of the artefacts is one word"


def test_everything_is_drawn_in_the_colours_that_the_legend_tells(tmp_path: Path, line: dict[str, Any]) -> None:
    """Scene packs have colours of their own, and so has a model that learnt from their renders."""
    others = ClassList.of(CLASSES.names, [[9, 9, 9], [99, 9, 9], [9, 99, 9]])
    apart = {}
    for name in ("rendered", "labelled", "model"):
        shutil.copytree(line[name].root, tmp_path / name)
        header = json.loads((tmp_path / name / HEADER).read_text())
        header["classes"]["colours"] = others.colours
        (tmp_path / name / HEADER).write_text(json.dumps(header))
        apart[name] = type(line[name]).open(tmp_path / name)
        assert apart[name].classes == others
    assert page(reviewed(tmp_path / "other", line | apart)) == page(reviewed(tmp_path / "review", line))


def test_the_page_is_well_formed_and_fetches_nothing(tmp_path: Path, line: dict[str, Any]) -> None:
    """Every element is closed, every picture is inline and described, every link leads to a place on the page."""
    text = page(reviewed(tmp_path / "review", line))
    found = Page(text)
    assert not found.open
    assert all(uri.startswith("data:image/") for uri in found.seen["src"])
    assert {link.removeprefix("#") for link in found.seen["href"]} <= set(found.seen["id"])
    assert len(found.seen["id"]) == len(set(found.seen["id"]))
    assert found.seen["alt"].count("") == 1
    assert not re.search(r"https?://|url\(|@import", text)
    assert "default-src 'none'" in text


def test_the_page_shows_every_stage(tmp_path: Path, line: dict[str, Any]) -> None:
    """Renders to queue, with figures, reasons, issues, digests and pixel origins."""
    text = page(reviewed(tmp_path / "review", line))
    sections = re.findall(r'<section id="([^"]+)"', text)
    stages = [
        "renders",
        "adaptation",
        "calibration",
        "labels",
        "audit",
        "training",
        "measurement",
        "uncertainty",
        "queue",
        "provenance",
    ]
    assert sections == stages
    for said in (
        "90.0 %",
        "ours (plain)",
        "ours (photo)",
        "torn between",
        "pseudo-label",
        "wood &amp; &lt;cloth&gt;",
        "2 points",
        "2 regions, the first ranked 1",
        "<span>Hints, confidence (bright is sure), truth, dense mask, errors (green is right, red wrong, blue",
        "<span>Hints, confidence (bright is sure), truth, labels, errors (green is right, red wrong, blue",
        "<span>Photograph, truth, prediction, errors (green is right, red wrong, blue unlabelled,",
    ):
        assert said in text
    assert all(artefact.digest in text for artefact in line.values())
    assert text.count('<li class="card"') == 4
    names = re.findall(r'<li class="card" data-class="([^"]+)"', text)
    assert set(names) <= set(re.findall(r'<option value="([^"]+)"', text))


def test_every_class_has_its_curve_its_row_and_the_confusion_is_shown(tmp_path: Path, line: dict[str, Any]) -> None:
    """In the order of the class list; a class that never had a figure has no curve."""
    text = page(reviewed(tmp_path / "review", line))
    curves = re.findall(r'<span class="name" title="([^"]+)">', text)
    assert curves == ["background", "coin"]
    table = text[text.index("<caption><span>By class") :]
    names = re.findall(r'<th scope="row">([^<]+)</th>', table[: table.index("</table>")])
    assert names == ["background", "coin", "wood &amp; &lt;cloth&gt;"]
    assert "31.3 %" in text
    assert "3,000" in table
    assert "What each class was taken for" in text


def test_measurements_of_earlier_versions_are_shown_with_what_they_hold(tmp_path: Path, line: dict[str, Any]) -> None:
    """No figures by class but IoU, no confusion picture, no curves by class."""
    model = artefacts.model(tmp_path / "train", [{k: v for k, v in row.items() if k != "val_iou"} for row in HISTORY])
    old = artefacts.report(tmp_path / "eval", {"name": "photo", "rows": [ROW]})
    absent = {"audit": None, "comparison": None, "model": model, "evaluation": old}
    text = page(reviewed(tmp_path / "review", {**line, **absent}))
    assert not Page(text).open
    assert "<caption><span>IoU by class" in text
    assert "<caption><span>By class" not in text
    assert 'class="small"' not in text


def test_reported_issues_are_shown(tmp_path: Path, line: dict[str, Any]) -> None:
    """With names escaped."""

    def fill(out: Any) -> None:
        artefacts.add_sample(out, "a", MASK)
        artefacts.add_sample(out, "b", MASK)
        out.report("<b>.jpg", "truncated file")

    source = Dataset.open(artefacts.sealed(tmp_path / "ingest", Kind.DATASET, fill))
    text = page(reviewed(tmp_path / "review", {**line, "source": source}))
    assert "&lt;b&gt;.jpg" in text
    assert "source: 1 reported" in text


@pytest.mark.parametrize(
    "absent",
    [
        ["rendered"],
        ["adapted"],
        ["labelled"],
        ["model"],
        ["evaluation"],
        ["calibration"],
        ["comparison"],
        ["everything"],
    ],
)
def test_what_is_absent_is_left_out(absent: list[str], tmp_path: Path, line: dict[str, Any]) -> None:
    """Only queue and source must be there."""
    keep = {"queue", "source"} if absent == ["everything"] else line.keys() - set(absent)
    text = page(reviewed(tmp_path / "review", {name: line[name] for name in line if name in keep}))
    assert not Page(text).open
    assert ">None<" not in text


def test_an_empty_queue_makes_a_page_too(tmp_path: Path, line: dict[str, Any]) -> None:
    """And a folder without images."""
    report = reviewed(tmp_path / "review", {**line, "queue": artefacts.queue(tmp_path / "none", {})})
    assert "The queue is empty" in page(report)
    assert "<image" not in report.path("annotate/annotations.xml").read_text()


def test_the_same_run_gives_the_same_bytes(tmp_path: Path, line: dict[str, Any]) -> None:
    """Wherever it is written; another seed shows other examples."""
    first, second = (reviewed(tmp_path / name, line, examples=1) for name in ("one", "two"))
    assert first.digest == second.digest
    assert str(tmp_path) not in page(first)


def test_the_proposal_comes_back_as_it_was(tmp_path: Path, line: dict[str, Any]) -> None:
    """Image by image, the most urgent first, with the class list in the file."""
    report = reviewed(tmp_path / "review", line)
    entries = list(Cvat().read(report.path("annotate/annotations.xml")))
    assert [entry.name for entry in entries] == ["b.png", "a.png"]
    assert all(np.array_equal(PROPOSAL, entry.mask(CLASSES, PROPOSAL.shape)) for entry in entries)
    assert read_classes(report.path("annotate/annotations.xml")) == CLASSES
    labels = json.loads(report.path("annotate/labels.json").read_text())
    assert [label["name"] for label in labels] == list(CLASSES.names)
    assert report.path("annotate/labels.txt").read_text().splitlines() == list(CLASSES.names)
    for drawn in LabelMe().read(report.path("annotate/labelme")):
        assert np.array_equal(PROPOSAL, drawn.mask(CLASSES, PROPOSAL.shape))
        assert (drawn.path.parent / json.loads(drawn.path.read_text())["imagePath"]).is_file()


def test_the_folder_holds_what_an_annotator_needs(tmp_path: Path, line: dict[str, Any]) -> None:
    """The images themselves, overlays large enough to read, every region with its reason, and what to do."""
    folder = reviewed(tmp_path / "review", line).path("annotate")
    source: Dataset = line["source"]
    assert source.path("images/a.png").read_bytes() == (folder / "images/a.png").read_bytes()
    with Image.open(folder / "overlays/a.png") as overlay:
        assert max(overlay.size) >= 640
    assert (folder / "queue.csv").read_bytes().startswith(BOM_UTF8), "without it Excel does not read UTF-8"
    rows = list(csv.DictReader((folder / "queue.csv").read_text("utf-8-sig").splitlines()))
    assert [" ".join(list(row.values())[:3]) for row in rows][:2] == ["1 b.png 7", "2 b.png 9"]
    assert "factory merge" in (folder / "README.txt").read_text()


def test_a_correction_of_the_folder_merges(tmp_path: Path, line: dict[str, Any]) -> None:
    """The way there and back: the model's proposal, one coin repainted as wood, into the next data set."""
    report, source, queue = reviewed(tmp_path / "review", line), line["source"], line["queue"]
    text = report.path("annotate/annotations.xml").read_text()
    (tmp_path / "back.xml").write_text(text.replace('label="coin"', 'label="wood &amp; &lt;cloth&gt;"'))
    with artefacts.written(tmp_path / "merged") as out:
        merge.run(
            source=source,
            corrections=tmp_path / "back.xml",
            queue=queue,
            out=out,
            codec=Cvat(),
            rules=Rules(unchanged="image"),
            strict=True,
        )
    merged = Dataset.open(tmp_path / "merged")
    assert merged.figures["queue_precision"] == 0.5
    expected = np.where(PROPOSAL == 1, 2, np.where(REGIONS > 0, PROPOSAL, MASK))
    assert np.array_equal(expected, merged.mask(merged.samples[0]))


def test_a_queue_of_other_images_or_classes_is_refused(tmp_path: Path, line: dict[str, Any]) -> None:
    """With the ids, or both class lists, in the message."""
    stranger = artefacts.queue(tmp_path / "stranger", {"z": (REGIONS, PROPOSAL)})
    with pytest.raises(ArtefactError, match="images the data set lacks"):
        reviewed(tmp_path / "one", {**line, "queue": stranger})
    other = artefacts.sealed(tmp_path / "other", Kind.QUEUE, lambda _: None, ClassList.of(["sky"]))
    with pytest.raises(ArtefactError, match="class lists"):
        reviewed(tmp_path / "two", {**line, "queue": Queue.open(other)})
    with pytest.raises(ConfigError, match="examples"):
        reviewed(tmp_path / "three", line, examples=0)


@pytest.mark.parametrize(("name", "given"), [("evaluation", "calibration"), ("calibration", "audit")])
def test_a_report_of_another_stage_is_told_before_anything_is_made(tmp_path: Path, line, name: str, given: str) -> None:
    """As what it is, so that the corrected command finds its place empty."""
    with pytest.raises(ArtefactError, match="it holds no") as caught:
        reviewed(tmp_path / "review", {**line, name: line[given]})
    assert line[given].header.identity.stage in caught.value.got
    assert not list(tmp_path.rglob("annotate"))
