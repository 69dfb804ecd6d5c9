"""At which size pictures are looked at: ingest brings them to it, training keeps it, prediction goes by it."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from factory.__main__ import main
from factory.core.dataset import Dataset
from factory.core.sample import Domain, Sample, Split, Supervision
from factory.segment import checkpoint
from factory.segment.checkpoint import Trained
from factory.segment.predict import Predictor
from factory.segment.shipped import described, metadata
from factory.segment.trained_teacher import TrainedTeacher
from factory.segment.tta import Views
from factory.segment.working import Working, disagreements
from tests.artefacts import add_sample, photograph, written
from tests.ingest.folders import ingest, picture
from tests.segment.training import trained

sides = st.tuples(st.integers(1, 4000), st.integers(1, 4000))


@given(shape=sides, longest=st.integers(16, 3000))
def test_longest_keeps_the_shape_and_never_enlarges(shape, longest):
    """To half a pixel; a side has one pixel at least."""
    found = Working(longest=longest).of(shape)
    assert max(found) == min(max(shape), longest)
    scale = max(found) / max(shape)
    assert all(abs(new - max(1, old * scale)) <= 0.5 for new, old in zip(found, shape, strict=True))


def photographs(folder: Path, masks: Path) -> None:
    """A wide, an upright and a small one, with masks."""
    masks.mkdir()
    for name, size_wh in {"wide": (96, 64), "upright": (64, 96), "small": (40, 30), "other": (96, 72)}.items():
        picture(folder / f"{name}.png", size_wh)
        ids = np.zeros(size_wh[::-1], np.uint8)
        ids[: size_wh[1] // 2] = 1
        Image.fromarray(ids).save(masks / f"{name}.png")


def learnt(tmp_path: Path, *words: str) -> Trained:
    """What comes of a short training on photographs that were ingested so."""
    photographs(tmp_path / "in", tmp_path / "masks")
    source = ingest(tmp_path, f"inputs.masks={tmp_path}/masks", "val_share=0", *words)
    model = trained(tmp_path / "model", real=source, steps=1, validate_every=1)
    return checkpoint.load(model.path("best.ckpt"))


def asked(model: Trained, size_hw: tuple[int, int]) -> set[tuple[int, ...]]:
    """Sizes of the tiles that a picture of this size is cut into."""
    sizes: set[tuple[int, ...]] = set()
    predictor = Predictor(trained=model)
    found = predictor.map(photograph(size_hw, 1), lambda images: sizes.add(tuple(images.shape[-2:])) or images)
    assert found.shape == (3, *size_hw), "the answer is of the picture's own size"
    return sizes


def test_pictures_keep_their_shape_and_the_model_looks_at_others_as_at_those_it_learnt_from(tmp_path):
    """A photograph three times as large is not three times nearer."""
    model = learnt(tmp_path, "longest=48")
    sizes = {sample.id: (sample.width, sample.height) for sample in Dataset.open(tmp_path / "out").samples}
    assert sizes == {"wide": (48, 32), "upright": (32, 48), "small": (40, 30), "other": (48, 36)}
    assert model.working == Working(longest=48)
    assert asked(model, (144, 96)) == {(48, 32)}
    assert asked(model, (20, 30)) == {(20, 30)}


def test_pictures_brought_to_one_size_are_looked_at_so(tmp_path):
    """Whatever their shape."""
    model = learnt(tmp_path, "size=[48,40]")
    assert model.working == Working(size_hw=(40, 48))
    assert asked(model, (144, 96)) == {(40, 48)}


def test_tiles_of_pictures_brought_to_one_size_are_looked_at_as_they_are(tmp_path):
    """They were seen enlarged to the size of the whole, by all that measures, asks or labels with the model."""
    model = learnt(tmp_path, "size=[48,40]", "tile=24")
    assert asked(model, (24, 24)) == {(24, 24)}
    sizes, whole = set(), Predictor(trained=model, tile=(100, 100))
    whole.map(photograph((144, 96), 1), lambda images: sizes.add(tuple(images.shape[-2:])) or images)
    assert sizes == {(40, 48)}, "a whole photograph is brought to the size of those that were cut"


def test_pictures_of_different_data_sets_are_looked_at_as_they_are(tmp_path):
    """Nothing is known of their common size."""
    photographs(tmp_path / "in", tmp_path / "masks")
    made = [ingest(tmp_path, f"longest={longest}", name=f"out{longest}") for longest in (32, 48)]
    rows = [sample for source in made for sample in source.samples]
    assert Working.learnt_from(rows) == Working.learnt_from([]) == Working()
    assert Working.learnt_from(made[0].where(split=Split.TRAIN)) == Working(longest=32)


@pytest.mark.parametrize("working", [Working(), Working(size_hw=(30, 40), part_hw=(20, 20)), Working(longest=50)])
def test_it_travels_with_checkpoints_and_exports(small_model, tmp_path, working):
    """Files say it themselves."""
    plain = checkpoint.load(small_model.path("best.ckpt"))
    ours = Trained(model=plain.model, working=working, tile_hw=(32, 32), step=1)
    (tmp_path / "m.ckpt").write_bytes(checkpoint.encode(ours))
    assert checkpoint.load(tmp_path / "m.ckpt").working == working
    said = metadata(ours, any_size=True)
    assert described(said, plain.model, runtime="torch", where="here").working == working
    older = {key: value for key, value in said.items() if key not in ("longest", "part_hw")}
    assert described(older, plain.model, runtime="torch", where="here").working.size_hw == working.size_hw


def test_steps_see_a_part_of_very_large_pictures_unless_told_otherwise(tmp_path, capsys):
    """Eight whole ones would not fit into any memory; a picture of another shape is seen up to the same side."""
    picture(tmp_path / "in/long.png", (1100, 40))
    (tmp_path / "points.csv").write_text("image,x,y,class\nlong,9,9,sky\nlong,1090,9,car\n")
    source = ingest(tmp_path, f"inputs.points={tmp_path}/points.csv", "val_share=0")
    assert main(["label", f"source={tmp_path}/out", "labeler=seeds", "refiner=argmax", f"out={tmp_path}/label"]) == 0
    about = {"real": Dataset.open(tmp_path / "label"), "steps": 1, "validate_every": 1, "batch": 2}
    assert source is not None
    found = {crop: trained(tmp_path / f"model{crop}", crop=crop and [40, crop], **about) for crop in (None, 1088)}
    sizes = {crop: checkpoint.load(model.path("last.ckpt")).tile_hw for crop, model in found.items()}
    assert sizes == {None: (40, 1024), 1088: (40, 1088)}
    assert capsys.readouterr().err.count("steps see 40×1024 of pictures of up to 40×1100") == 1


def brought(*sizes: dict[str, object]) -> list[Sample]:
    """Rows of pictures that `ingest` brought to these sizes."""
    row = Sample(id="a", image="a.png", width=48, height=32, split=Split.TRAIN, group="a", domain=Domain.REAL,
                 supervision=Supervision.POINTS, image_sha256="0")  # fmt: skip
    return [row.replace(provenance={"brought_to": size} if size else {}) for size in sizes]


@pytest.mark.parametrize(
    ("learnt", "validation", "said"),
    [
        ([{"longest": 48}, {"longest": 48}], [{"longest": 48}], []),
        ([{"size": [48, 40]}], [{"longest": 48}], ["validation: its pictures.*at most 48.*40 x 48"]),
        ([{"longest": 48}], [{}], ["validation: .*pictures' own.*at most 48"]),
        ([{"longest": 48}, {"longest": 32}], [{"longest": 48}], ["size: .*at most 48.*at most 32.*as they are"]),
        ([{"longest": 48}], [], []),
    ],
)
def test_pictures_of_different_sizes_are_told(learnt, validation, said):
    """Nothing was said where a model looks at pictures at another size than it learnt from, or is measured so."""
    found = [f"{name}: {note}" for name, note in disagreements(brought(*learnt), {"validation": brought(*validation)})]
    assert len(found) == len(said)
    assert all(re.search(pattern, note) for pattern, note in zip(said, found, strict=True))


def test_a_training_tells_of_sizes_that_differ_unless_it_brings_all_to_one(tmp_path, small_model):
    """Its own data sets', and those that a teacher learnt from."""
    with written(tmp_path / "data") as out:
        out.classes = small_model.classes
        for name, size in (("a", 32), ("b", 48)):
            sample = add_sample(out, name, np.eye(32, dtype=np.uint8))
            out.add(sample.replace(provenance={"brought_to": {"longest": size}}))
    about = {"real": Dataset.open(out.target), "teacher": TrainedTeacher(tta=Views()), "teacher_model": small_model}
    for size, names in ((None, ["size", "validation"]), ([40, 40], ["teacher 1", "validation"])):
        model = trained(tmp_path / f"model{size}", steps=1, batch=2, size=size, **about)
        told = {issue["where"]: issue["reason"] for issue in model.header.issues}
        assert sorted(told) == names
    assert told["teacher 1"].startswith("it learnt at another size (the pictures' own)")
