"""A network as `Predictor` keeps it beside the same network as it was trained: the same answer, turn about."""

import time
from statistics import median

import pytest
import torch

from factory.core.classes import ClassList
from factory.segment import checkpoint
from factory.segment.models import SegmenterSpec, best_device, build
from factory.segment.predict import Predictor
from factory.segment.working import Working

CLASSES = ClassList.of([f"class {number}" for number in range(11)])
ROUNDS = 15
MODELS = (
    ("deeplabv3plus", "mobilenet_v2"),
    ("deeplabv3plus", "resnet50"),
    ("unet", "resnet18"),
    ("unet", "efficientnet-b0"),
    ("fpn", "tu-convnext_tiny"),
    ("fpn", "tu-mobilenetv3_small_050"),
    ("segformer", "mit_b0"),
)


@pytest.mark.slow
@pytest.mark.parametrize(("architecture", "encoder"), MODELS)
def test_a_predictor_beside_the_network_it_was_given(architecture: str, encoder: str) -> None:
    """360 × 480, one picture, one thread, medians of processor time."""
    spec = SegmenterSpec(architecture=architecture, encoder=encoder)
    model = build(spec, CLASSES, weights=None, seed=0).eval().to(best_device())
    ready = Predictor(trained=checkpoint.Trained(model=model, working=Working(), tile_hw=(360, 480), step=0)).model
    images, before = torch.rand(1, 3, 360, 480, device=best_device()), torch.get_num_threads()
    times: dict[str, list[float]] = {"plain": [], "ready": []}
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            torch.testing.assert_close(ready(images), model(images), atol=1e-4, rtol=1e-3)
            for _ in range(ROUNDS):
                for name, network in (("plain", model), ("ready", ready)):
                    began = time.process_time()
                    network(images)
                    times[name].append(time.process_time() - began)
    finally:
        torch.set_num_threads(before)
    plain, fast = (1e3 * median(times[name]) for name in ("plain", "ready"))
    print(f"\n{architecture} on {encoder}: {fast:.0f} ms beside {plain:.0f} ms, {fast / plain:.2f} of the time")
