"""A trained segmenter becomes files that run without the factory, checked against it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from torch import Tensor

from factory.core import digests
from factory.core.artefact import Model
from factory.core.dataset import Dataset
from factory.core.errors import ArtefactError, ConfigError, FactoryError, WorkerError
from factory.core.sample import Sample, Split
from factory.core.spread import spread
from factory.core.words import many
from factory.core.writer import ReportWriter
from factory.execute.progress import Progress
from factory.execute.threads import threads
from factory.measure.iou import Confusion
from factory.measure.truth import tell_of_guesses
from factory.segment import checkpoint as checkpoints
from factory.segment.checkpoint import Trained
from factory.segment.data import resize_image
from factory.segment.export import export, widest
from factory.segment.footprint import REPEATS, measure
from factory.segment.onnx_model import open_graph
from factory.segment.opening import ONNX, file_of
from factory.segment.parity import Check, Parity, tile_of
from factory.segment.predict import Predictor
from factory.segment.quantise import quantise
from factory.segment.shipped import Shipped
from factory.segment.torchscript import TorchScript, trace

PROGRAM, SCRIPT, INT8 = "model.pt2", "model.torchscript", "model_int8.onnx"
SHORT = {ONNX: "onnx", PROGRAM: "program", SCRIPT: "torchscript", INT8: "int8"}
REAL = 8
"""Pictures of a data set that parity is measured on."""


def run(
    *,
    model: Model | Path,
    source: Dataset | None,
    calibration: Dataset | None,
    out: ReportWriter,
    seed: int,
    checkpoint: str,
    int8: bool,
    calibration_pictures: int,
    split: str,
    tolerance: float,
    footprints: bool,
) -> None:
    """Write `model.onnx`, `model.pt2`, `model.torchscript`, `model_int8.onnx` if ``int8``, and `metrics.json`.

    Probabilities are compared with torch's on noise and on pictures of ``source`` (without it, of ``calibration``):
    beyond ``tolerance`` nothing is written; TorchScript alone is left out with its reason, in the header's issues. How
    far 8 bits depart is stated, not refused. `metrics.json` holds sizes, parities, the sizes of pictures that each file
    takes, and the mIoU on the masked rows of ``split`` in ``source``. Latency and memory are printed if ``footprints``,
    and never stored.
    """
    path = _checkpoint(model, checkpoint)
    trained = checkpoints.load(path, classes=source.classes if source else None)
    rows = _rows(source, split, out)
    look = _look(trained, calibration, calibration_pictures) if int8 else []
    check = Check(
        trained=trained, pictures=_tiles(trained, source or calibration, REAL), tolerance=tolerance, seed=seed
    )
    exported, checked = widest(export, trained, check)
    files = {ONNX: exported.onnx, PROGRAM: exported.program}
    parities = dict(zip(files, checked.values(), strict=True))
    free = dict.fromkeys((ONNX, PROGRAM, INT8), exported.any_size)
    if scripted := _script(trained, check, out):
        files[SCRIPT], parities[SCRIPT], free[SCRIPT] = scripted[0].content, scripted[1], scripted[0].any_size
    runners: dict[str, Trained | Shipped] = {path.name: trained, ONNX: open_graph(exported.onnx, ONNX)}
    if int8:
        files[INT8] = quantise(exported.onnx, look, where=path)
        runners[INT8] = small = open_graph(files[INT8], INT8)
        parities[INT8] = check.on_pictures(small)
    mious = {name: _miou(runner, source, rows, name) for name, runner in runners.items()} if source and rows else {}
    for name, content in files.items():
        out.write(name, content)
    stated = {
        name: {"bytes": len(content), "any_size": free[name], **parities[name].figures()}
        for name, content in files.items()
    }
    _state(out, trained, {"tolerance": tolerance, "files": stated, "miou": mious})
    if footprints:
        _print_footprints([path, *(out.path(name) for name in files)], trained)


def _checkpoint(model: Model | Path, which: str) -> Path:
    path = file_of(model, which)
    if path.suffix != ".ckpt":
        raise ConfigError("only a checkpoint can be exported", where=path, expected="a model artefact, or a .ckpt file")
    return path


def _script(trained: Trained, check: Check, out: ReportWriter) -> tuple[TorchScript, Parity] | None:
    try:
        return widest(trace, trained, check.of_script)
    except FactoryError as error:
        out.report(SCRIPT, error.one_line())
        return None


def _rows(source: Dataset | None, split: str, out: ReportWriter) -> list[Sample]:
    """The masked rows that mIoU is measured on; where there are none, or they are no truth, the report says so."""
    if split not in set(Split):
        raise ConfigError("unknown export.split", got=split, expected=", ".join(Split))
    if source is None:
        return []
    rows = [sample for sample in source.where(split=Split(split)) if sample.mask]
    if not rows:
        out.report(source.root.name, f"no {split} rows with masks: no mIoU")
    tell_of_guesses(rows, source.root.name, out.report)
    for sample in rows:  # one that is damaged is found before anything is exported, not after it
        source.image(sample), source.mask(sample)
    return rows


def _look(trained: Trained, calibration: Dataset | None, count: int) -> list[Tensor]:
    """What activations are measured on: training pictures, for others judge what comes of it. Without any, no INT8."""
    if calibration is None:
        todo = "give inputs.calibration=<data set>, such as the one trained on"
        raise ConfigError("8 bits need pictures to measure activations on", where="int8=true", todo=todo)
    if count < 1:
        raise ConfigError("calibration_pictures is too small", got=count, expected="1 or more")
    if not (tiles := _tiles(trained, calibration, count, Split.TRAIN)):
        raise ArtefactError("the data set to calibrate on has no training pictures", where=calibration.root)
    return tiles


def _tiles(trained: Trained, dataset: Dataset | None, count: int, split: Split | None = None) -> list[Tensor]:
    """The middles of ``count`` pictures, evenly spread, as the segmenter would see them; None: of any split."""
    if dataset is None:
        return []
    samples = spread(dataset.where(split=split), count)
    seen = (resize_image(dataset.image(one), trained.working.of((one.height, one.width))) for one in samples)
    return [tile_of(image_hwc, trained.tile_hw) for image_hwc in seen]


def _miou(runner: Trained | Shipped, source: Dataset, rows: Sequence[Sample], name: str) -> float:
    predictor, confusion = Predictor(trained=runner), Confusion(len(source.classes))
    with Progress(f"mIoU of {name}", len(rows)) as progress:
        for sample in rows:
            confusion.add(source.mask(sample), predictor(source.image(sample)).argmax(axis=0))
            progress.advance()
    return confusion.miou()


def _state(out: ReportWriter, trained: Trained, metrics: dict[str, Any]) -> None:
    out.classes = trained.classes
    out.write("metrics.json", digests.canonical(metrics))
    files, tile = metrics["files"], " x ".join(str(side) for side in trained.tile_hw)
    size = {name: "any" if file["any_size"] else tile for name, file in files.items()}
    out.figures = {"picture_size": size[ONNX], "largest_difference": files[ONNX]["largest_difference"]}
    if SCRIPT in files:
        out.figures["torchscript_picture_size"] = size[SCRIPT]
    out.figures |= {f"{SHORT[name]}_mib": round(file["bytes"] / 2**20, 2) for name, file in files.items()}
    out.figures |= {f"{SHORT.get(name, 'checkpoint')}_miou": value for name, value in metrics["miou"].items()}


def _print_footprints(paths: Sequence[Path], trained: Trained) -> None:
    height, width = trained.tile_hw
    said = f"{many(threads(), 'thread')}, median of {REPEATS} (printed, not stored)"
    title = f"One tile of {width} x {height} on this CPU, {said}"
    table = Table(title=title, title_justify="left", title_style="bold")
    for column in ("file", "MiB", "ms a tile", "peak MiB of its process"):
        table.add_column(column, justify="left" if column == "file" else "right")
    for path in paths:
        size = f"{path.stat().st_size / 2**20:.1f}"
        try:
            found = measure(path, trained.tile_hw)
        except WorkerError as error:  # what was exported and checked is none the worse for it
            print(f"export: {error.one_line()}", file=sys.stderr)
            table.add_row(path.name, size, "not measured", "not measured")
        else:
            table.add_row(path.name, size, f"{found.milliseconds:.1f}", f"{found.peak_mib:.0f}")
    Console(highlight=False).print(table)
