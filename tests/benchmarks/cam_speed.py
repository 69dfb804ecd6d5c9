"""Activation maps beside pytorch-grad-cam's: the same model, the same pictures, the same maps; and memory over many.

``python -m tests.benchmarks.cam_speed`` prints the rows that BENCHMARKS.md keeps: pictures a second of process time on
one thread, both measured in turns in one run. The peer (PyPI: grad-cam) is not a dependency of the project.
"""

import resource
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from factory.label.cam.frames import tensor
from factory.label.cam.methods import GradCam, GradCamPlusPlus, LayerCam, Method
from factory.label.cam.network import Classifier, ClassifierSpec
from factory.label.cam.views import Views

CLASSES, SIDE, ROUNDS = 5, 224, 5
METHODS: dict[str, Method] = {"GradCAM": GradCam(), "GradCAMPlusPlus": GradCamPlusPlus(), "LayerCAM": LayerCam()}
VIEWS = Views(scales=[1.0], flip=False)
Run = Callable[[np.ndarray, list[int]], np.ndarray]


class Logits(nn.Module):
    """GAP + linear, as the peer wants its model."""

    def __init__(self, model: Classifier) -> None:
        super().__init__()
        self.model = model

    def forward(self, images_nchw: Tensor) -> Tensor:
        """Logits (N, K)."""
        return self.model.maps(self.model.features(images_nchw))[:, 0].mean(dim=(-2, -1))


def classifier(encoder: str) -> Classifier:
    """With random weights, batch normalisation measuring noise once: else maps of deep random nets are flat."""
    spec = ClassifierSpec(encoder=encoder, encoder_weights=None, normalisation="imagenet", stages=[5])
    torch.manual_seed(0)
    model = Classifier(spec, CLASSES, 1).train()
    for _ in range(20):
        model.features(torch.rand(8, 3, 96, 96))
    model.eval()
    nn.init.normal_(model.head.weight, std=0.1)
    return model


def ours(model: Classifier, method: Method) -> Run:
    """Our maps of the asked classes, (K, h, w), each from 0 to 1."""
    model = model.to(memory_format=torch.channels_last).requires_grad_(False)

    def run(image: np.ndarray, asked: list[int]) -> np.ndarray:
        return normal(VIEWS([model], method, image, 0)[0, asked].numpy())

    return run


def theirs(model: Classifier, name: str) -> Run:
    """The peer's maps at the cells, before it enlarges them to the picture: a run for each class, as it works."""
    import pytorch_grad_cam
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    peer = getattr(pytorch_grad_cam, name)(model=Logits(model), target_layers=[model.norm])
    peer.get_target_width_height = lambda images: (images.shape[-1] // 32, images.shape[-2] // 32)

    def run(image: np.ndarray, asked: list[int]) -> np.ndarray:
        pixels = tensor(image)[None]
        return normal(np.concatenate([peer(pixels, [ClassifierOutputTarget(class_id)]) for class_id in asked]))

    return run


def normal(maps_khw: np.ndarray) -> np.ndarray:
    """Each from 0 to 1, as the peer's are."""
    low, high = (edge(axis=(1, 2), keepdims=True) for edge in (maps_khw.min, maps_khw.max))
    return (maps_khw - low) / np.maximum(high - low, 1e-7)


def rates(encoder: str, name: str, asked: list[int]) -> tuple[float, float, float]:
    """Pictures a second of ours and theirs (the median of the rounds), and the largest difference of a map."""
    images = np.random.default_rng(0).integers(0, 256, (4, SIDE, SIDE, 3), np.uint8)
    runs = (ours(classifier(encoder), METHODS[name]), theirs(classifier(encoder), name))
    difference = max(float(np.abs(runs[0](image, asked) - runs[1](image, asked)).max()) for image in images)
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for run, spent in zip(runs, seconds, strict=True):
            began = time.process_time()
            for image in images:
                run(image, asked)
            spent.append((time.process_time() - began) / len(images))
    first, second = (1 / float(np.median(spent)) for spent in seconds)
    return first, second, difference


def growth(count: int) -> tuple[float, float]:
    """Peak memory in MiB after a tenth of the pictures and after all of them, sizes changing."""
    run, rng, peaks = ours(classifier("mobilenet_v2"), GradCam()), np.random.default_rng(0), []
    for number in range(count):
        run(rng.integers(0, 256, (32 + number % 33, 64 - number % 17, 3), np.uint8), [0])
        if number + 1 in (count // 10, count):
            peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return peaks[0], peaks[1]


if __name__ == "__main__":
    torch.set_num_threads(1)
    for encoder in ("mobilenet_v2", "resnet18"):
        for name in METHODS:
            for asked in ([0], list(range(CLASSES))):
                fast, slow, off = rates(encoder, name, asked)
                rate = f"{fast:.1f} and {slow:.1f} a second, {fast / slow:.1f} times"
                print(f"{encoder} {name} {len(asked)} classes: {rate}; maps within {off:.1e}")
    first, last = growth(10_000)
    print(f"peak memory after 1000 pictures {first:.0f} MiB, after 10000 {last:.0f} MiB")
