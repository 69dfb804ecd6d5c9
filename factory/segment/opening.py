"""Whatever holds a segmenter, opened for prediction: a model artefact, an export, a checkpoint, ONNX, TorchScript."""

from __future__ import annotations

from pathlib import Path

from factory.core.artefact import Kind, Model, Report, read_header
from factory.core.classes import ClassList
from factory.core.dataset import Dataset
from factory.core.errors import ArtefactError, ConfigError, InputError
from factory.core.given import instead_of
from factory.segment import checkpoint, onnx_model, torchscript
from factory.segment.checkpoint import Trained
from factory.segment.shipped import Shipped

CHECKPOINTS = ("best", "last")
ONNX = "model.onnx"
SHIPPED = {".onnx": onnx_model.load, ".torchscript": torchscript.load}


def open_model(
    given: Model | Report | Dataset | Path, which: str, *, classes: ClassList | None = None
) -> Trained | Shipped:
    """The segmenter in ``given``; ``which`` of a model artefact's checkpoints is meant, best or last.

    `ArtefactError` where it is unreadable or made for other classes than ``classes`` (None: any).
    """
    path = file_of(given, which)
    if path.suffix in SHIPPED:
        opened = SHIPPED[path.suffix](path)
        if classes is not None:
            checkpoint.require_classes(opened.classes, classes, path)
        return opened
    return checkpoint.load(path, classes=classes)


def file_of(given: Model | Report | Dataset | Path, which: str) -> Path:
    """The checkpoint, ONNX or TorchScript file that is meant; of an export, the ONNX file."""
    if which not in CHECKPOINTS:
        raise ConfigError("unknown checkpoint", where="checkpoint", got=which, expected=", ".join(CHECKPOINTS))
    if isinstance(given, Model):
        return given.path(f"{which}.ckpt")
    if isinstance(given, Report):
        return _exported(given)
    if isinstance(given, Dataset):
        got = f"a data set made by {given.header.identity.stage}"
        todo = "give the model itself: what train or export wrote, or a file of it"
        raise ArtefactError("a data set holds no model", where=given.root, got=got, todo=todo)
    if not given.exists():
        raise ArtefactError("no such model", where=given, todo=instead_of(given))
    if given.is_dir():
        kinds: dict[Kind, type[Model | Report | Dataset]]
        kinds = {Kind.MODEL: Model, Kind.REPORT: Report, Kind.DATASET: Dataset}
        return file_of(kinds.get(read_header(given).kind, Model).open(given), which)
    if given.suffix not in (".ckpt", *SHIPPED):
        expected = "a model artefact, an export, a .ckpt, .onnx or .torchscript file"
        raise InputError("this holds no model", where=given, got=given.suffix or "no suffix", expected=expected)
    return given


def _exported(report: Report) -> Path:
    if not report.path(ONNX).is_file():
        got = f"a report of {report.header.identity.stage}"
        raise ArtefactError("this report holds no model", where=report.root, got=got, todo="run factory export")
    return report.path(ONNX)
