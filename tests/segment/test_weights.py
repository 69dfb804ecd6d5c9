"""Weights from files: anybody's encoder, our own checkpoints, and whatever else a file can be."""

import contextlib
import pickle
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import timm
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save, save_file

from factory.core.artefact import Kind
from factory.core.classes import ClassList
from factory.core.errors import ArtefactError, InputError
from factory.segment import checkpoint
from factory.segment.models import Segmenter, SegmenterSpec, build
from factory.segment.weights import read
from factory.segment.working import Working
from tests.artefacts import written

CLASSES = ClassList.of(["ground", "coin", "paper"])
SPEC = SegmenterSpec(architecture="fpn", encoder="mobilenet_v2", decoder_channels=64)


@cache
def donor(encoder: str = "mobilenet_v2") -> dict[str, torch.Tensor]:
    """Another random encoder's weights."""
    spec = replace(SPEC, encoder=encoder)
    return dict(build(spec, CLASSES, weights=None, seed=1).network.encoder.state_dict())


def started(path: Path, spec: SegmenterSpec = SPEC, classes: ClassList = CLASSES) -> tuple[Segmenter, list[str]]:
    """A segmenter that starts from a file, and what was said about it."""
    said: list[str] = []
    model = build(spec, classes, weights=path, seed=0, report=lambda where, what: said.append(f"{where}: {what}"))
    return model, said


def taken(part: torch.nn.Module, expected: dict[str, torch.Tensor]) -> bool:
    """Whether a part has exactly these weights."""
    return all(torch.equal(value, expected[key]) for key, value in part.state_dict().items())


@pytest.fixture
def earlier(tmp_path):
    """A checkpoint of ours, and the model in it."""
    model = Segmenter(replace(SPEC, encoder_weights="imagenet"), CLASSES)
    path = tmp_path / "best.ckpt"
    path.write_bytes(checkpoint.encode(checkpoint.Trained(model=model, working=Working(), tile_hw=(32, 32), step=9)))
    return path, model


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth", "w.pt", "w.bin", "w.PTH"])
@pytest.mark.parametrize("prefix", ["", "encoder.", "module.", "model.", "backbone.", "module.model.", "_orig_mod."])
def test_an_encoder_is_known_whatever_it_was_part_of(tmp_path, name, prefix):
    """And whatever else is in the file, such as a classifier."""
    content = {f"{prefix}{key}": value for key, value in donor().items()} | {"classifier.1.weight": torch.zeros(2, 2)}
    save_file(content, tmp_path / name) if name.endswith("safetensors") else torch.save(content, tmp_path / name)
    model, said = started(tmp_path / name, replace(SPEC, encoder_weights="imagenet"))
    assert taken(model.network.encoder, donor())
    assert model.spec.mean_and_std() == ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    assert said == []


@pytest.mark.parametrize("envelope", ["state_dict", "model", "model_state_dict"])
def test_training_scripts_envelopes_are_opened(tmp_path, envelope):
    """With whatever else they saved."""
    torch.save({"epoch": 3, envelope: {f"module.{k}": v for k, v in donor().items()}}, tmp_path / "w.pth")
    assert taken(started(tmp_path / "w.pth")[0].network.encoder, donor())


def test_a_wrapper_that_took_the_encoders_first_word_is_no_hindrance(tmp_path):
    """As torchvision's segmentation models keep ``features.0`` as ``backbone.0``."""
    content = {f"backbone.{key.removeprefix('features.')}": value for key, value in donor().items()}
    save_file(content, tmp_path / "w.safetensors")
    assert taken(started(tmp_path / "w.safetensors")[0].network.encoder, donor())


@pytest.mark.parametrize("encoder", ["tu-resnet18", "tu-convnext_atto", "tu-mobilenetv3_small_050"])
def test_timms_own_files_fit_encoders_made_of_timm(tmp_path, encoder):
    """Whose names differ by a first word, and ``stages.0`` for ``stages_0``."""
    whole = timm.create_model(encoder.removeprefix("tu-"), pretrained=False).state_dict()
    save_file(whole, tmp_path / "w.safetensors")
    model, _ = started(tmp_path / "w.safetensors", replace(SPEC, encoder=encoder))
    theirs = [value for key, value in whole.items() if key.endswith("weight")]
    ours = [value for key, value in model.network.encoder.state_dict().items() if key.endswith("weight")]
    assert all(any(torch.equal(one, other) for other in theirs if one.shape == other.shape) for one in ours)


def test_files_from_before_batches_were_counted_are_taken(tmp_path):
    """And half precision becomes single."""
    old = {k: v.half() for k, v in donor().items() if not k.endswith("num_batches_tracked")}
    torch.save(old, tmp_path / "w.pth")
    found = started(tmp_path / "w.pth")[0].network.encoder.state_dict()
    assert all(found[key].dtype == torch.float32 and torch.equal(found[key], old[key].float()) for key in old)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("protocol", [2, 3])
def test_old_ways_to_pickle_are_read_without_a_word(tmp_path, protocol, zipped):
    """Warnings are errors here."""
    torch.save(donor(), tmp_path / "w.pth", pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
    assert read(tmp_path / "w.pth").tensors.keys() == donor().keys()


def test_a_checkpoint_of_the_same_architecture_and_classes_goes_on_whole(earlier):
    """With its own way to normalise pictures."""
    path, model = earlier
    found, said = started(path)
    assert taken(found, dict(model.state_dict()))
    assert found.spec.mean_and_std() == model.spec.mean_and_std()
    assert said == []
    assert started(path, replace(SPEC, normalisation="signed"))[0].spec.mean_and_std()[0] == (0.5, 0.5, 0.5)


def test_of_a_model_artefact_the_best_checkpoint_is_meant(earlier, tmp_path):
    """As of one checkpoint; another artefact holds no weights."""
    path, model = earlier
    with written(tmp_path / "train", Kind.MODEL) as out:
        out.classes = CLASSES
        out.write("best.ckpt", path.read_bytes())
    found, said = started(tmp_path / "train")
    assert taken(found, dict(model.state_dict()))
    assert said == []
    with written(tmp_path / "pictures") as out:
        out.classes = CLASSES
    with pytest.raises(ArtefactError, match=r"(?s)pictures.*dataset.*model"):
        started(tmp_path / "pictures")


def test_with_other_classes_only_the_head_starts_at_random_and_it_is_said(earlier):
    """Also with as many classes of other names."""
    path, model = earlier
    for names in (["sky", "road"], ["ground", "paper", "coin"]):
        found, said = started(path, classes=ClassList.of(names))
        assert taken(found.network.encoder, dict(model.network.encoder.state_dict()))
        assert taken(found.network.decoder, dict(model.network.decoder.state_dict()))
        fresh = build(SPEC, ClassList.of(names), weights=None, seed=0).network.segmentation_head.state_dict()
        assert taken(found.network.segmentation_head, dict(fresh))
        (note,) = said
        assert note.startswith("weights: ")
        assert "ground, coin, paper" in note


def test_with_another_decoder_the_encoder_alone_is_taken_and_it_is_said(earlier):
    """Another architecture, or another width."""
    path, model = earlier
    for other in (replace(SPEC, architecture="unet", decoder_channels=32), replace(SPEC, decoder_channels=128)):
        found, said = started(path, other)
        assert taken(found.network.encoder, dict(model.network.encoder.state_dict()))
        assert len(said) == 1
        assert "decoder and head start at random" in said[0]


def test_an_edge_head_that_the_checkpoint_lacks_starts_at_random_and_it_is_said(earlier):
    """The rest goes on."""
    found, said = started(earlier[0], replace(SPEC, edge_head=True))
    assert taken(found.network, dict(earlier[1].network.state_dict()))
    assert len(said) == 1
    assert "edge head" in said[0]


def test_another_encoders_file_is_refused_and_says_what_is_missing(earlier, tmp_path):
    """Of a stranger or of ours."""
    save_file(donor("tu-mobilenetv3_small_050"), tmp_path / "w.safetensors")
    for path in (tmp_path / "w.safetensors", earlier[0]):
        with pytest.raises(InputError, match=r"(?s)does not fit the encoder.*tensors missing.*tu-resnet18"):
            started(path, replace(SPEC, encoder="tu-resnet18"))


def test_a_tensor_of_another_shape_or_kind_is_refused(tmp_path):
    """Named."""
    for wrong in (torch.zeros(1), donor()["features.0.0.weight"].long()):
        save_file({**donor(), "features.0.0.weight": wrong}, tmp_path / "w.safetensors")
        with pytest.raises(InputError, match=r"1 misshapen: features\.0\.0\.weight"):
            started(tmp_path / "w.safetensors")


def test_weights_that_are_no_numbers_are_refused(tmp_path):
    """Where they are is said."""
    save_file({**donor(), "features.0.1.bias": torch.full((32,), torch.nan)}, tmp_path / "w.safetensors")
    with pytest.raises(InputError, match=r"(?s)no numbers.*features\.0\.1\.bias"):
        started(tmp_path / "w.safetensors")


class Bomb:
    """Code that a file brings along."""

    def __reduce__(self):
        return (Path.touch, (Path("exploded"),))


ODD = {
    "empty.pth": b"",
    "empty.safetensors": b"",
    "text.safetensors": b"no weights at all",
    "text.pth": b"no weights at all",
    "list.pth": [1, 2, 3],
    "number.pt": 5,
    "none.bin": {},
    "names.pth": {1: 2, "epoch": 3, "state_dict": {"a": "b"}},
    "half.ckpt": {"format": 1, "spec": {}, "classes": {}, "weights": {"a": torch.zeros(1)}},
    "odd.ckpt": {"format": 1, "spec": 7, "classes": [], "weights": []},
    "bomb.pth": Bomb(),
    "bomb.ckpt": {"format": 1, "spec": Bomb(), "classes": {}, "weights": {}},
}


@pytest.mark.parametrize("name", ODD)
def test_a_file_of_anything_else_is_one_message_and_runs_no_code(tmp_path, monkeypatch, name):
    """Empty, text, lists, pickled objects, headless checkpoints."""
    monkeypatch.chdir(tmp_path)
    content = ODD[name]
    (tmp_path / name).write_bytes(content) if isinstance(content, bytes) else torch.save(content, tmp_path / name)
    with pytest.raises(InputError, match=name.replace(".", r"\.")):
        started(tmp_path / name)
    assert not (tmp_path / "exploded").exists()


def test_a_plain_pickle_is_not_opened(tmp_path, monkeypatch):
    """As every virus scanner of models knows them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "w.bin").write_bytes(pickle.dumps({"a": Bomb()}))
    with pytest.raises(InputError, match="unreadable weights file"):
        read(tmp_path / "w.bin")
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize("name", ["w.onnx", "w", "w.npz", "folder.pth", "missing.pth"])
def test_what_is_no_weights_file_is_refused_by_name(tmp_path, name):
    """Also folders, and files that are not there."""
    (tmp_path / "w.onnx").write_bytes(b"x")
    (tmp_path / "folder.pth").mkdir()
    with pytest.raises(InputError, match=name):
        read(tmp_path / name)


@cache
def small_files() -> dict[str, bytes]:
    """One file of each kind with a few tensors, and a checkpoint."""
    tensors = {"a.weight": torch.arange(12.0).view(3, 4), "b": torch.ones(2, dtype=torch.int64)}
    spec = {"encoder": "mobilenet_v2", "normalisation": "auto", "encoder_weights": None}
    whole = {"format": 1, "spec": spec, "classes": {"names": ["a"]}, "weights": tensors}
    return {".safetensors": save(tensors), ".pth": checkpoint.dump(tensors), ".ckpt": checkpoint.dump(whole)}


@settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([".safetensors", ".pth", ".ckpt"]),
    st.floats(0, 1),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 7)), max_size=4),
)
def test_a_damaged_file_is_opened_or_refused_and_never_more_than_one_message(tmp_path, suffix, kept, flips):
    """Cut short anywhere, or with bits flipped."""
    data = bytearray(small_files()[suffix])
    if not flips:
        data = data[: int(kept * (len(data) - 1))]
    for place, bit in flips:
        data[int(place * (len(data) - 1))] ^= 1 << bit
    path = tmp_path / f"w{suffix}"
    path.write_bytes(data)
    with contextlib.suppress(InputError):
        start = read(path)
        assert flips
        assert all(isinstance(value, torch.Tensor) for value in start.tensors.values())
