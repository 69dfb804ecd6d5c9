"""The export stage."""

import json
import re

import numpy as np
import pytest
import torch
from torch import nn

from factory.core.artefact import Kind, Report
from factory.core.dataset import Dataset
from factory.core.errors import ArtefactError, ConfigError, InputError, WorkerError
from factory.core.sample import Split
from factory.segment import footprint
from factory.segment.checkpoint import load
from factory.segment.export import Exported
from factory.segment.parity import Check
from factory.segment.torchscript import TorchScript
from factory.stages import export
from tests.artefacts import add_sample, dataset, written

MADE = (export.PROGRAM, export.SCRIPT)
SETTINGS = {
    "source": None,
    "calibration": None,
    "seed": 0,
    "checkpoint": "best",
    "int8": False,
    "calibration_pictures": 8,
    "split": "val",
    "tolerance": 1e-4,
    "footprints": False,
}


def test_files_and_figures_are_sealed_but_no_time(small_export, small_model):
    """The model's mIoU comes back through every file."""
    assert small_export.damaged() == []
    metrics = json.loads(small_export.path("metrics.json").read_text())
    assert set(metrics["files"]) == {"model.onnx", "model.pt2", "model.torchscript", "model_int8.onnx"}
    for name in ("model.onnx", "model.pt2", "model.torchscript"):
        assert metrics["files"][name]["largest_difference"] < 1e-4
        assert metrics["files"][name]["any_size"]
    assert small_export.figures["torchscript_picture_size"] == "any"
    assert not small_export.header.issues
    assert small_export.figures["checkpoint_miou"] == small_model.figures["val_miou"]
    assert abs(small_export.figures["onnx_miou"] - small_model.figures["val_miou"]) < 1e-3
    text = small_export.path("artefact.json").read_text() + json.dumps(metrics)
    assert not [word for word in ("seconds", "milli", "peak") if word in text]


def test_what_cannot_be_exported_is_said_before_anything_is_written(small_model, small_export, bright, tmp_path):
    """One message each, an empty folder."""
    wrong = [
        ({"int8": True}, ConfigError, "inputs.calibration"),
        ({"int8": True, "calibration": dataset(tmp_path / "empty", {})}, ArtefactError, "other classes|empty"),
        ({"int8": True, "calibration": bright, "calibration_pictures": 0}, ConfigError, "calibration_pictures"),
        ({"split": "holiday"}, ConfigError, "split"),
        ({"checkpoint": "first"}, ConfigError, "checkpoint"),
        ({"tolerance": 2.0}, ConfigError, "tolerance"),
        ({"model": small_export.path("model.onnx")}, ConfigError, "only a checkpoint"),
        ({"source": dataset(tmp_path / "other", {})}, ArtefactError, "other classes"),
    ]
    for changes, kind, said in wrong:
        with pytest.raises(kind, match=said), written(tmp_path / "export", Kind.REPORT) as out:
            export.run(out=out, **SETTINGS | {"model": small_model} | changes)
    assert not list(tmp_path.glob("export*"))


@pytest.mark.parametrize("what", ["images", "masks"])
def test_a_damaged_picture_is_found_before_anything_is_exported(what, small_model, tmp_path, monkeypatch):
    """And named; parity looks at a few pictures only, the mIoU at all."""
    monkeypatch.setattr(export, "export", lambda *_, **__: pytest.fail("too late"))
    with written(tmp_path / "source") as out:
        out.classes = small_model.classes
        for number in range(20):
            add_sample(out, f"p{number}", np.eye(32, dtype=np.uint8), split=Split.VAL)
    source = Dataset.open(out.target)
    source.path(f"{what}/p1.png").write_bytes(b"cut")
    with pytest.raises(InputError, match=r"p1\.png"), written(tmp_path / "export", Kind.REPORT) as out:
        export.run(out=out, **SETTINGS | {"model": small_model, "source": source})


@pytest.fixture
def files_made_before(small_export, monkeypatch):
    """The model's files are made once for all tests: whatever the stage does with them, it does."""
    onnx, program, script = (small_export.path(name).read_bytes() for name in ("model.onnx", *MADE))
    exported = Exported(onnx=onnx, program=program, any_size=True)
    monkeypatch.setattr(export, "export", lambda *_, **__: exported)
    monkeypatch.setattr(export, "trace", lambda *_, **__: TorchScript(content=script, any_size=True))


@pytest.mark.parametrize(
    ("split", "reason"),
    [
        ("val", "1 of 1 masks are made from weaker labels (pseudo): agreement, not accuracy"),
        pytest.param("test", "no test rows with masks: no mIoU", marks=pytest.mark.slow),
    ],
)
@pytest.mark.usefixtures("files_made_before")
def test_a_miou_that_is_none_is_said(split, reason, small_model, tmp_path):
    """Against a labeler's masks it is agreement; without masks in the split there is none."""
    with written(tmp_path / "source") as out:
        out.classes = small_model.classes
        add_sample(out, "guessed", np.eye(32, dtype=np.uint8), split=Split.VAL)
    source = Dataset.open(out.target)
    with written(tmp_path / split, Kind.REPORT) as out:
        export.run(out=out, **SETTINGS | {"model": small_model, "source": source, "split": split})
    report = Report.open(out.target)
    assert list(report.header.issues) == [{"where": source.root.name, "reason": reason}]
    assert ("onnx_miou" in report.figures) == (split == "val")


def test_a_file_is_measured_in_a_process_of_its_own(small_export, tmp_path):
    """Without torch a process is far smaller; what cannot be run is a clear message."""
    found = footprint.measure(small_export.path("model.onnx"), (32, 32))
    assert 0 < found.milliseconds < 1000
    assert 20 < found.peak_mib < 300
    assert 0 < footprint.measure(small_export.path("model.torchscript"), (32, 32)).milliseconds < 1000
    (tmp_path / "broken.onnx").write_bytes(b"not ONNX")
    with pytest.raises(WorkerError, match=r"broken\.onnx"):
        footprint.measure(tmp_path / "broken.onnx", (32, 32))


class Untraceable(nn.Module):
    """An identity that TorchScript has no words for."""

    def forward(self, images):
        """As given."""
        if torch.jit.is_tracing():
            raise RuntimeError("no such operation")
        return images


def test_what_torchscript_cannot_express_is_left_out_with_its_reason(small_model, tmp_path):
    """Such a network still ships as ONNX."""
    trained = load(small_model.path("best.ckpt"))
    trained.model.head_dropout = Untraceable()
    check = Check(trained=trained, pictures=[], tolerance=1e-4, seed=0)
    with written(tmp_path / "export", Kind.REPORT) as out:
        assert export._script(trained, check, out) is None
    (issue,) = Report.open(out.target).header.issues
    assert issue["where"] == "model.torchscript"
    assert re.search("cannot be traced.*no such operation", issue["reason"])


def test_one_thread_is_no_threads(small_model, monkeypatch, capsys):
    """The table's title says how it was measured."""
    monkeypatch.setattr(export, "threads", lambda: 1)
    monkeypatch.setattr(export, "measure", lambda *_: footprint.Footprint(milliseconds=1.0, peak_mib=2.0))
    path = small_model.path("best.ckpt")
    export._print_footprints([path], load(path))
    assert "1 thread, median" in " ".join(capsys.readouterr().out.split())


def test_a_file_that_cannot_be_measured_is_shipped_all_the_same(small_model, monkeypatch, capsys):
    """Its footprint is printed for people, and stored nowhere."""

    def killed(*_: object) -> footprint.Footprint:
        raise WorkerError("the exported file cannot be measured", where="best.ckpt", got="status -9")

    monkeypatch.setattr(export, "measure", killed)
    path = small_model.path("best.ckpt")
    export._print_footprints([path], load(path))
    printed = capsys.readouterr()
    assert "not measured" in printed.out
    assert "cannot be measured; where: best.ckpt; got: status -9" in printed.err
