"""The losses of a training's steps: checked, averaged from one validation to the next, and saved with the state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from factory.core.errors import TrainingError

AHEAD = 20
"""Steps a GPU may be ahead of the check: asking it for a number makes it wait."""

RECENT = 20


class _Entry(NamedTuple):
    step: int
    ids: Sequence[str]
    names: tuple[str, ...]
    values: Tensor


@dataclass
class Ledger:
    """One row of numbers a step, in ``steps`` since the last validation; by name of the loss's terms."""

    steps: list[dict[str, float]] = field(default_factory=list)
    _pending: list[_Entry] = field(default_factory=list)

    def add(self, step: int, ids: Sequence[str], parts: Mapping[str, Tensor]) -> None:
        """Note one step's terms (scalars); `TrainingError` as soon as one is found to be no number."""
        values = torch.stack([value.detach().float() for value in parts.values()])
        self._pending.append(_Entry(step, ids, tuple(parts), values))
        if values.device.type == "cpu" or len(self._pending) >= AHEAD:
            self.settle()

    def settle(self) -> None:
        """Check and keep what is still pending."""
        pending, self._pending = self._pending, []
        for entry in pending:
            values = dict(zip(entry.names, entry.values.tolist(), strict=True))
            if not np.isfinite(list(values.values())).all():
                raise TrainingError(
                    "the loss is no longer a number",
                    where=f"step {entry.step + 1}, samples {', '.join(entry.ids)}",
                    got=", ".join(f"{name} {value:g}" for name, value in values.items()),
                    todo="lower encoder_lr and decoder_lr, set clip_norm=1, or look at these samples",
                )
            self.steps.append(values)

    def means(self) -> dict[str, float]:
        """The mean of each term over the steps it was part of."""
        names = sorted({name for row in self.steps for name in row})
        return {name: float(np.mean([row[name] for row in self.steps if name in row])) for name in names}

    def recent(self) -> float:
        """The mean loss of the last steps that were checked."""
        rows = self.steps[-RECENT:]
        return float(np.mean([sum(row.values()) for row in rows])) if rows else float("nan")
