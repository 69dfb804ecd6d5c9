"""The training step under Lightning. All that a step draws at random is keyed by (seed, step): nothing to store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import lightning
import torch
from torch import Tensor

from factory.core.errors import ConfigError, TrainingError
from factory.core.seeds import derive
from factory.measure.iou import Confusion
from factory.segment.data import Batch, PixelCache, Size, TrainingBatches, validation_batches
from factory.segment.losses import Loss
from factory.segment.models import Segmenter
from factory.segment.predict import probabilities, slide, to_unit

VALIDATION_OVERLAP = 0.25


class Augment(Protocol):
    """Changes a batch on its device."""

    def __call__(self, images_nchw: Tensor, targets_nhw: Tensor) -> tuple[Tensor, Tensor]:
        """Images in [0, 1] (N, 3, H, W) and class ids (N, H, W)."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The numbers of a training run. Learning rates fall as ``(1 - step / steps) ** power`` after a linear warm-up."""

    steps: int
    batch: int
    validate_every: int
    save_every: int
    encoder_lr: float
    decoder_lr: float
    weight_decay: float
    power: float
    warmup: int
    clip_norm: float | None
    precision: str

    def __post_init__(self) -> None:
        for name, least in (("steps", 1), ("batch", 2), ("validate_every", 1), ("save_every", 1), ("warmup", 0)):
            if getattr(self, name) < least:
                raise ConfigError(f"train.{name} is too small", got=getattr(self, name), expected=f"{least} or more")
        for name in ("encoder_lr", "decoder_lr", "weight_decay", "power"):
            if getattr(self, name) < 0:
                raise ConfigError(f"train.{name} must not be negative", got=getattr(self, name))
        if self.precision not in (known := ("auto", "32-true", "bf16-mixed", "16-mixed")):
            raise ConfigError("unknown train.precision", got=self.precision, expected=", ".join(known))

    def factor(self, step: int) -> float:
        """What the learning rates are multiplied by at a step, counted from 0."""
        warm = min(1.0, (step + 1) / (self.warmup + 1))
        return float(warm * (1 - step / self.steps) ** self.power)


class Segment:
    """The batches from one step to another, as Lightning wants an epoch."""

    def __init__(self, batches: TrainingBatches, start: int, stop: int) -> None:
        self.batches, self.start, self.stop = batches, start, stop

    def __len__(self) -> int:
        return self.stop - self.start

    def __iter__(self) -> Iterator[Batch]:
        return (self.batches[step] for step in range(self.start, self.stop))


class Validation:
    """All validation pictures once, in order."""

    def __init__(self, cache: PixelCache, batch: int) -> None:
        self.cache, self.batch = cache, batch

    def __iter__(self) -> Iterator[Batch]:
        return validation_batches(self.cache, self.batch)


class SegmentationModule(lightning.LightningModule):
    """A segmenter in training. One Lightning epoch lasts from one validation to the next."""

    def __init__(
        self,
        *,
        model: Segmenter,
        loss: Loss,
        augmentation: Augment,
        recipe: Recipe,
        batches: TrainingBatches,
        validation: PixelCache,
        seed: int,
    ) -> None:
        super().__init__()
        self.model, self.loss, self.augmentation, self.recipe = model, loss, augmentation, recipe
        self.batches, self.validation, self.seed = batches, validation, seed
        self.confusion = Confusion(len(model.classes))
        self.step = 0
        self.losses: list[float] = []
        self.optimiser_state: dict[str, Any] | None = None

    @property
    def tile_hw(self) -> Size:
        """The size of the pictures the network sees."""
        return self.batches.crop_hw

    def train_dataloader(self) -> Segment:
        """The steps up to the next validation."""
        every = self.recipe.validate_every
        return Segment(self.batches, self.step, min((self.step // every + 1) * every, self.recipe.steps))

    def val_dataloader(self) -> Validation | list[Batch]:
        """The validation pictures; empty without any."""
        return Validation(self.validation, self.recipe.batch) if len(self.validation) else []

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """AdamW with learning rates of their own for encoder and decoder; takes up a saved state."""
        groups = [
            {"params": self.model.encoder_parameters(), "lr": self.recipe.encoder_lr},
            {"params": self.model.decoder_parameters(), "lr": self.recipe.decoder_lr},
        ]
        optimiser = torch.optim.AdamW(groups, weight_decay=self.recipe.weight_decay)
        if self.optimiser_state is not None:
            optimiser.load_state_dict(self.optimiser_state)
        return optimiser

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002  # Lightning's signature
        """Set what this step depends on: its learning rates and its random stream."""
        factor = self.recipe.factor(self.step)
        for group, base in zip(self.saved_optimiser().param_groups, self._base_rates(), strict=True):
            group["lr"] = base * factor
        torch.manual_seed(derive(self.seed, "step", self.step))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:  # noqa: ARG002  # Lightning's signature
        """Loss of one augmented batch; `TrainingError` naming the pictures where it is not a number."""
        images_nchw, targets_nhw = self.augmentation(to_unit(batch.images_nchw), batch.targets_nhw.long())
        loss = self.loss(self.model(images_nchw).float(), targets_nhw)
        value = float(loss.detach())
        if not torch.isfinite(loss.detach()):
            raise TrainingError(
                "the loss is no longer a number",
                where=f"step {self.step + 1}, samples {', '.join(batch.ids)}",
                got=value,
                todo="lower encoder_lr and decoder_lr, set clip_norm=1, or look at these samples",
            )
        self.losses.append(value)
        return loss

    def on_validation_epoch_start(self) -> None:
        """Begin a new confusion matrix."""
        self.confusion = Confusion(len(self.model.classes))

    def validation_step(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002  # Lightning's signature
        """Count the pixels of one batch."""
        images_nchw, function = to_unit(batch.images_nchw), probabilities(self.model)
        found_nkhw = slide(
            images_nchw, function, tile_hw=self.tile_hw, overlap=VALIDATION_OVERLAP, batch=self.recipe.batch
        )
        self.confusion.add(batch.targets_nhw.cpu().numpy(), found_nkhw.argmax(dim=1).cpu().numpy())

    def saved_optimiser(self) -> torch.optim.Optimizer:
        """The one optimiser, as torch made it."""
        optimiser = self.optimizers(use_pl_optimizer=False)
        assert isinstance(optimiser, torch.optim.Optimizer)
        return optimiser

    def _base_rates(self) -> tuple[float, float]:
        return self.recipe.encoder_lr, self.recipe.decoder_lr
