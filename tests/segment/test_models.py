"""Segmenters: every architecture, any size, the split for MC-dropout, and what they say besides logits."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.nn.modules.dropout import _DropoutNd

from factory.core.classes import ClassList
from factory.core.errors import ConfigError, MachineError, TrainingError
from factory.segment import architectures, checkpoint
from factory.segment.architectures import ARCHITECTURES
from factory.segment.latency import describe
from factory.segment.models import Outputs, Segmenter, SegmenterSpec, build
from factory.segment.predict import ready
from factory.segment.working import Working

CLASSES = ClassList.of(["ground", "coin", "paper"])
WIDTHS = {name: one.width and max(one.width_step, 32) for name, one in ARCHITECTURES.items()}


def spec_of(architecture: str, **changes) -> SegmenterSpec:
    """A small random specification."""
    given = {"encoder": "mobilenet_v2", "decoder_channels": WIDTHS[architecture], "decoder_dropout": 0.5}
    return SegmenterSpec(architecture=architecture, **{**given, "head_dropout": 0.5, **changes})


@pytest.fixture(scope="module", params=ARCHITECTURES)
def model(request):
    """A small random segmenter of each architecture, with a head for edges, whose batch statistics are real ones."""
    model = build(spec_of(request.param, edge_head=True), CLASSES, weights=None, seed=0).train()
    for norm in model.modules():
        if isinstance(norm, torch.nn.BatchNorm2d):
            norm.momentum = None
    with torch.no_grad():
        model.outputs(torch.rand(4, 3, 96, 96))
    return model.eval()


def test_logits_have_the_images_size_whatever_it_is(model):
    """No caller needs to know the stride; one pixel is a picture."""
    for size in ((32, 48), (45, 70), (17, 33), (1, 1), (3, 100)):
        with torch.inference_mode():
            assert tuple(model(torch.rand(2, 3, *size)).shape) == (2, 3, *size)


def test_made_ready_to_predict_it_says_the_same_with_fewer_layers(model):
    """But for rounding; the model itself is not touched."""
    before = {name: value.clone() for name, value in model.state_dict().items()}
    small, images = ready(model), torch.rand(2, 3, 45, 70)
    layers, fewer = (sum(isinstance(one, torch.nn.BatchNorm2d) for one in each.modules()) for each in (model, small))
    assert fewer < layers / 2
    with torch.inference_mode():
        for name, ours, theirs in zip(Outputs._fields, small.outputs(images), model.outputs(images), strict=True):
            torch.testing.assert_close(
                ours, theirs, rtol=1e-3, atol=1e-4, msg=lambda text, name=name: f"{name}: {text}"
            )
    assert all((value == before[name]).all() for name, value in model.state_dict().items())


def test_every_dropout_layer_comes_after_the_features(model):
    """With dropout on, the answers differ while the encoder's do not."""
    inside = set(model.network.encoder.modules())
    active = [one for one in model.modules() if isinstance(one, _DropoutNd) and one.p > 0 and one not in inside]
    assert len(active) == 1 + (ARCHITECTURES[model.spec.architecture].dropout is not None)
    for layer in active:
        layer.train()
    with torch.inference_mode():
        images = torch.rand(1, 3, 64, 64)
        first, second = (model.features(images) for _ in range(2))
        assert all((a == b).all() for a, b in zip(first, second, strict=True))
        assert (model(images) != model(images)).any()
    model.eval()


def test_outputs_are_the_logits_and_what_they_are_made_of(model):
    """Features at the decoder's own resolution, edges at the pictures'."""
    images = torch.rand(2, 3, 33, 50)
    with torch.inference_mode():
        found = model.outputs(images)
        assert (found.logits_nkhw == model(images)).all()
    assert tuple(found.edges_n1hw.shape) == (2, 1, 33, 50)
    padded = [length + -length % model.spec.stride for length in (33, 50)]
    assert padded[0] % found.features_nchw.shape[2] == padded[1] % found.features_nchw.shape[3] == 0


def test_one_training_step_moves_every_part(model, tmp_path):
    """And a checkpoint of the result answers as it does, under torch's deterministic algorithms."""
    learner = build(model.spec, CLASSES, weights=None, seed=1).train()
    before = {name: [one.detach().clone() for one in part.parameters()] for name, part in learner.parts().items()}
    optimiser = torch.optim.SGD([*learner.encoder_parameters(), *learner.decoder_parameters()], lr=0.1)
    torch.use_deterministic_algorithms(True)
    try:
        found = learner.outputs(torch.rand(2, 3, 32, 48))
        (found.logits_nkhw.square().mean() + found.edges_n1hw.square().mean()).backward()
    finally:
        torch.use_deterministic_algorithms(False)
    optimiser.step()
    for name, part in learner.parts().items():
        assert any((new != old).any() for new, old in zip(part.parameters(), before[name], strict=True)), name
    (tmp_path / "m.ckpt").write_bytes(
        checkpoint.encode(checkpoint.Trained(model=learner, working=Working(), tile_hw=(32, 48), step=1))
    )
    loaded, images = checkpoint.load(tmp_path / "m.ckpt").model, torch.rand(1, 3, 32, 48)
    assert loaded.spec == model.spec
    with torch.inference_mode():
        assert (loaded(images) == learner.eval()(images)).all()


def test_forward_does_not_pay_for_edges():
    """Nor does a model without that head hold its weights."""
    with_edges = build(spec_of("fpn", edge_head=True), CLASSES, weights=None, seed=0).eval()
    calls = []
    with_edges.edge_head.register_forward_hook(lambda *_: calls.append(1))
    without = build(spec_of("fpn"), CLASSES, weights=None, seed=0).eval()
    with torch.inference_mode():
        with_edges(torch.rand(1, 3, 32, 32))
        assert without.outputs(torch.rand(1, 3, 32, 32)).edges_n1hw is None
    assert not calls
    assert not any("edge" in name for name in without.state_dict())
    assert len(with_edges.decoder_parameters()) > len(without.decoder_parameters())


@pytest.mark.parametrize("architecture", [name for name, one in ARCHITECTURES.items() if one.width])
def test_a_wider_decoder_has_more_weights(architecture):
    """Whatever the architecture calls its width."""
    narrow, wide = (Segmenter(spec_of(architecture, decoder_channels=width), CLASSES) for width in (64, 128))
    assert sum(p.numel() for p in narrow.decoder_parameters()) < sum(p.numel() for p in wide.decoder_parameters())


@pytest.mark.parametrize("architecture", ["unet", "unetplusplus"])
def test_attention_is_in_the_decoder_where_it_is_asked_for(architecture):
    """Spatial and channel excitation."""
    plain, attentive = (Segmenter(spec_of(architecture, attention=kind), CLASSES) for kind in (None, "scse"))
    names = [type(part).__name__ for part in attentive.modules()]
    assert "SCSEModule" in names
    assert "SCSEModule" not in [type(part).__name__ for part in plain.modules()]
    with torch.inference_mode():
        assert tuple(attentive.eval()(torch.rand(1, 3, 20, 30)).shape) == (1, 3, 20, 30)


@pytest.mark.parametrize("encoder", ["tu-resnet18", "tu-mobilenetv3_small_050", "tu-convnext_atto", "mit_b0"])
@pytest.mark.parametrize("architecture", ["unet", "fpn", "deeplabv3plus", "segformer", "upernet"])
def test_encoders_of_timm_and_transformers_go_with_it(architecture, encoder):
    """Also those whose first features are at a quarter of the picture."""
    model = Segmenter(spec_of(architecture, encoder=encoder), CLASSES).eval()
    with torch.inference_mode():
        assert tuple(model(torch.rand(1, 3, 33, 65)).shape) == (1, 3, 33, 65)


def test_windowed_transformers_take_any_size_too():
    """Timm's swin wants to be asked."""
    model = Segmenter(spec_of("fpn", encoder="tu-swin_tiny_patch4_window7_224"), CLASSES).eval()
    with torch.inference_mode():
        assert tuple(model(torch.rand(1, 3, 50, 70)).shape) == (1, 3, 50, 70)


@pytest.mark.parametrize(
    ("architecture", "encoder"),
    [
        ("deeplabv3", "tu-pvt_v2_b0"),
        ("deeplabv3plus", "densenet121"),
        ("fcn", "tu-ghostnet_100"),
        ("lraspp", "tu-efficientvit_b0"),
        ("linknet", "mit_b0"),
        ("unetplusplus", "mit_b0"),
    ],
)
def test_an_encoder_the_architecture_cannot_use_is_refused_with_one_that_can(architecture, encoder):
    """Named, and true: the other one is tried before it is recommended."""
    with pytest.raises(ConfigError, match=f"(?s){architecture} cannot use the encoder {encoder}.*choose model=fpn"):
        build(spec_of(architecture, encoder=encoder, decoder_dropout=0.0), CLASSES, weights=None, seed=0)
    Segmenter(spec_of("fpn", encoder=encoder), CLASSES)


def test_an_encoder_that_none_can_use_is_refused_with_another():
    """A plain vision transformer has one scale."""
    with pytest.raises(ConfigError, match=r"(?s)cannot use the encoder tu-vit_tiny.*another encoder"):
        Segmenter(spec_of("unet", encoder="tu-vit_tiny_patch16_224"), CLASSES)


@pytest.mark.parametrize(
    ("wrong", "close"), [("resnet19", "resnet18"), ("tu-convnext_ato", "tu-convnext_atto"), ("Ä", "mobilenet_v2")]
)
def test_a_misspelt_encoder_is_answered_with_close_names(wrong, close):
    """Before anything is built."""
    with pytest.raises(ConfigError, match=f"(?s)unknown model.encoder.*{close}"):
        SegmenterSpec(encoder=wrong)


@pytest.mark.parametrize("architecture", ["deeplabv3", "deeplabv3plus", "upernet"])
def test_a_single_picture_to_learn_from_is_refused_where_a_pooled_map_is_one_pixel(architecture):
    """Batch normalisation would have one value to compare."""
    model = build(spec_of(architecture), CLASSES, weights=None, seed=0).train()
    with pytest.raises(TrainingError, match=r"(?s)batch normalisation.*train\.batch"):
        model(torch.rand(1, 3, 64, 64))


@pytest.mark.parametrize("architecture", ["unet", "fpn", "pspnet", "segformer", "lraspp"])
def test_a_single_picture_is_enough_elsewhere(architecture):
    """As long as its smallest map has some pixels."""
    build(spec_of(architecture), CLASSES, weights=None, seed=0).train()(torch.rand(1, 3, 64, 64))


def test_the_seed_decides_the_first_weights():
    """And the caller's random stream is left alone."""
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one, two, three = (build(spec_of("unet"), CLASSES, weights=None, seed=seed).state_dict() for seed in (0, 0, 1))
    assert (before == torch.get_rng_state()).all()
    assert all((one[key] == two[key]).all() for key in one)
    assert any((one[key] != three[key]).any() for key in one)


def test_a_model_says_how_long_it_takes_and_is_left_as_it_was():
    """For people at a terminal."""
    model = build(spec_of("lraspp"), CLASSES, weights=None, seed=0).train()
    model.network.encoder.eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    said = describe(model, (32, 48))
    assert said.startswith("lraspp on mobilenet_v2: ")
    assert " M weights, " in said
    assert "ms a picture of 32×48 on " in said
    assert model.training
    assert not model.network.encoder.training
    assert all((before[name] == value).all() for name, value in model.state_dict().items())


OFFLINE = """
import sys
from factory.core.classes import ClassList
from factory.segment.models import SegmenterSpec, build
from factory.segment.working import Working
build(SegmenterSpec(encoder=sys.argv[1], encoder_weights=sys.argv[2]), ClassList.of(["a", "b"]), weights=None, seed=0)
"""


def offline(folder: Path, encoder: str, hub: str) -> str:
    """What building says without a network; a process of its own: the hub's client reads its settings when imported."""
    settings = dict(os.environ) | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(folder)}
    command = [sys.executable, "-W", "error", "-c", OFFLINE, encoder, hub]
    return subprocess.run(command, capture_output=True, text=True, env=settings, check=False).stderr


@pytest.mark.slow
@pytest.mark.parametrize("encoder", ["mobilenet_v2", "tu-mobilenetv3_small_100"])
def test_a_hub_that_cannot_be_reached_is_one_clear_message(tmp_path, encoder):
    """With the three ways out of it."""
    said = offline(tmp_path, encoder, "imagenet")
    assert f"MachineError: {encoder} weights 'imagenet' cannot be had from the model hub" in said
    assert "inputs.weights" in said


@pytest.mark.slow
def test_weights_the_hub_does_not_have_are_no_fault_of_the_network(tmp_path):
    """Misspelt, or never trained."""
    assert "ConfigError: there are no weights of that name" in offline(tmp_path, "mobilenet_v2", "imagnet")
    assert "ConfigError: timm has no weights" in offline(tmp_path, "tu-efficientnet_b6", "imagenet")
    assert "ConfigError: deeplabv3plus cannot use" in offline(tmp_path, "vgg11", "imagenet")


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
        {"decoder_channels": 0},
        {"decoder_channels": 32, "architecture": "fpn"},
        {"decoder_channels": 32, "architecture": "linknet"},
        {"attention": "cbam", "architecture": "unet"},
        {"attention": "scse", "architecture": "fpn"},
    ],
)
def test_impossible_specifications_are_refused_by_name(wrong):
    """At start-up, with what is possible."""
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        SegmenterSpec(**wrong)


def test_specifications_of_older_checkpoints_still_open(tmp_path):
    """They know neither attention nor edges."""
    model = build(replace(spec_of("unet"), encoder="resnet18"), CLASSES, weights=None, seed=0)
    data = checkpoint.encode(checkpoint.Trained(model=model, working=Working(), tile_hw=(32, 32), step=1))
    (tmp_path / "new.ckpt").write_bytes(data)
    content = checkpoint.read(tmp_path / "new.ckpt")
    for key in ("attention", "edge_head"):
        del content["spec"][key]
    (tmp_path / "old.ckpt").write_bytes(checkpoint.dump(content))
    assert checkpoint.load(tmp_path / "old.ckpt").model.spec == model.spec


def test_a_network_without_memory_for_it_is_no_fault_of_its_encoder(monkeypatch):
    """Another encoder was advised, whatever the decoder's width."""
    said = "DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"

    def made(*_):
        raise RuntimeError(said)

    monkeypatch.setattr(architectures, "_made", made)
    with pytest.raises(MachineError, match=r"(?s)out of memory.*9 bytes.*decoder_channels"):
        Segmenter(SegmenterSpec(architecture="unet"), CLASSES)
