"""Training the classifier on what is said of whole pictures, through any number of kills."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from factory.core import digests
from factory.core.errors import ConfigError, TrainingError
from factory.core.seeds import generator
from factory.execute.progress import Progress
from factory.label.cam.frames import Image8, framed, reduced
from factory.label.cam.kept import KeptFeatures, together
from factory.label.cam.network import Classifier, placed
from factory.label.cam.pooling import pooled
from factory.label.cam.statements import OPEN, PRESENT, Statements
from factory.segment.models import best_device

KEEP_EVERY = 25
"""Steps after which the state is written: what a kill costs at most."""

RAREST = 0.02
"""A class is taken to be in at least this share of the pictures when rare ones are weighed up."""


@dataclass(frozen=True, kw_only=True)
class Training:
    """How a classifier is trained: AdamW, one cycle of the learning rate, mirrored pictures.

    ``steps`` of ``batch`` pictures; ``encoder_lr`` 0 leaves the encoder as it came. Pictures are reduced to at most
    ``longest`` pixels a side. Batch normalisation keeps its statistics: a few pictures would estimate them badly.
    """

    steps: int
    batch: int
    encoder_lr: float
    head_lr: float
    longest: int

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "head_lr"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"labeler.training.{name} must be positive", got=getattr(self, name))
        if self.encoder_lr < 0:
            raise ConfigError("labeler.training.encoder_lr must not be negative", got=self.encoder_lr)
        if self.longest < 32:
            raise ConfigError("labeler.training.longest is too small", got=self.longest, expected="32 pixels or more")


@dataclass(frozen=True, kw_only=True)
class Course:
    """One training: the statements it hears, where pictures come from, where its state is kept."""

    training: Training
    shares: Sequence[float]
    statements: Statements
    image: Callable[[str], Image8]
    kept: KeptFeatures
    place: Path
    seed: int
    title: str

    def __call__(self, model: Classifier) -> Classifier:
        """Train from the last state kept in ``place``; the state at the end stays there."""
        placed(model)
        if not self.place.is_file():
            self._settle_norm(model)
        optimiser = torch.optim.AdamW(self._groups(model), weight_decay=1e-2)
        begin = self._restored(model, optimiser)
        with Progress(self.title, self.training.steps) as progress, _settled(model, self.training.encoder_lr > 0):
            progress.advance(begin)
            for step in range(begin, self.training.steps):
                value = self._step(model, optimiser, step)
                progress.advance(note=f"loss {value:.3f}")
                if (step + 1) % KEEP_EVERY == 0 or step + 1 == self.training.steps:
                    self._keep(model, optimiser, step + 1)
        return model

    def _groups(self, model: Classifier) -> list[dict[str, object]]:
        return [
            {"params": list(model.encoder.parameters()), "lr": self.training.encoder_lr},
            {"params": [*model.adapter.parameters(), *model.head.parameters()], "lr": self.training.head_lr},
        ]

    def _step(self, model: Classifier, optimiser: torch.optim.Optimizer, step: int) -> float:
        """One optimisation step, a pure function of weights, seed and step."""
        for group, rate in zip(optimiser.param_groups, (self.training.encoder_lr, self.training.head_lr), strict=True):
            group["lr"] = rate * _cycle((step + 1) / self.training.steps)
        rng = generator(self.seed, "step", step)
        rows = self._rows(step)
        features_nchw, inside_nhw = self._seen(model, [self.statements.ids[row] for row in rows], rng)
        logits_nhk = pooled(model.maps(features_nchw), self.shares, inside_nhw.to(best_device()))
        said_nk = torch.from_numpy(self.statements.said_nk[rows]).to(best_device())
        loss = tag_loss(logits_nhk, said_nk, self._weights().to(best_device()))
        if not torch.isfinite(loss):
            todo = "lower labeler.training.encoder_lr and head_lr"
            raise TrainingError("the loss is not a number", where=f"{self.title}, step {step}", todo=todo)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        return float(loss.detach())

    def _seen(self, model: Classifier, ids: Sequence[str], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Features of a batch and which of its cells are picture; mirrored before the encoder, or behind a kept one."""
        if self.training.encoder_lr == 0:
            mirrored = [self.kept(sample_id).flip(_turned(rng, -2, -1)) for sample_id in ids]
            raw_nchw, inside_nhw = together(mirrored)
            return model.adapted(raw_nchw.to(best_device())), inside_nhw
        images = [np.flip(reduced(self.image(name), self.training.longest), _turned(rng, 0, 1)) for name in ids]
        frames = framed(images, model.spec.stride)
        pixels_nchw = frames.images_nchw.to(best_device()).contiguous(memory_format=torch.channels_last)
        return model.features(pixels_nchw), frames.inside_nhw

    def _rows(self, step: int) -> list[int]:
        """The pictures of a step: each once before any comes again, shuffled anew each time round."""
        count, batch = len(self.statements.ids), min(self.training.batch, len(self.statements.ids))
        places = range(step * batch, (step + 1) * batch)
        orders = {time: generator(self.seed, "order", time).permutation(count) for time in {p // count for p in places}}
        return [int(orders[place // count][place % count]) for place in places]

    def _weights(self) -> Tensor:
        """How much a picture that shows a class counts, beside one that does not: root of inverse odds, (K,)."""
        present_k = (self.statements.said_nk == PRESENT).sum(axis=0)
        told_k = np.maximum((self.statements.said_nk != OPEN).sum(axis=0), 1)
        share_k = np.clip(present_k / told_k, RAREST, 1 - RAREST)
        return torch.from_numpy(np.sqrt((1 - share_k) / share_k).astype(np.float32))

    def _keep(self, model: Classifier, optimiser: torch.optim.Optimizer, step: int) -> None:
        buffer = io.BytesIO()
        torch.save({"step": step, "model": model.state_dict(), "optimiser": optimiser.state_dict()}, buffer)
        self.place.parent.mkdir(parents=True, exist_ok=True)
        digests.write_atomically(self.place, buffer.getvalue())

    def _restored(self, model: Classifier, optimiser: torch.optim.Optimizer) -> int:
        """The step to go on from."""
        if not self.place.is_file():
            return 0
        state = torch.load(self.place, map_location=best_device(), weights_only=True)
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        return int(state["step"])

    def _settle_norm(self, model: Classifier) -> None:
        """Take the statistics that bring features to one scale from a few pictures, and head biases from the tags."""
        present_k, told_k = ((kind).sum(axis=0) for kind in (self.statements.said_nk == PRESENT, self._told()))
        odds_k = np.clip(present_k / np.maximum(told_k, 1), RAREST, 1 - RAREST)
        bias_k = torch.from_numpy(np.log(odds_k / (1 - odds_k)).astype(np.float32))
        model.start_at(bias_k.to(best_device()))
        rows = generator(self.seed, "scale").permutation(len(self.statements.ids))[:32]
        seen = [self.kept(self.statements.ids[row]).flatten(1).double() for row in rows]
        cells = sum(one_cn.shape[1] for one_cn in seen)
        mean_c = torch.stack([one_cn.sum(1) for one_cn in seen]).sum(0) / cells
        spread_c = torch.stack([(one_cn**2).sum(1) for one_cn in seen]).sum(0) / cells - mean_c**2
        model.norm.running_mean = mean_c.float().to(best_device())
        model.norm.running_var = spread_c.clamp(min=1e-6).float().to(best_device())

    def _told(self) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        return np.asarray(self.statements.said_nk != OPEN)


def tag_loss(logits_nhk: Tensor, said_nk: Tensor, weight_k: Tensor) -> Tensor:
    """Binary cross-entropy over what is said; classes nobody speaks of in a picture are left out. All heads hear it."""
    told_nhk = (said_nk != OPEN)[:, None].expand_as(logits_nhk)
    target_nhk = (said_nk == PRESENT).float()[:, None].expand_as(logits_nhk)
    loss_nhk = functional.binary_cross_entropy_with_logits(
        logits_nhk, target_nhk, pos_weight=weight_k, reduction="none"
    )
    return (loss_nhk * told_nhk).sum() / max(len(logits_nhk) * logits_nhk.shape[1], 1)


def _cycle(done: float) -> float:
    """Share of the learning rate: up over the first tenth, then down along half a cosine."""
    return min(done / 0.1, 0.5 * (1 + float(np.cos(np.pi * max(done - 0.1, 0) / 0.9))))


def _turned(rng: np.random.Generator, *axes: int) -> tuple[int, ...]:
    """Each of the axes with probability one half."""
    return tuple(axis for axis in axes if rng.random() < 0.5)


@contextmanager
def _settled(model: Classifier, learning: bool) -> Iterator[None]:
    """Evaluation mode throughout: statistics and dropout stay out of it; afterwards nothing asks for gradients."""
    model.eval()
    model.encoder.requires_grad_(learning)
    yield
    model.requires_grad_(False)
