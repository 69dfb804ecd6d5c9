"""The peer of `factory train` on a GPU: Lightning, smp and a DataLoader of many workers, as their tutorials have it.

Pictures are decoded whenever they are asked for; batches come pinned, in 16 bits. The same sealed data sets, model,
batch, loss, flips and optimiser as ours.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import lightning
import segmentation_models_pytorch as smp
import torch
from torch.nn import functional
from torch.utils.data import DataLoader, RandomSampler

from factory.core.classes import IGNORE
from factory.core.dataset import Dataset
from factory.core.sample import Split
from tests.benchmarks import plain_loop


class Pictures(torch.utils.data.Dataset):
    """Image (3, H, W) as bytes and class ids (H, W), mirrored half the time."""

    def __init__(self, data: Dataset) -> None:
        self.data, self.rows = data, [row for row in data.where(split=Split.TRAIN) if row.mask]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        row = self.rows[index]
        image, mask = torch.from_numpy(self.data.image(row)).permute(2, 0, 1), torch.from_numpy(self.data.mask(row))
        if torch.rand(()) < 0.5:
            image, mask = image.flip(-1), mask.flip(-1)
        return image, mask.long()


class Plain(lightning.LightningModule):
    """DeepLabv3+ of smp; AdamW with two learning rates, poly decay; each step calls ``tick``."""

    def __init__(self, encoder: str, classes: int, steps: int, tick: Callable[[], None]) -> None:
        super().__init__()
        self.model = smp.DeepLabV3Plus(encoder, encoder_weights=None, classes=classes)
        self.steps, self.tick = steps, tick

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], batch_idx: int) -> torch.Tensor:  # noqa: ARG002  # Lightning's
        """Cross-entropy of one batch."""
        images, target = batch
        self.tick()
        found = plain_loop.logits(self.model, images.float() / 127.5 - 1)
        return functional.cross_entropy(found, target, ignore_index=IGNORE)

    def configure_optimizers(self) -> Any:
        """As in the plain loop."""
        optimiser, decay = plain_loop.optimisation(self.model, self.steps)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": decay, "interval": "step"}}


def train(
    data: Dataset,
    *,
    steps: int,
    batch: int,
    tick: Callable[[], None],
    encoder: str = "mobilenet_v2",
    workers: int | None = None,
) -> None:
    """So many steps on a GPU where there is one."""
    pictures, on_gpu = Pictures(data), torch.cuda.is_available()
    count = len(os.sched_getaffinity(0)) if workers is None else workers
    loader = DataLoader(
        pictures,
        batch_size=batch,
        sampler=RandomSampler(pictures, replacement=True, num_samples=steps * batch),
        num_workers=count,
        pin_memory=on_gpu,
    )
    trainer = lightning.Trainer(
        max_steps=steps,
        precision="bf16-mixed" if on_gpu else "32-true",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Plain(encoder, len(data.classes), steps, tick), loader)
