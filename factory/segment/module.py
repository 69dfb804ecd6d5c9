"""The training step under Lightning. All that a step draws at random is keyed by (seed, step): nothing to store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import lightning
import torch
from torch import Tensor

from factory.core.classes import IGNORE
from factory.core.seeds import derive
from factory.measure.iou import Confusion
from factory.segment.average import Average
from factory.segment.batches import Batch, TrainingBatches
from factory.segment.cache import PixelCache
from factory.segment.data import CLASS, CONFIDENCE, Size
from factory.segment.evidence import Evidence
from factory.segment.feed import Feed, Validation
from factory.segment.ledger import Ledger
from factory.segment.losses.term import Total
from factory.segment.mixing import Mixing
from factory.segment.models import Outputs, Segmenter
from factory.segment.predict import probabilities, slide, to_unit
from factory.segment.recipe import Recipe
from factory.segment.teacher import Teacher
from factory.segment.trained_teacher import Lesson
from factory.segment.weighing import PixelWeights

VALIDATION_OVERLAP = 0.25


class Augment(Protocol):
    """Changes a batch on its device, in two halves."""

    def move(self, images_nchw: Tensor, labels_nchw: Tensor) -> tuple[Tensor, Tensor]:
        """Where things are: images in [0, 1] (N, 3, H, W) and 8-bit labels (N, 3, H, W)."""

    def colour(self, images_nchw: Tensor) -> Tensor:
        """How they look."""


class SegmentationModule(lightning.LightningModule):
    """A segmenter in training. One Lightning epoch lasts from one validation to the next."""

    def __init__(
        self,
        *,
        model: Segmenter,
        loss: Total,
        augmentation: Augment,
        mixing: Mixing,
        weights: PixelWeights,
        teacher: Teacher | None,
        lesson: Lesson | None,
        recipe: Recipe,
        batches: TrainingBatches,
        validation: PixelCache,
        seed: int,
    ) -> None:
        super().__init__()
        self.model, self.loss, self.augmentation, self.mixing, self.weights = model, loss, augmentation, mixing, weights
        self.teacher, self.recipe, self.batches, self.validation = teacher, recipe, batches, validation
        self.lesson, self.seed = lesson, seed
        if recipe.channels_last:
            model.to(memory_format=torch.channels_last)
        decay = teacher.decay if teacher else recipe.ema
        self.average = Average(model, decay) if decay else None
        self.confusion = Confusion(len(model.classes))
        self.register_buffer("counts_k", torch.from_numpy(batches.counts(len(model.classes))), persistent=False)
        self.step, self.parts, self.ledger = 0, recipe.accumulate, Ledger()
        self.saved: dict[str, Any] = {}
        self._network: Callable[[Tensor], Outputs] = torch.compile(model.outputs) if recipe.compiled else model.outputs

    @property
    def tile_hw(self) -> Size:
        """The size of the pictures the network sees."""
        return self.batches.crop_hw

    @property
    def idle_weights(self) -> bool:
        """Whether some weights have no part in the loss: blocks that pspnet leaves out, or an edge head unasked."""
        return self.model.spec.architecture == "pspnet" or (
            self.model.edge_head is not None and not self.loss.needs_edges
        )

    @property
    def kept(self) -> Segmenter:
        """The weights that are validated and kept: the running mean's where one is asked for."""
        return self.average.model if self.average and self.recipe.ema else self.model

    def train_dataloader(self) -> Feed:
        """The steps up to the next validation."""
        every = self.recipe.validate_every
        stop = min((self.step // every + 1) * every, self.recipe.steps)
        return Feed(self.batches, self.step, stop, parts=self.parts, rank=self.global_rank, world=self._world)

    def val_dataloader(self) -> Validation | list[Batch]:
        """The validation pictures; empty without any."""
        if not len(self.validation):
            return []
        return Validation(self.validation, self._at_a_time, self.tile_hw, rank=self.global_rank, world=self._world)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """AdamW with learning rates of their own for encoder and decoder; takes up a saved state."""
        groups = [
            {"params": self.model.encoder_parameters(), "lr": self.recipe.encoder_lr},
            {"params": self.model.decoder_parameters(), "lr": self.recipe.decoder_lr},
        ]
        optimiser = torch.optim.AdamW(groups, weight_decay=self.recipe.weight_decay)
        if self.saved.get("optimiser"):
            optimiser.load_state_dict(self.saved["optimiser"])
        return optimiser

    def on_fit_start(self) -> None:
        """Take up the saved scale of 16-bit gradients."""
        if self.saved.get("scaler"):
            self.trainer.precision_plugin.load_state_dict(self.saved["scaler"])

    def current_state(self) -> dict[str, Any]:
        """What `saved` must hold for a later try: the optimiser's state and the scale of 16-bit gradients."""
        return {"optimiser": self.optimiser.state_dict(), "scaler": self.trainer.precision_plugin.state_dict()}

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002  # Lightning's signature
        """Set what this step depends on: its learning rates and its random stream."""
        factor = self.recipe.factor(self.step)
        base_rates = (self.recipe.encoder_lr, self.recipe.decoder_lr)
        for group, base in zip(self.optimiser.param_groups, base_rates, strict=True):
            group["lr"] = base * factor
        part = batch_idx % self.parts + self.parts * self.global_rank
        torch.manual_seed(derive(self.seed, "step", self.step, *([part] if part else [])))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:  # noqa: ARG002  # Lightning's signature
        """Loss of one augmented batch."""
        images_nchw, labels_nchw = self.augmentation.move(to_unit(batch.images_nchw), batch.labels_nchw)
        teaching = self.teacher.share(self.step) if self.teacher else 0.0
        if self.teacher and self.average and teaching:
            labels_nchw = self.teacher.complete(self.average, images_nchw, labels_nchw)
        images_nchw = self.augmentation.colour(images_nchw)
        images_nchw, labels_nchw = self.mixing(images_nchw, labels_nchw, self._counts)
        if self.recipe.channels_last:
            images_nchw = images_nchw.contiguous(memory_format=torch.channels_last)
        outputs = _in_32_bits(self._network(images_nchw))
        parts = self.loss(outputs, self._evidence(images_nchw, labels_nchw, self.weights(labels_nchw)))
        if self.teacher and teaching:
            evidence = self._evidence(images_nchw, labels_nchw, self.teacher.weigh(labels_nchw))
            taught = self.teacher.loss(outputs, evidence)
            weight = self.teacher.weight * teaching * self.teacher.surety(labels_nchw)
            parts |= {f"teacher_{name}": weight * value for name, value in taught.items()}
        if self.lesson:
            parts["teacher"] = self.lesson(images_nchw, labels_nchw, outputs.logits_nkhw)
        self.ledger.add(self.step, batch.ids, parts)
        return torch.stack(list(parts.values())).sum()

    def step_ended(self) -> None:
        """Count a step whose optimiser has moved the weights."""
        if self.average:
            self.average.update(self.model, self.step)
        self.step += 1

    def on_validation_epoch_start(self) -> None:
        """Begin a new confusion matrix."""
        self.confusion = Confusion(len(self.model.classes))

    def validation_step(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002  # Lightning's signature
        """Count the pixels of one batch."""
        images_nchw, function = to_unit(batch.images_nchw), probabilities(self.kept)
        found_nkhw = slide(
            images_nchw, function, tile_hw=self.tile_hw, overlap=VALIDATION_OVERLAP, batch=self._at_a_time
        )
        self.confusion.add(batch.labels_nchw[:, CLASS].cpu().numpy(), found_nkhw.argmax(dim=1).cpu().numpy())

    def on_validation_epoch_end(self) -> None:
        """Add up what several processes counted."""
        if self._world > 1:
            counts_kk = torch.from_numpy(self.confusion.counts_kk).to(self.device)
            torch.distributed.all_reduce(counts_kk)
            self.confusion.counts_kk = counts_kk.cpu().numpy()

    @property
    def optimiser(self) -> torch.optim.Optimizer:
        """The one optimiser, as torch made it."""
        optimiser = self.optimizers(use_pl_optimizer=False)
        assert isinstance(optimiser, torch.optim.Optimizer)
        return optimiser

    def _evidence(self, images_nchw: Tensor, labels_nchw: Tensor, weight_nhw: Tensor) -> Evidence:
        return Evidence(
            images_nchw=images_nchw.float(),
            target_nhw=labels_nchw[:, CLASS].long().masked_fill(weight_nhw == 0, IGNORE),
            weight_nhw=weight_nhw.float(),
            confidence_nhw=labels_nchw[:, CONFIDENCE].float() / 255,
            counts_k=self._counts,
        )

    @property
    def _counts(self) -> Tensor:
        return self.get_buffer("counts_k")

    @property
    def _at_a_time(self) -> int:
        """Pictures validated at a time: fewer where batches have not fitted."""
        return max(self.recipe.batch * self.recipe.accumulate // self.parts, 1)

    @property
    def _world(self) -> int:
        return int(self.trainer.world_size)


def _in_32_bits(outputs: Outputs) -> Outputs:
    """Losses are sums over many pixels: 16 bits are not enough for them."""
    edges_n1hw = outputs.edges_n1hw
    return Outputs(
        outputs.logits_nkhw.float(),
        outputs.features_nchw.float(),
        edges_n1hw if edges_n1hw is None else edges_n1hw.float(),
        outputs.padded_hw,
    )
