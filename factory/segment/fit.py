"""Training to the end of its steps, through any number of kills: the state on disk is all that a later try needs."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightning
import torch
from torch._dynamo.exc import TorchDynamoException

from factory.core import digests
from factory.core.errors import ArtefactError, ConfigError, MachineError, TrainingError, WorkerError
from factory.core.writer import Writer
from factory.execute.memory import is_out_of_memory
from factory.execute.precision import fastest
from factory.execute.progress import Progress
from factory.execute.ranks import nodes, rank
from factory.segment import checkpoint
from factory.segment.ledger import Ledger
from factory.segment.models import best_device
from factory.segment.module import SegmentationModule
from factory.segment.recorder import Log, Recorder, patient_signals
from factory.segment.track import Tracks

NOTICES = (
    r"The '.*_dataloader' does not have many workers",
    r"You defined a `validation_step` but have no `val_dataloader`",
    r"Total length of `.*` across ranks is zero",
    r"Found \d+ module\(s\) in eval mode at the start of training",  # the running mean of the weights
    r".*`isinstance\(treespec, LeafSpec\)` is deprecated",
)
"""Third-party warnings that tell nobody anything here; each is matched from its beginning."""

LEFT_ALONE = ("closed by peer", "reset by peer", "closed by remote peer", "remote process exit", "broken pipe")
"""What gloo and NCCL say where a process at the other end is gone."""

LEAST_PART = 2
"""Pictures that batch norm needs at a time."""


@dataclass(kw_only=True)
class Run:
    """One training: its module, where its state and best weights are kept, and how weights are packed."""

    module: SegmentationModule
    out: Writer
    pack: Callable[[], bytes]
    tracks: Tracks
    devices: int = 1

    def __post_init__(self) -> None:
        recipe = self.module.recipe
        shares = self.devices * nodes(self.devices) * recipe.accumulate
        if self.devices < 1 or recipe.batch % shares or recipe.batch // shares < LEAST_PART:
            got = f"devices={self.devices} accumulate={recipe.accumulate} batch={recipe.batch}"
            expected = "a batch that divides into two or more pictures for each device of each machine, and part"
            raise ConfigError("a batch cannot be shared so", where="train.devices", got=got, expected=expected)
        if recipe.precision == "16-mixed" and best_device().type == "cpu":
            what, todo = "a processor does not compute in this precision", "precision=bf16-mixed, or auto"
            raise ConfigError(what, where="train.precision", got=recipe.precision, todo=todo)

    @property
    def state(self) -> Path:
        """The file a later try starts from."""
        return self.out.scratch / "state.pt"

    def fit(self) -> Log:
        """Train from where the state left off to the recipe's last step, or until patience ends.

        Out of memory, a batch is worked through in twice as many parts, from the last state on. `TrainingError` where
        the loss is no longer a number: the weights of the last state are then in `last_good.ckpt`. `WorkerError` where
        a process that trains beside this one is gone.
        """
        module, log = self.module, Log()
        recorder = Recorder(
            seen=log,
            save=lambda: self._save(log, module.current_state()),
            keep_best=lambda: self._write("best.ckpt"),
            keep_snapshot=lambda number: self._write(f"snapshot-{number}.ckpt"),
            tracks=self.tracks,
        )
        if self.state.is_file():
            self._take_up(log)
        elif not rank():
            self._save(log, {})
        with _quiet(), _deterministic(), torch.random.fork_rng(), Progress("train", module.recipe.steps) as progress:
            progress.advance(module.step)
            recorder.progress = progress
            while module.step < module.recipe.steps and not log.ended(module.recipe.patience):
                self._try(recorder)
        return log

    def _try(self, recorder: Recorder) -> None:
        try:
            with patient_signals(recorder):
                self._trainer(recorder).fit(self.module)
        except SystemExit as stopped:  # Lightning's answer to an interrupt; what it means is the caller's to say
            raise KeyboardInterrupt from stopped
        except TrainingError as error:
            if not rank():
                self._take_up(recorder.seen)
                kept = self.out.path(self._write("last_good.ckpt"))
                error.todo = f"{error.todo}; the weights of step {self.module.step} are kept in {kept}"
            raise
        except (RuntimeError, MemoryError) as error:
            if self.devices > 1 and _is_left_alone(error):
                what, todo = "another process of this training has ended", "the same command goes on from the last save"
                raise WorkerError.of(error, what=what, where="train.devices", todo=todo) from error
            if isinstance(error, TorchDynamoException):
                raise _not_compiled(error) from error
            if not is_out_of_memory(error):
                raise
            self._halve(recorder, error)

    def _halve(self, recorder: Recorder, error: Exception) -> None:
        module = self.module
        batch, parts = module.recipe.batch // self.devices, 2 * module.parts
        if batch % parts or batch // parts < LEAST_PART or self.devices > 1:
            what = f"out of memory with {batch // module.parts} pictures at a time"
            todo = "make pictures (size) or crop smaller, choose a smaller model, or give a larger accumulate"
            raise MachineError.of(error, what=what, where="train", todo=todo) from error
        self._take_up(recorder.seen)
        module.parts = parts
        self._save(recorder.seen, module.saved)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        recorder.say(f"out of memory: from step {module.step} on a batch of {batch} is worked through in {parts} parts")

    def _write(self, name: str) -> str:
        return self.out.write(name, self.pack())

    def _save(self, log: Log, saved: dict[str, Any]) -> None:
        """Write everything a later try needs, whole or not at all."""
        module = self.module
        module.ledger.settle()
        if not all(value.isfinite().all() for value in module.model.state_dict().values()):
            raise TrainingError(
                "the weights are no longer numbers",
                where=f"step {module.step}",
                todo="lower encoder_lr and decoder_lr, or set clip_norm=1",
            )
        content = {
            "step": module.step,
            "parts": module.parts,
            "losses": module.ledger.steps,
            "weights": module.model.state_dict(),
            "average": module.average.state_dict() if module.average else {},
            "saved": saved,
            "log": asdict(log),
        }
        digests.write_atomically(self.state, checkpoint.dump(content))

    def _take_up(self, log: Log) -> None:
        try:
            self._restore(checkpoint.read(self.state), log)
        except (ArtefactError, LookupError, TypeError, ValueError, RuntimeError, AttributeError) as error:
            if is_out_of_memory(error):
                raise
            todo = f"delete {self.out.root}: the same command then begins anew"
            raise ArtefactError.of(
                error, what="the training's state is damaged", where=self.state, todo=todo
            ) from error

    def _restore(self, content: dict[str, Any], log: Log) -> None:
        module = self.module
        module.model.load_state_dict(content["weights"])
        if module.average:
            module.average.load_state_dict(content["average"])
        module.step, module.parts, module.ledger = content["step"], content["parts"], Ledger(content["losses"])
        module.saved = content["saved"]
        for name, value in content["log"].items():
            setattr(log, name, value)

    def _trainer(self, recorder: Recorder) -> lightning.Trainer:
        recipe, on_gpu, several = self.module.recipe, best_device().type == "cuda", self.devices > 1
        beside = "ddp_find_unused_parameters_true" if self.module.idle_weights else "ddp"
        return lightning.Trainer(
            accelerator="gpu" if on_gpu else "cpu",
            devices=self.devices,
            num_nodes=nodes(self.devices),
            strategy=beside if several else "auto",
            sync_batchnorm=several and on_gpu,
            benchmark=on_gpu,
            precision=_precision(recipe.precision),  # type: ignore[arg-type]  # checked by Recipe
            max_steps=recipe.steps - self.module.step,
            max_epochs=-1,
            accumulate_grad_batches=self.module.parts,
            reload_dataloaders_every_n_epochs=1,
            use_distributed_sampler=False,
            num_sanity_val_steps=0,
            gradient_clip_val=recipe.clip_norm,
            callbacks=[recorder],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )


def _not_compiled(error: Exception) -> ConfigError:
    """The compiler's own words fill pages: the first line says which part gave up.

    A setting's fault, though another machine might do it: of a search it ends this trial alone.
    """
    what, got = "torch.compile cannot compile the model on this machine", str(error).strip().partition("\n")[0]
    todo = "leave compiled=false, or install a C++ compiler and Python's headers"
    return ConfigError(what, where="train.compiled", got=got, todo=todo)


def _is_left_alone(error: Exception) -> bool:
    """Whether a process that trains beside this one is gone."""
    return any(words in str(error).lower() for words in LEFT_ALONE)


def _precision(asked: str) -> str:
    """Lightning's name for what is asked; what the device is fastest with for auto."""
    names = {torch.bfloat16: "bf16-mixed", torch.float16: "16-mixed", torch.float32: "32-true"}
    return names[fastest(best_device())] if asked == "auto" else asked


@contextmanager
def _quiet() -> Iterator[None]:
    """No greetings and hints from Lightning."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        for notice in NOTICES:
            warnings.filterwarnings("ignore", message=notice)
        try:
            yield
        finally:
            for logger, level in zip(loggers, before, strict=True):
                logger.setLevel(level)


@contextmanager
def _deterministic() -> Iterator[None]:
    """Same inputs, same weights on a processor.

    A GPU adds up as it comes: where sums must have an order torch enlarges maps there by sorting what goes back to each
    pixel, and other operations have no such form at all.
    """
    settings: Any = torch.utils.deterministic
    before, filled = torch.are_deterministic_algorithms_enabled(), settings.fill_uninitialized_memory
    torch.use_deterministic_algorithms(best_device().type != "cuda")
    settings.fill_uninitialized_memory = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
        settings.fill_uninitialized_memory = filled
