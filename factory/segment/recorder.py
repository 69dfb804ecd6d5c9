"""What a training writes while it goes on: history, the best weights, the state, progress and tracks."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import lightning

from factory.execute import reporting
from factory.execute.progress import Progress
from factory.measure.iou import or_none
from factory.segment.module import SegmentationModule
from factory.segment.track import Tracks


@dataclass
class Log:
    """What training has seen so far: one row a validation, the best one, and how many since were no better."""

    history: list[dict[str, Any]] = field(default_factory=list)
    best: dict[str, Any] | None = None
    stale: int = 0

    def add(self, row: dict[str, Any], figures: dict[str, Any] | None) -> bool:
        """Note a validation; whether it is the best so far."""
        self.history.append(row)
        if figures is None or figures["miou"] is None:
            return False
        better = self.best is None or figures["miou"] > self.best["miou"]
        self.best = figures if better else self.best
        self.stale = 0 if better else self.stale + 1
        return better

    def ended(self, patience: int | None) -> bool:
        """Whether patience has run out."""
        return patience is not None and self.stale >= patience


@dataclass
class Recorder(lightning.Callback):
    """Counts steps and writes what they made.

    ``save`` keeps the state, ``keep_best`` the weights as they are, ``keep_snapshot`` those at the end of a cycle.
    """

    seen: Log  # Lightning takes the name `log` for itself
    save: Callable[[], None]
    keep_best: Callable[[], object]
    keep_snapshot: Callable[[int], object]
    tracks: Tracks
    progress: Progress | None = None
    stopping: bool = False

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: object,  # noqa: ARG002  # Lightning's signature
        batch: object,  # noqa: ARG002
        batch_idx: int,
    ) -> None:
        """Count the step once its last part is through; save the state every so many, and when asked to stop."""
        module = _ours(pl_module)
        if (batch_idx + 1) % module.parts:
            return
        module.step_ended()
        if self.progress:
            self.progress.advance(note=self._note(module))
        if (number := module.recipe.snapshot(module.step)) and trainer.is_global_zero:
            self.keep_snapshot(number)
        validated_now = module.step % module.recipe.validate_every == 0 or module.step == module.recipe.steps
        if validated_now:
            return  # the validation that follows saves the state
        stopping = self._is_stopping(trainer)
        if stopping or module.step % module.recipe.save_every == 0:
            self._save(trainer)
        if stopping:
            raise KeyboardInterrupt

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Record the validation that just ran, keep the model if it is the best so far, save the state."""
        module = _ours(pl_module)
        module.ledger.settle()
        figures = _figures(module)
        row = _row(module, figures)
        module.ledger.steps = []
        if self.seen.add(row, figures) and trainer.is_global_zero:
            self.keep_best()
        if trainer.is_global_zero:
            self.tracks.add(row)
            if row["val_miou"] is not None:
                reporting.report(module.step, row["val_miou"])
        self._save(trainer)
        if self._is_stopping(trainer):
            raise KeyboardInterrupt
        trainer.should_stop = self.seen.ended(module.recipe.patience)

    def say(self, text: str) -> None:
        """One line for whoever watches."""
        print(f"train: {text}", file=sys.stderr, flush=True)

    def _save(self, trainer: lightning.Trainer) -> None:
        if trainer.is_global_zero:
            self.save()

    def _is_stopping(self, trainer: lightning.Trainer) -> bool:
        """Whether this process was asked to stop, or any beside it: they must end after the same step."""
        return bool(trainer.strategy.reduce_boolean_decision(self.stopping, all=False))

    def _note(self, module: SegmentationModule) -> str:
        loss = f"loss {module.ledger.recent():.3f}"
        return f"{loss}, mIoU {100 * self.seen.best['miou']:.1f}" if self.seen.best else loss


@contextmanager
def patient_signals(recorder: Recorder) -> Iterator[None]:
    """SIGTERM and SIGINT let the step in hand end and its state be saved; a second one stops at once.

    A signal that this process ignores stays ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    before = {number: handler for number, handler in handlers.items() if handler != signal.SIG_IGN}

    def ask(number: int, frame: FrameType | None) -> None:
        if recorder.stopping:
            raise KeyboardInterrupt
        recorder.stopping = True
        recorder.say("stopping after this step; once more stops at once")
        del number, frame

    for number in before:
        signal.signal(number, ask)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _figures(module: SegmentationModule) -> dict[str, Any] | None:
    if not len(module.validation):
        return None
    figures = module.confusion.figures(module.model.classes)
    return {"step": module.step, **figures, "confusion": module.confusion.counts_kk.tolist()}


def _row(module: SegmentationModule, figures: dict[str, Any] | None) -> dict[str, Any]:
    """One row of history.json."""
    means = module.ledger.means()
    known = figures or dict.fromkeys(("miou", "pixel_accuracy", "f1", "iou"))
    return {
        "step": module.step,
        "train_loss": or_none(sum(means.values())) if means else None,
        "losses": means,
        "lr": module.recipe.decoder_lr * module.recipe.factor(module.step - 1),
        "val_miou": known["miou"],
        "val_pixel_accuracy": known["pixel_accuracy"],
        "val_f1": known["f1"],
        "val_iou": known["iou"],
    }


def _ours(module: lightning.LightningModule) -> SegmentationModule:
    assert isinstance(module, SegmentationModule)
    return module
