"""Whatever holds a segmenter, opened for prediction: a model artefact, an export, a checkpoint, an ONNX file."""

from __future__ import annotations

from pathlib import Path

from factory.core.artefact import Model, Report, read_header
from factory.core.classes import ClassList
from factory.core.errors import ArtefactError, ConfigError, InputError
from factory.segment import checkpoint, onnx_model
from factory.segment.checkpoint import Trained
from factory.segment.onnx_model import OnnxModel

CHECKPOINTS = ("best", "last")
ONNX = "model.onnx"


def open_model(given: Model | Report | Path, which: str, *, classes: ClassList | None = None) -> Trained | OnnxModel:
    """The segmenter in ``given``, on the CPU; ``which`` of a model artefact's checkpoints is meant, best or last.

    `ArtefactError` where it is unreadable or made for other classes than ``classes`` (None: any).
    """
    path = file_of(given, which)
    if path.suffix == ".onnx":
        opened = onnx_model.load(path)
        if classes is not None:
            checkpoint.require_classes(opened.classes, classes, path)
        return opened
    return checkpoint.load(path, classes=classes)


def file_of(given: Model | Report | Path, which: str) -> Path:
    """The checkpoint or ONNX file that is meant."""
    if which not in CHECKPOINTS:
        raise ConfigError("unknown checkpoint", where="checkpoint", got=which, expected=", ".join(CHECKPOINTS))
    if isinstance(given, Model):
        return given.path(f"{which}.ckpt")
    if isinstance(given, Report):
        return _exported(given)
    if given.is_dir():
        read_header(given)
    if given.suffix not in (".ckpt", ".onnx"):
        expected = "a model artefact, an export, a .ckpt or an .onnx file"
        raise InputError("this holds no model", where=given, got=given.suffix or "no suffix", expected=expected)
    return given


def _exported(report: Report) -> Path:
    if not report.path(ONNX).is_file():
        got = f"a report of {report.header.identity.stage}"
        raise ArtefactError("this report holds no model", where=report.root, got=got, todo="run factory export")
    return report.path(ONNX)
