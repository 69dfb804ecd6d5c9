"""TorchScript: it says what the model says, at every size, is opened again, and is the same file every time."""

import io
import json
import subprocess
import sys
import zipfile

import pytest
import torch

from factory.core.classes import ClassList
from factory.core.errors import ArtefactError, ConfigError, FactoryError
from factory.segment import torchscript
from factory.segment.checkpoint import Trained, load
from factory.segment.export import widest
from factory.segment.models import ARCHITECTURES, SegmenterSpec, best_device, build
from factory.segment.parity import Check
from factory.segment.torchscript import open_script, trace
from factory.segment.working import Working

CLASSES = ClassList.of(["ground", "coin", "paper"])

BY_LIBTORCH = """
import json, sys, warnings
warnings.simplefilter("ignore")
import torch
said = {"metadata.json": ""}
model = torch.jit.load(sys.argv[1], map_location="cpu", _extra_files=said)
assert "factory" not in sys.modules
shape = list(model(torch.rand(3, 3, 45, 70)).shape)
print(json.dumps([shape, json.loads(json.loads(said["metadata.json"])["class_names"])]))
"""


def seen(architecture, encoder="mobilenet_v2"):
    """A model of a seed whose normalisation has seen noise, so that its classes differ."""
    model = build(SegmenterSpec(architecture=architecture, encoder=encoder), CLASSES, weights=None, seed=0)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        model.train()(torch.rand(4, 3, 96, 128, generator=generator))
    return Trained(model=model.eval(), working=Working(), tile_hw=(64, 96), step=0)


def checked(trained):
    """The file, and how far it departs."""
    return widest(trace, trained, Check(trained=trained, pictures=[], tolerance=1e-4, seed=0).of_script)


@pytest.fixture(scope="module")
def small(small_model):
    """The trained model, opened."""
    return load(small_model.path("best.ckpt"))


@pytest.fixture(scope="module")
def file(small_export):
    """The TorchScript file of the export."""
    return small_export.path("model.torchscript")


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_is_traced_for_any_size_and_agrees_with_torch(architecture):
    """Those that pool to a grid too, which ONNX cannot."""
    scripted, parity = checked(seen(architecture))
    assert scripted.any_size
    assert parity.largest < 1e-5
    assert parity.pixels


@pytest.mark.slow
@pytest.mark.parametrize("encoder", ["tu-mobilevitv2_050", "tu-swin_s3_tiny_224"])
def test_an_encoder_whose_decisions_hang_on_the_size_is_traced_for_the_tile(encoder):
    """Torch's tracer says so, whether or not it shows at the sizes that are tried."""
    trained = seen("unet", encoder)
    with pytest.raises(ConfigError, match="any size"):
        trace(trained, any_size=True)
    scripted, parity = checked(trained)
    assert not scripted.any_size
    assert parity.largest < 1e-4
    opened = open_script(scripted.content, "here")
    assert opened(torch.rand(2, 3, 40, 96)).shape == (2, 3, 40, 96)
    with pytest.raises(ConfigError, match="one size"):
        opened(torch.rand(1, 3, 64, 97))


def test_a_width_below_the_least_is_widened_like_the_models():
    """Tracing alone would keep the example's way past that decision."""
    trained = seen("fpn")
    images = torch.rand(1, 3, 70, 17)
    with torch.inference_mode():
        expected = trained.model(images).softmax(dim=1)
        found = open_script(trace(trained, any_size=True).content, "here")(images)
    torch.testing.assert_close(found.cpu(), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("shape", [(1, 32, 32), (3, 45, 70), (1, 17, 33), (2, 64, 31)])
def test_free_sizes_are_free(file, small, shape):
    """Odd ones and single pictures too."""
    count, *size = shape
    images = torch.rand(count, 3, *size)
    with torch.inference_mode():
        expected = small.model.cpu()(images).softmax(dim=1)
        torch.testing.assert_close(torchscript.load(file)(images), expected, atol=1e-5, rtol=0)


def test_equal_models_give_equal_bytes(small, file):
    """However many were traced before: torch numbers them."""
    assert trace(small, any_size=True).content == file.read_bytes()


def test_the_file_names_no_place_and_no_number_of_this_process(file):
    """Compressed records are looked into."""
    with zipfile.ZipFile(file) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    for name, content in held.items():
        words = (b"site-packages", b"segment/", b"mangle", b".py(")
        assert not [word for word in words if word in content], name
    assert [name for name in held if name.endswith(".py")] == ["archive/code/__torch__/factory/segment/torchscript.py"]


def test_a_program_without_the_factory_opens_it(file):
    """All it needs is torch; the classes are in the file."""
    command = [sys.executable, "-I", "-c", BY_LIBTORCH, str(file)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.stderr == ""
    assert json.loads(ended.stdout) == [[3, 2, 45, 70], ["ground", "coin"]]


def test_a_file_of_someone_elses_is_no_model_of_ours(tmp_path):
    """Valid TorchScript without our metadata or with other text, a broken file, none at all."""
    plain = io.BytesIO()
    with torchscript._warned(any_size=True):
        torch.jit.save(torch.jit.script(torch.nn.ReLU()), plain)
    (tmp_path / "plain.torchscript").write_bytes(plain.getvalue())
    for name, text in (("text", "not JSON"), ("list", "[1]"), ("other", "{}")):
        content = io.BytesIO(plain.getvalue())
        with zipfile.ZipFile(content, "a") as archive:
            archive.writestr(f"{archive.namelist()[0].split('/')[0]}/extra/metadata.json", text)
        (tmp_path / f"{name}.torchscript").write_bytes(content.getvalue())
    (tmp_path / "broken.torchscript").write_bytes(b"not TorchScript")
    wrong = dict.fromkeys(("plain", "text", "list", "other"), "not one that factory export wrote")
    for name, said in (wrong | {"broken": "unreadable", "gone": "unreadable"}).items():
        with pytest.raises(FactoryError, match=f"(?s){said}.*{name}"):
            torchscript.load(tmp_path / f"{name}.torchscript")


def test_a_departure_beyond_the_tolerance_is_refused(small, file):
    """As when the file is another model's."""
    model = build(small.model.spec, small.classes, weights=None, seed=5).eval()
    other = Trained(model=model, working=Working(), tile_hw=(32, 32), step=0)
    foreign = torchscript.TorchScript(content=file.read_bytes(), any_size=True)
    with pytest.raises(ArtefactError, match=r"(?s)TorchScript departs from the model.*0\.0001 at most"):
        Check(trained=other, pictures=[], tolerance=1e-4, seed=0).of_script(foreign)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_it_runs_where_the_model_would(small, file):
    """A file made on a CPU, on a GPU; what it says comes back to where the pictures are."""
    images = torch.rand(2, 3, 45, 70)
    with torch.inference_mode():
        found = torchscript.load(file)(images.to(best_device()))
        expected = small.model.cpu()(images).softmax(dim=1)
    assert found.device == best_device()
    torch.testing.assert_close(found.cpu(), expected, atol=1e-3, rtol=0)
