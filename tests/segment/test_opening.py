"""Whatever holds a segmenter is opened; whatever holds none is named."""

from pathlib import Path

import pytest

from factory.core.classes import ClassList
from factory.core.errors import ArtefactError, ConfigError, FactoryError, InputError
from factory.segment.checkpoint import Trained
from factory.segment.opening import open_model
from factory.segment.shipped import Shipped
from factory.segment.working import Working
from tests.artefacts import report


def test_models_exports_and_files_are_opened(small_model, small_export):
    """Each as what it is, with the same classes."""
    for given, kind in (
        (small_model, Trained),
        (small_model.path("last.ckpt"), Trained),
        (small_export, Shipped),
        (small_export.path("model_int8.onnx"), Shipped),
        (small_export.path("model.torchscript"), Shipped),
    ):
        opened = open_model(given, "best", classes=small_model.classes)
        assert isinstance(opened, kind)
        assert (opened.classes, opened.tile_hw, opened.working) == (small_model.classes, (32, 32), Working())


def test_what_holds_no_model_is_named(small_model, small_export, bright, tmp_path):
    """Other files and folders, reports of other stages, other classes, other checkpoints."""
    (tmp_path / "notes.txt").write_text("no model")
    other = ClassList.of(["ground", "paper"])
    for given, which, classes, kind, said in (
        (tmp_path / "notes.txt", "best", None, InputError, r"holds no model.*notes"),
        (tmp_path, "best", None, ArtefactError, "no sealed artefact"),
        (Path(), "best", None, ArtefactError, "no sealed artefact"),
        (bright, "best", None, ArtefactError, "data set holds no model.*made by.*give the model itself"),
        (report(tmp_path / "report", {}), "best", None, ArtefactError, "factory export"),
        (tmp_path / "gone.ckpt", "best", None, FactoryError, r"gone\.ckpt"),
        (small_model, "first", None, ConfigError, "checkpoint"),
        (small_model, "best", other, ArtefactError, "other classes"),
        (small_export, "best", other, ArtefactError, "other classes"),
        (small_export.path("model.torchscript"), "best", other, ArtefactError, "other classes"),
    ):
        with pytest.raises(kind, match=f"(?s){said}"):
            open_model(given, which, classes=classes)


def test_a_model_that_is_not_there_is_said_to_be_missing(tmp_path):
    """Members of committees and second teachers are named by their paths; a folder was said to have no suffix."""
    for name in ("gone", "gone.ckpt", "gone.onnx"):
        with pytest.raises(ArtefactError, match="no such model"):
            open_model(tmp_path / name, "best")
