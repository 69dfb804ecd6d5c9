"""The peer of `factory train`: the loop anyone would write with torch and segmentation-models-pytorch in an hour.

No augmentation but a flip, no schedule but poly decay, images decoded once. Reads the same sealed data sets, of clicks
the clicked pixels alone (what a labeler made of them is ours, not its), and is measured by the same confusion matrix.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import segmentation_models_pytorch as smp
import torch
from safetensors.torch import load_file
from torch.nn import functional

from factory.core.classes import IGNORE
from factory.core.dataset import Dataset
from factory.core.sample import Origin, Sample, Split
from factory.measure.iou import Confusion


def train_and_measure(data: Dataset, val: Dataset, weights: Path, *, steps: int, batch: int, seed: int) -> float:
    """mIoU on the validation rows after ``steps`` steps."""
    return _measure(train(data, weights, steps=steps, batch=batch, seed=seed).eval(), val)


def train(
    data: Dataset, weights: Path, *, steps: int, batch: int, seed: int, tick: Callable[[], None] = lambda: None
) -> torch.nn.Module:
    """The model after ``steps`` steps; lr 5e-4 encoder, 1e-3 decoder, AdamW, poly 0.9. Each step calls ``tick``."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model: Any = smp.DeepLabV3Plus("mobilenet_v2", encoder_weights=None, classes=len(data.classes))
    state = load_file(weights)
    model.encoder.load_state_dict({key: state[key] for key in model.encoder.state_dict()})
    images, masks = _all(data, Split.TRAIN)
    optimiser, decay = optimisation(model, steps)
    for step in range(steps):
        tick()
        rows = torch.from_numpy(rng.choice(len(images), batch, replace=False))
        chosen, target = images[rows].float() / 127.5 - 1, masks[rows]
        if rng.random() < 0.5:
            chosen, target = chosen.flip(-1), target.flip(-1)
        loss = functional.cross_entropy(logits(model, chosen), target, ignore_index=IGNORE)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        decay.step()
        if step % 50 == 49:
            print(f"plain loop: {step + 1}/{steps} loss {loss.item():.3f}", file=sys.stderr, flush=True)
    return model


def optimisation(model: Any, steps: int) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """AdamW with two learning rates, and their poly decay."""
    head = [*model.decoder.parameters(), *model.segmentation_head.parameters()]
    optimiser = torch.optim.AdamW([{"params": model.encoder.parameters(), "lr": 5e-4}, {"params": head, "lr": 1e-3}])
    return optimiser, torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: (1 - step / steps) ** 0.9)


def _measure(model: torch.nn.Module, val: Dataset) -> float:
    images, masks = _all(val, Split.VAL)
    confusion = Confusion(len(val.classes))
    with torch.inference_mode():
        for image, mask in zip(images, masks, strict=True):
            found = logits(model, image[None].float() / 127.5 - 1).argmax(dim=1)[0]
            confusion.add(mask.numpy().astype(np.uint8), found.numpy().astype(np.uint8))
    return float(confusion.figures(val.classes)["miou"])


def logits(model: torch.nn.Module, images_nchw: torch.Tensor) -> torch.Tensor:
    """Of pictures padded to what the network takes."""
    height, width = images_nchw.shape[-2:]
    padded = functional.pad(images_nchw, (0, -width % 32, 0, -height % 32))
    found: torch.Tensor = model(padded)[..., :height, :width]
    return found


def _all(data: Dataset, split: Split) -> tuple[torch.Tensor, torch.Tensor]:
    rows = [sample for sample in data.where(split=split) if sample.mask]
    images = torch.from_numpy(np.stack([data.image(row) for row in rows])).permute(0, 3, 1, 2)
    masks = torch.from_numpy(np.stack([_vouched(data, row) for row in rows]).astype(np.int64))
    return images, masks


def _vouched(data: Dataset, row: Sample) -> npt.NDArray[np.uint8]:
    """The mask without what a labeler guessed."""
    mask_hw = data.mask(row)
    if row.source:
        mask_hw[data.map(row, "source") == Origin.PSEUDO] = IGNORE
    return mask_hw


if __name__ == "__main__":
    began = time.monotonic()
    learnt, val, weights, steps, seed = sys.argv[1:6]
    found = train_and_measure(
        Dataset.open(Path(learnt)), Dataset.open(Path(val)), Path(weights), steps=int(steps), batch=8, seed=int(seed)
    )
    print(f"plain loop: {steps} steps, seed {seed}: mIoU {found:.4f} in {time.monotonic() - began:.0f} s")
