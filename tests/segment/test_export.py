"""ONNX and torch's program: they say what the model says, at every size, and name nothing of this machine."""

import errno
import json

import numpy as np
import onnx
import pytest
import torch

from factory.core.classes import ClassList
from factory.core.errors import ArtefactError, ConfigError, FactoryError
from factory.segment import onnx_model, shipped
from factory.segment import quantise as quantising
from factory.segment.checkpoint import Trained, load
from factory.segment.export import Exported, export, widest
from factory.segment.models import ARCHITECTURES, SegmenterSpec, build
from factory.segment.onnx_model import open_graph
from factory.segment.parity import Check, Parity, round_up, tile_of
from factory.segment.predict import Predictor
from factory.segment.quantise import quantise
from factory.segment.working import Working

TILE_ONLY = ("pspnet", "upernet")
"""They pool to a grid, which ONNX can only do for one size."""

CLASSES = ClassList.of(["ground", "coin", "paper"])


def random_model(architecture, tile_hw=(64, 96)):
    """An architecture with the start weights of a seed."""
    spec = SegmenterSpec(architecture=architecture, encoder="mobilenet_v2")
    model = build(spec, CLASSES, weights=None, seed=0).eval()
    return Trained(model=model, working=Working(), tile_hw=tile_hw, step=0)


@pytest.fixture(scope="module")
def small(small_model):
    """The trained model, opened."""
    return load(small_model.path("best.ckpt"))


@pytest.fixture(scope="module")
def opened(small_export):
    """Torch's exported program, and the metadata beside it."""
    said = {"metadata.json": ""}
    program = torch.export.load(small_export.path("model.pt2"), extra_files=said)
    return program.module(), json.loads(said["metadata.json"])


@pytest.fixture(scope="module")
def graph(small_export):
    """The bytes of the ONNX file."""
    return small_export.path("model.onnx").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_is_exported_and_agrees_with_torch(architecture):
    """For any size where it can be, else for its tile."""
    trained = random_model(architecture)
    exported, checked = widest(export, trained, Check(trained=trained, pictures=[], tolerance=1e-4, seed=0))
    assert all(parity.largest < 1e-4 and parity.pixels for parity in checked.values())
    assert exported.any_size == (architecture not in TILE_ONLY)


@pytest.mark.slow
def test_equal_models_give_equal_bytes(small, small_export):
    """So that an export can be compared between machines."""
    again = export(small, any_size=True)
    assert again.onnx == small_export.path("model.onnx").read_bytes()
    assert again.program == small_export.path("model.pt2").read_bytes()


def test_the_exports_bytes_name_no_place_of_this_machine(small_export):
    """Exporters like to keep stack traces."""
    for name in ("model.onnx", "model.pt2", "model.torchscript", "model_int8.onnx"):
        content = small_export.path(name).read_bytes()
        assert not [word for word in (b"site-packages", b"stack_trace", b'File "') if word in content], name


def test_a_stranger_finds_everything_in_the_file(small_export, small):
    """Inputs, axes, classes, geometry."""
    graph = onnx.load(small_export.path("model.onnx"))
    said = {entry.key: json.loads(entry.value) for entry in graph.metadata_props}
    assert said["class_names"] == list(small.classes.names)
    assert (said["tile_hw"], said["size_hw"], said["any_size"]) == (list(small.tile_hw), None, True)
    axes = [axis.dim_param or axis.dim_value for axis in graph.graph.input[0].type.tensor_type.shape.dim]
    assert (graph.graph.input[0].name, axes) == ("images", ["batch", 3, "height", "width"])
    assert (graph.graph.output[0].name, len(graph.graph.output)) == ("probabilities", 1)


@pytest.mark.parametrize("shape", [(1, 32, 32), (3, 45, 70), (1, 17, 33), (2, 64, 31)])
def test_free_sizes_are_free(graph, opened, small, shape):
    """Of both files, odd ones and single pictures too."""
    count, *size = shape
    images = torch.rand(count, 3, *size)
    with torch.inference_mode():
        expected = small.model(images).softmax(dim=1)
        for function in (open_graph(graph, "graph"), opened[0]):
            torch.testing.assert_close(function(images), expected, atol=1e-5, rtol=0)


def test_a_file_for_one_size_takes_smaller_tiles_and_refuses_larger_ones(graph, small):
    """Smaller ones are padded and cut; the message says what fits."""
    fixed = onnx.load_from_string(graph)
    onnx.helper.set_model_props(fixed, shipped.metadata(small, any_size=False))
    for_one = open_graph(fixed.SerializeToString(), "fixed")
    images = torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(for_one(images), small.model(images).softmax(dim=1), atol=1e-5, rtol=0)
    assert for_one(images[..., :20, :30]).shape == (2, 2, 20, 30)
    with pytest.raises(ConfigError, match=r"(?s)one size.*32 x 33.*tile=null"):
        for_one(torch.rand(1, 3, 32, 33))
    picture = np.zeros((80, 70, 3), np.uint8)
    assert Predictor(trained=for_one)(picture).shape == (2, 80, 70)


@pytest.mark.slow
def test_what_only_seems_to_fit_any_size_is_made_for_the_tile(small):
    """A check that fails at other sizes decides; one that fails at all sizes is the end."""

    def check(exported):
        if exported.any_size:
            raise ArtefactError("departs")
        return "fine"

    exported, said = widest(export, small, check)
    assert (exported.any_size, said) == (False, "fine")

    def never(exported):
        raise ArtefactError("departs")

    with pytest.raises(ArtefactError, match="departs"):
        widest(export, small, never)


def test_a_departure_beyond_the_tolerance_is_refused(small, small_export, graph):
    """As when the file is another model's."""
    exported = Exported(onnx=graph, program=small_export.path("model.pt2").read_bytes(), any_size=True)
    other = Trained(
        model=build(small.model.spec, small.classes, weights=None, seed=5), working=Working(), tile_hw=(32, 32), step=0
    )
    other.model.eval()
    with pytest.raises(ArtefactError, match=r"(?s)departs from the model.*0\.0001 at most"):
        Check(trained=other, pictures=[], tolerance=1e-4, seed=0)(exported)
    with pytest.raises(ConfigError, match="tolerance"):
        Check(trained=other, pictures=[], tolerance=0.0, seed=0)


def test_numbers_that_are_none_count_as_infinitely_far_off():
    """They compare as neither more nor less."""
    parity = Parity()
    parity.add(torch.zeros(1, 2, 2, 2), torch.full((1, 2, 2, 2), float("nan")))
    assert parity.largest == float("inf")


@pytest.mark.parametrize(("value", "shown"), [(0.0, 0.0), (1.19e-7, 2e-7), (0.3, 0.3), (0.31, 0.4), (0.95, 1.0)])
def test_differences_are_rounded_up(value, shown):
    """A stated bound holds."""
    assert round_up(value) == shown


@pytest.mark.parametrize("size", [(10, 50), (50, 10), (32, 32), (90, 91)])
def test_the_middle_of_any_picture_makes_a_tile(size):
    """Its own pixels, at its own scale."""
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    tile = tile_of(image, (32, 32))
    assert tile.shape == (1, 3, 32, 32)
    top, left = (max(side - 32, 0) // 2 for side in size)
    rows, columns = (min(side, 32) for side in size)
    expected = torch.from_numpy(image[top : top + rows, left : left + columns]).permute(2, 0, 1) / 255
    torch.testing.assert_close(tile[0, :, :rows, :columns], expected)


def test_eight_bits_are_smaller_and_nearly_as_good(small_export):
    """On the pictures it was fitted to."""
    metrics = json.loads(small_export.path("metrics.json").read_text())
    whole, small = (metrics["files"][name] for name in ("model.onnx", "model_int8.onnx"))
    assert small["bytes"] < whole["bytes"] / 2
    assert small["equal_argmax"] > 0.9
    assert metrics["miou"]["model_int8.onnx"] > metrics["miou"]["model.onnx"] - 0.1


def test_quantising_is_repeatable_and_keeps_the_metadata(graph, small, bright):
    """Predict needs nothing beside the file."""
    tiles = [tile_of(bright.image(sample), (32, 32)) for sample in bright.samples[:4]]
    one, two = (quantise(graph, tiles, where="here") for _ in range(2))
    assert one == two
    assert open_graph(one, "int8").classes == small.classes


def test_a_file_of_someone_elses_is_no_model_of_ours(tmp_path):
    """Valid ONNX without our metadata, a broken file, none at all."""
    plain = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    node = onnx.helper.make_node("Identity", ["x"], ["y"])
    out = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    graph = onnx.helper.make_model(onnx.helper.make_graph([node], "g", [plain], [out]), ir_version=10)
    onnx.save(graph, tmp_path / "plain.onnx")
    (tmp_path / "broken.onnx").write_bytes(b"not ONNX")
    for name, said in (
        ("plain", "not one that factory export wrote"),
        ("broken", "unreadable"),
        ("gone", "unreadable"),
    ):
        with pytest.raises(FactoryError, match=f"(?s){said}.*{name}"):
            onnx_model.load(tmp_path / f"{name}.onnx")


def test_the_program_holds_the_metadata_too(opened, small):
    """For users of torch."""
    assert json.loads(opened[1]["class_names"]) == list(small.classes.names)


def test_a_full_disk_is_no_fault_of_the_model_to_be_quantised(graph, monkeypatch):
    """It was advised to leave int8=false."""

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(quantising, "quant_pre_process", full)
    with pytest.raises(OSError, match="No space left"):
        quantise(graph, [], where="here")
