"""Segmenters: every architecture, any size, the split for MC-dropout, and weights from a file."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from factory.core.classes import ClassList
from factory.core.errors import ConfigError, InputError
from factory.segment.models import SegmenterSpec, build

CLASSES = ClassList.of(["ground", "coin", "paper"])
SPECS = {
    "unet": SegmenterSpec(
        architecture="unet",
        encoder="tu-mobilenetv3_small_050",
        decoder_channels=32,
        decoder_dropout=0.0,
        head_dropout=0.5,
    ),
    "deeplabv3plus": SegmenterSpec(architecture="deeplabv3plus", encoder="mobilenet_v2", decoder_channels=16),
    "fpn": SegmenterSpec(architecture="fpn", encoder="tu-mobilenetv3_small_050", decoder_channels=64),
}


@pytest.fixture(scope="module", params=SPECS)
def model(request):
    """A small random segmenter of each architecture."""
    return build(SPECS[request.param], CLASSES, weights=None, seed=0).eval()


def test_logits_have_the_images_size_whatever_it_is(model):
    """No caller needs to know the stride."""
    for size in ((32, 32), (45, 70), (17, 33)):
        with torch.inference_mode():
            assert tuple(model(torch.rand(2, 3, *size)).shape) == (2, 3, *size)


def test_encode_once_and_decode_many_times_equals_the_whole(model):
    """In evaluation mode both are deterministic."""
    images = torch.rand(2, 3, 40, 48)
    with torch.inference_mode():
        features = model.encode(images)
        torch.testing.assert_close(model(images), model.decode(features, (40, 48)))
        torch.testing.assert_close(model(images), model.decode(features, (40, 48)))


def test_every_dropout_layer_comes_after_encode(model):
    """With dropout on, the decoder's answers differ while the encoder's do not."""
    layers = [layer for layer in model.modules() if isinstance(layer, torch.nn.Dropout | torch.nn.Dropout2d)]
    active = [layer for layer in layers if layer.p > 0 and layer not in set(model.network.encoder.modules())]
    assert active
    for layer in active:
        layer.train()
    with torch.inference_mode():
        images = torch.rand(1, 3, 64, 64)
        first, second = (model.encode(images) for _ in range(2))
        assert all((a == b).all() for a, b in zip(first, second, strict=True))
        assert (model.decode(first, (64, 64)) != model.decode(first, (64, 64))).any()
    model.eval()


def test_the_seed_decides_the_first_weights():
    """And the caller's random stream is left alone."""
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one, two, three = (build(SPECS["unet"], CLASSES, weights=None, seed=seed).state_dict() for seed in (0, 0, 1))
    assert (before == torch.get_rng_state()).all()
    assert all((one[key] == two[key]).all() for key in one)
    assert any((one[key] != three[key]).any() for key in one)


def test_encoder_weights_come_from_a_file_that_may_hold_more(tmp_path):
    """Such as a classifier."""
    donor = build(SPECS["deeplabv3plus"], CLASSES, weights=None, seed=1).network.encoder.state_dict()
    save_file({**donor, "classifier.1.weight": torch.zeros(2, 2)}, tmp_path / "w.safetensors")
    asked = replace(SPECS["deeplabv3plus"], encoder_weights="imagenet")
    model = build(asked, CLASSES, weights=tmp_path / "w.safetensors", seed=0)
    assert model.spec.mean_and_std() == ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    assert all((donor[key] == value).all() for key, value in model.network.encoder.state_dict().items())


@pytest.mark.parametrize("content", [b"no weights at all", None])
def test_a_file_of_other_weights_is_refused_and_says_what_is_missing(tmp_path, content):
    """Unreadable, or of another encoder."""
    path = tmp_path / "w.safetensors"
    if content is None:
        save_file({"features.0.0.weight": torch.zeros(1)}, path)
    else:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"(?s)weights file.*w\.safetensors"):
        build(SPECS["unet"], CLASSES, weights=path, seed=0)


OFFLINE = """
from factory.core.classes import ClassList
from factory.segment.models import SegmenterSpec, build
build(SegmenterSpec(encoder_weights="imagenet"), ClassList.of(["a", "b"]), weights=None, seed=0)
"""


@pytest.mark.slow
def test_a_hub_that_cannot_be_reached_is_one_clear_message(tmp_path):
    """With the three ways out of it. A process of its own: the hub's client reads its settings when imported."""
    settings = dict(os.environ) | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    ended = subprocess.run([sys.executable, "-c", OFFLINE], capture_output=True, text=True, env=settings, check=False)
    assert "MachineError: mobilenet_v2 weights 'imagenet' cannot be had from the model hub" in ended.stderr
    assert "inputs.weights" in ended.stderr


def test_input_statistics_follow_where_the_weights_come_from():
    """Hub weights want mean and standard deviation, the offline file [-1, 1]; an explicit choice goes first."""
    assert SegmenterSpec(encoder_weights="imagenet").mean_and_std()[0] == (0.485, 0.456, 0.406)
    assert SegmenterSpec().mean_and_std() == ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    assert SegmenterSpec(normalisation="imagenet").mean_and_std()[1] == (0.229, 0.224, 0.225)


@pytest.mark.parametrize(
    "wrong",
    [
        {"architecture": "unett"},
        {"encoder": "resnet19"},
        {"normalisation": "none"},
        {"head_dropout": 1.0},
        {"decoder_channels": 20},
    ],
)
def test_impossible_specifications_are_refused_by_name(wrong):
    """At start-up, with what is possible."""
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        SegmenterSpec(**wrong)


def test_an_encoder_the_architecture_cannot_use_is_a_clear_message():
    """Timm names are checked only when the model is built."""
    with pytest.raises(ConfigError, match="tu-no_such_encoder"):
        build(SegmenterSpec(encoder="tu-no_such_encoder"), CLASSES, weights=None, seed=0)
