"""Draws of a segmenter whose dropout layers drop are what forward passes would give, at less work."""

import pytest
import torch
from torch import nn
from torch.nn.modules.dropout import _DropoutNd

from factory.segment.architectures import ARCHITECTURES
from factory.segment.chance import LEAST, LN_2, Draw, draws, dropping
from factory.segment.models import Segmenter, build
from tests.segment.test_models import CLASSES, spec_of

SIZES = ((64, 96), (45, 70))


@pytest.fixture(scope="module", params=ARCHITECTURES)
def model(request) -> Segmenter:
    """A small random segmenter of each architecture, its batch statistics real ones."""
    model = build(spec_of(request.param), CLASSES, weights=None, seed=0).train()
    for norm in model.modules():
        if isinstance(norm, torch.nn.BatchNorm2d):
            norm.momentum = None
    with torch.no_grad():
        model(torch.rand(4, 3, 96, 96))
    return model.eval()


def whole(draw: Draw) -> torch.Tensor:
    """All strips of one draw, as log-probabilities."""
    return (torch.cat(list(draw()), dim=2) * LN_2).log_softmax(dim=1)


def naive(model: Segmenter, images: torch.Tensor, count: int) -> list[torch.Tensor]:
    """Log-probabilities of whole passes in which each dropout layer of decoder and head drops by draws' own numbers."""
    inside = set(model.network.encoder.modules())
    layers = [layer for layer in model.modules() if isinstance(layer, _DropoutNd) and layer not in inside]
    with pytest.MonkeyPatch.context() as patch:
        for layer in layers:
            patch.setattr(layer, "forward", lambda maps, layer=layer: dropping(layer, maps)())
        return [model(images).log_softmax(dim=1) for _ in range(count)]


@pytest.mark.parametrize(("layer", "drawn"), [(nn.Dropout(0.3), 40 * 50 * 64), (nn.Dropout2d(0.3), 40 * 50)])
def test_as_much_is_dropped_as_the_layer_says(layer, drawn) -> None:
    """Values one by one or channels as a whole, the others enlarged, as the layer does itself in training."""
    maps = torch.rand(40, 50, 8, 8) + 0.5
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for found in (dropping(layer, maps)(), layer.train()(maps)):
            gone = found == 0
            torch.testing.assert_close(found[~gone], (maps / 0.7)[~gone])
            assert abs(gone.float().mean() - 0.3) < 5 * (0.3 * 0.7 / drawn) ** 0.5
            shares = gone.float().mean(dim=(2, 3))
            assert ((shares == 0) | (shares == 1)).all() == isinstance(layer, nn.Dropout2d)
    assert (dropping(nn.Dropout(0.0), maps)() == maps).all()


@pytest.mark.parametrize("size", SIZES)
def test_the_same_chance_gives_the_same_probabilities(model, size) -> None:
    """Draw by draw, of several pictures at a time, of any size, and none of them as the one before."""
    images = torch.rand(2, 3, *size)
    with torch.inference_mode(), torch.random.fork_rng():
        torch.manual_seed(5)
        expected = naive(model, images, 3)
        torch.manual_seed(5)
        draw = draws(model, images, dtype=torch.float32)
        found = [whole(draw)[..., : size[0], : size[1]] for _ in range(3)]
    scale = expected[0].abs().max()
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == torch.float32
        torch.testing.assert_close(one / scale, other / scale, atol=1e-5, rtol=0)
    assert (found[0] != found[1]).any()


def test_few_bits_change_draws_less_than_chance_does(model) -> None:
    """Where the device is faster with 16 bits, they are used: rounding is small beside the spread of the draws."""
    images = torch.rand(1, 3, 64, 96)
    with torch.inference_mode(), torch.random.fork_rng():
        torch.manual_seed(5)
        unrounded = draws(model, images, dtype=torch.float32)
        exact = torch.stack([whole(unrounded) for _ in range(8)])
        torch.manual_seed(5)
        rounded = draws(model, images, dtype=torch.bfloat16)
        found = torch.stack([whole(rounded) for _ in range(8)])
    spread = exact.std(dim=0).mean()
    assert (found - exact).abs().mean() < 0.05 * spread


def test_what_is_sure_runs_once(model) -> None:
    """Encoder, and what the decoder does before its dropout; the rest a time for each draw."""
    calls = dict.fromkeys(("encoder", "aspp"), 0)
    decoder = model.network.decoder
    aspp = decoder.aspp[0] if model.spec.architecture == "deeplabv3plus" else getattr(decoder, "aspp", None)

    def counted(name: str):
        def count(*_) -> None:
            calls[name] += 1

        return count

    hooks = [model.network.encoder.register_forward_hook(counted("encoder"))]
    hooks += [aspp.register_forward_hook(counted("aspp"))] if aspp else []
    with torch.inference_mode():
        draw = draws(model, torch.rand(1, 3, 32, 32))
        for _ in range(4):
            whole(draw)
    for hook in hooks:
        hook.remove()
    assert calls == {"encoder": 1, "aspp": int(aspp is not None)}


def test_without_dropout_there_is_nothing_left_to_chance() -> None:
    """Every draw is the plain answer."""
    model = build(spec_of("deeplabv3plus", decoder_dropout=0.0, head_dropout=0.0), CLASSES, weights=None, seed=0).eval()
    images = torch.rand(1, 3, 40, 48)
    with torch.inference_mode():
        draw = draws(model, images, dtype=torch.float32)
        torch.testing.assert_close(whole(draw)[..., :40, :], model(images).log_softmax(dim=1))


def test_sure_models_overflow_nowhere() -> None:
    """Logits of thousands, whose powers no number holds."""
    model = build(spec_of("deeplabv3plus"), CLASSES, weights=None, seed=0).eval()
    model.temperature = 1e-6
    with torch.inference_mode():
        (strip,) = draws(model, torch.rand(1, 3, 32, 32))()
    assert strip.min() >= LEAST
    assert strip.max() <= 0
    assert (torch.exp2(strip).sum(dim=1) > 0).all()
