"""How far an exported file departs from the model it was made of."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from factory.core.errors import ArtefactError, ConfigError
from factory.core.seeds import generator
from factory.segment.checkpoint import Trained
from factory.segment.data import Size
from factory.segment.export import Exported
from factory.segment.onnx_model import open_graph
from factory.segment.predict import TileFunction, probabilities, to_unit
from factory.segment.torchscript import TorchScript, open_script

Image8 = npt.NDArray[np.uint8]


@dataclass
class Parity:
    """Differences so far between two sets of class probabilities (N, K, H, W)."""

    largest: float = 0.0
    equal: int = 0
    pixels: int = 0

    def add(self, expected_nkhw: Tensor, found_nkhw: Tensor) -> None:
        """Compare one more batch; values that are no numbers count as infinitely far off."""
        difference = float((expected_nkhw - found_nkhw).abs().max())
        self.largest = max(self.largest, math.inf if math.isnan(difference) else difference)
        same_nhw = expected_nkhw.argmax(dim=1) == found_nkhw.argmax(dim=1)
        self.equal, self.pixels = self.equal + int(same_nhw.sum()), self.pixels + same_nhw.numel()

    def figures(self) -> dict[str, Any]:
        """The largest absolute difference, rounded up to one digit, and the share of pixels of equal class."""
        return {"largest_difference": round_up(self.largest), "equal_argmax": self.equal / max(self.pixels, 1)}


@dataclass(frozen=True, kw_only=True)
class Check:
    """Compares files with the segmenter they were made of, on noise of every size they take and on ``pictures``.

    ``pictures`` are batches of tiles, (N, 3, h, w) in [0, 1]; noise is drawn from ``seed``.
    """

    trained: Trained
    pictures: Sequence[Tensor]
    tolerance: float
    seed: int

    def __post_init__(self) -> None:
        if not 0 < self.tolerance < 1:
            raise ConfigError("tolerance is a difference of probabilities", got=self.tolerance, expected="0 to 1")

    def __call__(self, exported: Exported) -> dict[str, Parity]:
        """The departure of both files; `ArtefactError` for one beyond the tolerance."""
        found: dict[str, TileFunction] = {
            "ONNX": open_graph(exported.onnx, "the exported graph"),
            "the exported program": torch.export.load(io.BytesIO(exported.program)).module(),
        }
        return {name: self._required(name, function, exported.any_size) for name, function in found.items()}

    def of_script(self, scripted: TorchScript) -> Parity:
        """The departure of a TorchScript file, under the same condition."""
        return self._required("TorchScript", open_script(scripted.content, "the traced program"), scripted.any_size)

    def parity(self, function: TileFunction, *, any_size: bool) -> Parity:
        """The departure of one tile function, on noise and pictures."""
        rng = generator(self.seed, "parity")
        return self._compare(
            function, [*random_images(self.trained.tile_hw, any_size=any_size, rng=rng), *self.pictures]
        )

    def on_pictures(self, function: TileFunction) -> Parity:
        """The same on pictures alone."""
        return self._compare(function, self.pictures)

    def _required(self, name: str, function: TileFunction, any_size: bool) -> Parity:
        parity = self.parity(function, any_size=any_size)
        if parity.largest > self.tolerance:
            raise ArtefactError(
                f"{name} departs from the model",
                where=f"{self.trained.model.spec.architecture} on {self.trained.model.spec.encoder}",
                got=f"probabilities that differ by {round_up(parity.largest)}",
                expected=f"{self.tolerance} at most",
                todo="use the checkpoint, or raise tolerance if that is near enough",
            )
        return parity

    def _compare(self, function: TileFunction, images: Sequence[Tensor]) -> Parity:
        expected, parity = probabilities(self.trained.model), Parity()
        with torch.inference_mode():
            for images_nchw in images:
                parity.add(expected(images_nchw), function(images_nchw))
        return parity


def random_images(tile_hw: Size, *, any_size: bool, rng: np.random.Generator) -> Iterator[Tensor]:
    """Uniform noise: one and two tiles; where sizes are free also two that are larger, smaller and odd, and a strip."""
    tall, wide = tile_hw
    shapes = [(1, tall, wide), (2, tall, wide)]
    if any_size:
        shapes += [(1, 3 * tall // 4, 4 * wide // 3 + 1), (1, 4 * tall // 3 + 1, 3 * wide // 4), (1, tall, 17)]
    for count, height, width in shapes:
        yield torch.from_numpy(rng.random((count, 3, height, width), np.float32))


def tile_of(image_hwc: Image8, tile_hw: Size) -> Tensor:
    """The middle of a picture as one tile (1, 3, h, w) in [0, 1]; a smaller picture's border is repeated."""
    for axis, side in enumerate(tile_hw):
        start = max(image_hwc.shape[axis] - side, 0) // 2
        image_hwc = image_hwc.take(range(start, min(start + side, image_hwc.shape[axis])), axis)
    missing = [(0, side - have) for side, have in zip(tile_hw, image_hwc.shape[:2], strict=True)]
    padded_hwc = np.pad(image_hwc, (*missing, (0, 0)), mode="edge")
    return to_unit(torch.from_numpy(padded_hwc).permute(2, 0, 1)[None]).contiguous()


def round_up(value: float) -> float:
    """To one significant digit, so that the last bits of a sum do not show."""
    if not value or math.isinf(value):
        return value
    step = 10.0 ** math.floor(math.log10(value))
    return float(f"{math.ceil(value / step) * step:.1g}")
