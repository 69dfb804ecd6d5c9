"""Training to the end of its steps, through any number of kills: the state on disk is all that a later try needs."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch

from factory.core import digests
from factory.execute import reporting
from factory.execute.progress import Progress
from factory.measure.iou import or_none
from factory.segment import checkpoint
from factory.segment.models import best_device
from factory.segment.module import SegmentationModule

NOTICES = (
    r"The '.*_dataloader' does not have many workers",
    r"You defined a `validation_step` but have no `val_dataloader`",
    r"Total length of `.*` across ranks is zero",
    r".*does not have a deterministic implementation",
    r".*`isinstance\(treespec, LeafSpec\)` is deprecated",
)
"""Third-party warnings that tell nobody anything here; each is matched from its beginning."""


@dataclass
class Log:
    """What training has seen so far: one row a validation, and the best one."""

    history: list[dict[str, Any]] = field(default_factory=list)
    best: dict[str, Any] | None = None


class Recorder(lightning.Callback):
    """Writes history, the best checkpoint and the resumable state while training goes on."""

    def __init__(
        self, *, log: Log, state: Path, keep_best: Callable[[bytes], object], pack: Callable[[], bytes]
    ) -> None:
        self.seen, self.state, self.keep_best, self.pack = log, state, keep_best, pack
        self.progress: Progress | None = None

    def on_train_batch_end(self, _: lightning.Trainer, pl_module: lightning.LightningModule, *__: Any) -> None:
        """Count the step; save the state every so many steps (a validation saves it anyway)."""
        module = _ours(pl_module)
        module.step += 1
        if self.progress:
            self.progress.advance(note=self._note(module))
        due = module.step % module.recipe.save_every == 0
        if due and module.step % module.recipe.validate_every and module.step < module.recipe.steps:
            self.save(module)

    def on_train_epoch_end(self, _: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Record the validation that just ran, keep the model if it is the best so far, save the state."""
        module = _ours(pl_module)
        measured = len(module.validation) > 0
        miou = or_none(module.confusion.miou()) if measured else None
        self.seen.history.append(
            {
                "step": module.step,
                "train_loss": float(np.mean(module.losses)),
                "lr": module.recipe.decoder_lr * module.recipe.factor(module.step - 1),
                "val_miou": miou,
                "val_pixel_accuracy": or_none(module.confusion.pixel_accuracy()) if measured else None,
                "val_f1": or_none(module.confusion.mean_f1()) if measured else None,
            }
        )
        module.losses = []
        if miou is not None and (self.seen.best is None or miou > self.seen.best["miou"]):
            figures = module.confusion.figures(module.model.classes)
            self.seen.best = {"step": module.step, **figures, "confusion": module.confusion.counts_kk.tolist()}
            self.keep_best(self.pack())
        if miou is not None:
            reporting.report(module.step, miou)
        self.save(module)

    def save(self, module: SegmentationModule) -> None:
        """Write everything a later try needs, whole or not at all."""
        content = {
            "step": module.step,
            "losses": module.losses,
            "weights": module.model.state_dict(),
            "optimiser": module.saved_optimiser().state_dict(),
            "history": self.seen.history,
            "best": self.seen.best,
        }
        digests.write_atomically(self.state, checkpoint.dump(content))

    def _note(self, module: SegmentationModule) -> str:
        loss = f"loss {np.mean(module.losses[-20:]):.3f}"
        return f"{loss}, mIoU {100 * self.seen.best['miou']:.1f}" if self.seen.best else loss


def fit(
    module: SegmentationModule, *, state: Path, keep_best: Callable[[bytes], object], pack: Callable[[], bytes]
) -> Log:
    """Train from where ``state`` left off to the recipe's last step.

    ``pack`` gives the current weights as a checkpoint, ``keep_best`` takes it whenever validation got better.
    """
    log = Log()
    if state.is_file():
        _take_up(module, log, checkpoint.read(state))
    left = module.recipe.steps - module.step
    if not left:
        return log
    recorder = Recorder(log=log, state=state, keep_best=keep_best, pack=pack)
    with _quiet(), _deterministic(), torch.random.fork_rng(), Progress("train", module.recipe.steps) as progress:
        progress.advance(module.step)
        recorder.progress = progress
        try:
            _trainer(module, recorder, left).fit(module)
        except SystemExit as stopped:  # Lightning's answer to an interrupt; what it means is the caller's to say
            raise KeyboardInterrupt from stopped
    return log


def _take_up(module: SegmentationModule, log: Log, content: dict[str, Any]) -> None:
    module.model.load_state_dict(content["weights"])
    module.step, module.losses, module.optimiser_state = content["step"], content["losses"], content["optimiser"]
    log.history, log.best = content["history"], content["best"]


def _trainer(module: SegmentationModule, recorder: Recorder, steps: int) -> lightning.Trainer:
    on_gpu = best_device().type == "cuda"
    return lightning.Trainer(
        accelerator="gpu" if on_gpu else "cpu",
        devices=1,
        precision=_precision(module.recipe.precision, on_gpu=on_gpu),  # type: ignore[arg-type]  # checked by Recipe
        max_steps=steps,
        max_epochs=-1,
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        gradient_clip_val=module.recipe.clip_norm,
        callbacks=[recorder],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def _precision(asked: str, *, on_gpu: bool) -> str:
    """16 bits where they are faster: on GPUs, and on processors that multiply bfloat16 (measured: 1.25 times)."""
    if asked != "auto":
        return asked
    if on_gpu:
        return "bf16-mixed" if torch.cuda.is_bf16_supported() else "16-mixed"
    able = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return "bf16-mixed" if able.get("avx512_bf16") or able.get("amx_bf16") else "32-true"


@contextmanager
def _quiet() -> Iterator[None]:
    """No greetings and hints from Lightning."""
    logger = logging.getLogger("lightning.pytorch")
    before = logger.level
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        for notice in NOTICES:
            warnings.filterwarnings("ignore", message=notice)
        try:
            yield
        finally:
            logger.setLevel(before)


@contextmanager
def _deterministic() -> Iterator[None]:
    """Same inputs, same weights. On a GPU an operation without a deterministic form stays as it is."""
    settings: Any = torch.utils.deterministic
    before, filled = torch.are_deterministic_algorithms_enabled(), settings.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True, warn_only=best_device().type == "cuda")
    settings.fill_uninitialized_memory = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
        settings.fill_uninitialized_memory = filled


def _ours(module: lightning.LightningModule) -> SegmentationModule:
    assert isinstance(module, SegmentationModule)
    return module
