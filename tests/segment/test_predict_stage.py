"""The predict stage: anything that can be read is predicted, and the result is a data set like any other."""

import csv
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from PIL import Image

from factory.__main__ import main
from factory.core import masks
from factory.core.classes import IGNORE, ClassList
from factory.core.dataset import Dataset
from factory.core.errors import ConfigError, InputError
from factory.core.sample import Domain, Origin, Split, Supervision
from factory.segment import checkpoint
from factory.segment.checkpoint import load
from factory.segment.predict import Predictor
from factory.segment.tta import Views
from factory.stages import predict
from tests.artefacts import add_sample, written

SETTINGS = {
    "checkpoint": "best",
    "size": None,
    "longest": None,
    "tile": None,
    "overlap": 0.5,
    "batch": 4,
    "tta": Views(),
    "min_confidence": 0.0,
    "overlays": True,
    "white_level": 65535,
    "largest": 500.0,
}


def square(size_hw):
    """A bright square in the middle of noise."""
    rng = np.random.default_rng(0)
    image = rng.integers(60, 120, (*size_hw, 3), np.uint8)
    tall, wide = size_hw[0] // 4, size_hw[1] // 4
    image[tall:-tall, wide:-wide] += 120
    return image


@pytest.fixture
def photographs(tmp_path):
    """Pictures of many kinds in a folder of folders, and two that are broken."""
    folder = tmp_path / "photographs"
    (folder / "deep/er").mkdir(parents=True)
    Image.fromarray(square((50, 70))).save(folder / "colour.png")
    Image.fromarray(square((50, 70))[..., 0]).save(folder / "grey.jpg")
    Image.fromarray(square((90, 33))[..., 0].astype(np.uint16) * 257).save(folder / "deep" / "sixteen bits.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(square((40, 60))).save(folder / "deep/er/turned.tif", exif=exif)
    (folder / "broken.png").write_bytes(b"not a picture")
    (folder / "IMG_1.HEIC").write_bytes(b"of another kind")
    (folder / "cut.png").write_bytes((folder / "colour.png").read_bytes()[:3000])
    return folder


def predicted(target, **changes):
    """The stage run to its end and sealed."""
    with written(target) as out:
        predict.run(out=out, **SETTINGS | changes)
    return Dataset.open(target)


def test_every_picture_that_can_be_read_is_predicted(photographs, small_model, tmp_path):
    """In its own size and the right way up; broken ones are named."""
    found = predicted(tmp_path / "predict", images=photographs, model=small_model)
    assert {sample.id: (sample.height, sample.width) for sample in found.samples} == {
        "colour": (50, 70),
        "grey": (50, 70),
        "deep__sixteen_bits": (90, 33),
        "deep__er__turned": (60, 40),
    }
    assert sorted(issue["where"] for issue in found.header.issues) == ["broken.png", "cut.png", photographs.name]
    for sample in found.samples:
        assert (sample.split, sample.domain, sample.supervision) == (Split.TRAIN, Domain.REAL, Supervision.PSEUDO)
        mask, confidence, source = (found.map(sample, name) for name in ("mask", "confidence", "source"))
        assert mask.shape == confidence.shape == source.shape == (sample.height, sample.width)
        assert (source == Origin.PSEUDO).all()
        assert masks.read_png(found.path(f"overlays/{sample.id}.png")).ndim == 3
    assert found.figures["images"] == 4
    assert found.figures["left_out"] == 2


def test_pages_beside_the_first_are_told_and_linked_folders_followed(photographs, small_model, tmp_path):
    """Also where a killed try has done the picture already."""
    pages = [Image.fromarray(square((30, 40))), Image.fromarray(square((30, 40))[::-1])]
    pages[0].save(photographs / "deep/scan.tif", save_all=True, append_images=pages[1:])
    (tmp_path / "in").mkdir()
    (tmp_path / "in/linked").symlink_to(photographs / "deep")
    with written(tmp_path / "predict") as out:
        predict.run(out=out, **SETTINGS, images=tmp_path / "in", model=small_model)
        first, out.issues = out.issues, []
        predict.run(out=out, **SETTINGS, images=tmp_path / "in", model=small_model)
        assert out.issues == first == [{"where": "linked/scan.tif", "reason": first[0]["reason"]}]
    ids = [sample.id for sample in Dataset.open(tmp_path / "predict").samples]
    assert ids == ["linked__er__turned", "linked__scan", "linked__sixteen_bits"]


def test_masks_and_confidence_are_the_predictors(photographs, small_model, tmp_path):
    """Class and probability of the likeliest class."""
    found = predicted(tmp_path / "predict", images=photographs / "colour.png", model=small_model)
    (sample,) = found.samples
    expected = Predictor(trained=load(small_model.path("best.ckpt")), batch=4)(found.image(sample))
    np.testing.assert_array_equal(found.mask(sample), expected.argmax(axis=0))
    np.testing.assert_array_equal(found.map(sample, "confidence"), np.rint(255 * expected.max(axis=0)))


def test_an_export_predicts_the_same_masks(photographs, small_model, small_export, tmp_path):
    """ONNX Runtime instead of torch."""
    one = predicted(tmp_path / "torch", images=photographs, model=small_model.path("best.ckpt"))
    two = predicted(tmp_path / "onnx", images=photographs, model=small_export)
    for sample in one.samples:
        assert np.mean(one.mask(sample) == two.mask(sample)) > 0.999


def test_class_areas_are_those_of_the_masks(photographs, small_model, tmp_path):
    """A row a picture and class; pixels that are not sure enough have a row of their own."""
    found = predicted(tmp_path / "predict", images=photographs, model=small_model, min_confidence=0.9)
    rows = list(csv.DictReader(found.path("areas.csv").read_text().splitlines()))
    assert {row["file"] for row in rows} == {"colour.png", "grey.jpg", "deep/sixteen bits.png", "deep/er/turned.tif"}
    assert {row["id"] for row in rows} == {sample.id for sample in found.samples}
    (sample,) = [sample for sample in found.samples if sample.id == "grey"]
    mask, confidence = found.mask(sample), found.map(sample, "confidence")
    ids = {"ground": 0, "coin": 1, "(unsure)": IGNORE}
    for row in rows:
        if row["file"] == "grey.jpg":
            assert int(row["pixels"]) == np.sum(mask == ids[row["class"]])
    assert (confidence[mask != IGNORE] >= 229).all()
    assert (mask == IGNORE).any()
    np.testing.assert_array_equal(mask == IGNORE, found.map(sample, "source") == Origin.NONE)


def test_a_data_set_keeps_its_rows_and_its_masks_are_not_looked_at(small_model, tmp_path):
    """Splits and groups are assigned once; hints stay where the classes are the model's."""
    for classes, stays in ((small_model.classes, True), (ClassList.of(["a", "b"]), False)):
        with written(tmp_path / f"{stays}") as out:
            out.classes = classes
            sample = add_sample(out, "s", np.ones((40, 40), np.uint8), split=Split.TEST, supervision=Supervision.HUMAN)
            out.add(sample.replace(hints=sample.hints.from_json({"points": [[1, 2, 0]]})))
        source = Dataset.open(tmp_path / f"{stays}")
        found = predicted(tmp_path / f"predict{stays}", images=source, model=small_model)
        (row,) = found.samples
        assert (row.split, row.group, row.supervision) == (Split.TEST, "s", Supervision.PSEUDO)
        assert bool(row.hints.points) == stays
        assert row.image_sha256 == source.samples[0].image_sha256
        assert (found.map(row, "source") == Origin.PSEUDO).all()


def test_tiles_sizes_and_views_may_be_chosen(photographs, small_model, tmp_path):
    """The picture's size stays; overlays may be left out."""
    settings = {"tile": [48, 48], "size": [64, 64], "overlap": 0.1, "tta": Views(flip=True, scales=[0.75, 1.0])}
    image = photographs / "colour.png"
    found = predicted(tmp_path / "predict", images=image, model=small_model, overlays=False, **settings)
    assert found.mask(found.samples[0]).shape == (50, 70)
    assert not found.path("overlays").exists()


def test_what_cannot_be_predicted_is_said_before_anything_is_written(photographs, small_model, tmp_path):
    """One message each, an empty folder."""
    (tmp_path / "empty").mkdir()
    wrong = [
        ({"min_confidence": 2.0}, ConfigError, "probability"),
        ({"tile": [8, 32]}, ConfigError, "tile"),
        ({"size": [32]}, ConfigError, "size"),
        ({"size": [32, 32], "longest": 64}, ConfigError, "size, or longest"),
        ({"longest": 3}, ConfigError, "16 pixels or more"),
        ({"overlap": 1.0}, ConfigError, "overlap is a share.*where: +overlap.*got: +1.0"),
        ({"batch": 0}, ConfigError, "batch is too small.*where: +batch.*got: +0"),
        ({"largest": 0.0}, ConfigError, "largest"),
        ({"checkpoint": "first"}, ConfigError, "checkpoint"),
        ({"images": tmp_path / "empty"}, InputError, "no picture found"),
        ({"images": photographs / "broken.png"}, InputError, r"nothing could be predicted.*got: +broken\.png: "),
        ({"largest": 0.0001}, InputError, "larger than allowed.*largest="),
    ]
    for changes, kind, said in wrong:
        with pytest.raises(kind, match=f"(?s){said}"), written(tmp_path / "predict") as out:
            predict.run(out=out, **SETTINGS | {"images": photographs, "model": small_model} | changes)
    assert not list(tmp_path.glob("predict*"))


def test_a_model_whose_word_is_no_number_predicts_nothing(photographs, small_model, tmp_path):
    """Its training diverged: NaN is no class, and least of all the first one."""
    loaded = checkpoint.load(small_model.path("best.ckpt"))
    torch.nn.init.constant_(next(loaded.model.network.segmentation_head.parameters()), float("nan"))
    (tmp_path / "nan.ckpt").write_bytes(checkpoint.encode(loaded))
    with pytest.raises(InputError, match=r"(?s)no numbers.*where: .*\.\w+"), written(tmp_path / "predict") as out:
        predict.run(out=out, **SETTINGS | {"images": photographs, "model": tmp_path / "nan.ckpt"})
    assert not list(tmp_path.glob("predict*"))


def test_the_command_takes_folders_and_files_by_their_short_names(photographs, small_export, tmp_path):
    """``images=`` and ``model=``; the result is converted like any data set."""
    onnx = small_export.path("model_int8.onnx")
    assert main(["predict", f"images={photographs}", f"model={onnx}", f"out={tmp_path}/p", "tta=flip"]) == 0
    assert main(["convert", f"source={tmp_path}/p", f"out={tmp_path}/coco"]) == 0


@pytest.mark.slow
def test_killed_at_any_time_it_goes_on_and_ends_the_same(small_model, tmp_path):
    """Byte for byte; pictures that were done are not done again."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(60):
        Image.fromarray(square((200, 200 + number))).save(folder / f"{number:02}.png")
    (folder / "99.png").write_bytes(b"broken")
    words = ["predict", f"images={folder}", f"model={small_model.root}"]
    assert main([*words, f"out={tmp_path}/whole"]) == 0
    command = [sys.executable, "-m", "factory", *words, f"out={tmp_path}/killed"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    journal = tmp_path / "killed.partial/journal"
    while process.poll() is None and len(list(journal.glob("[!.]*.json"))) < 5:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "killed.partial/masks").glob("0[0-3].png")}
    assert before
    assert not (tmp_path / "killed").exists()
    assert main([*words, f"out={tmp_path}/killed"]) == 0
    for path, stamp in before.items():
        assert (tmp_path / "killed/masks" / path.name).stat().st_mtime_ns == stamp
    for name in ("artefact.json", "SHA256SUMS"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
