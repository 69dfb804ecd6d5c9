"""Twenty draws of Monte-Carlo dropout beside one plain forward pass, and beside twenty whole ones."""

import time
from collections.abc import Callable
from statistics import median

import pytest
import torch
from torch.nn.modules.dropout import _DropoutNd

from factory.acquire.mc_dropout import McDropout
from factory.core.classes import ClassList
from factory.segment import checkpoint
from factory.segment.models import Segmenter, SegmenterSpec, build
from factory.segment.predict import Predictor
from factory.segment.working import Working

CLASSES = ClassList.of([f"class {number}" for number in range(11)])
PASSES, ROUNDS = 20, 9


def seconds(work: Callable[[], object]) -> float:
    """Of the processor."""
    began = time.process_time()
    work()
    return time.process_time() - began


def naive(model: Segmenter, images: torch.Tensor) -> torch.Tensor:
    """Whole forward passes with dropout on, one after the other."""
    for layer in model.modules():
        if isinstance(layer, _DropoutNd):
            layer.train()
    kept = torch.stack([model(images).softmax(dim=1) for _ in range(PASSES)])
    model.eval()
    return kept.mean(dim=0)


@pytest.mark.slow
def test_twenty_draws_cost_at_most_three_plain_passes() -> None:
    """360 × 480, MobileNetV2 DeepLabv3+, one thread; medians of rounds in which all take turns."""
    spec = SegmenterSpec(architecture="deeplabv3plus", encoder="mobilenet_v2")
    model = build(spec, CLASSES, weights=None, seed=0).eval()
    trained = checkpoint.Trained(model=model, working=Working(), tile_hw=(360, 480), step=0)
    images, sample = torch.rand(1, 3, 360, 480), McDropout(passes=PASSES)(Predictor(trained=trained), ())
    ways = {
        "plain": lambda: model(images).softmax(dim=1),
        "draws": lambda: sample(images),
        "naive": lambda: naive(model, images),
    }
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            rounds = [{name: seconds(work) for name, work in ways.items()} for _ in range(ROUNDS)]
    finally:
        torch.set_num_threads(before)
    plain, drawn, whole = (median(one[name] for one in rounds) for name in ways)
    print(
        f"\n{PASSES} draws: {1000 * drawn:.0f} ms, {drawn / plain:.2f} plain passes ({1000 * plain:.0f} ms);", end=" "
    )
    print(f"whole passes {1000 * whole:.0f} ms, {whole / drawn:.1f} times as long")
    assert drawn <= 3 * plain
