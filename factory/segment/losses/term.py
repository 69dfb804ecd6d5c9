"""A term of the loss, and their weighted sum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from factory.core.errors import ConfigError
from factory.segment.evidence import Evidence
from factory.segment.models import Outputs


@dataclass(frozen=True, kw_only=True)
class Term:
    """What all losses share: ``weight`` in the sum."""

    weight: float = 1.0

    needs_edges: ClassVar[bool] = False
    """Whether the network must have an edge head."""

    def __post_init__(self) -> None:
        check_range("weight", self.weight, 0)

    def __call__(self, outputs: Outputs, evidence: Evidence) -> Tensor:
        """A scalar, not yet weighted."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Total:
    """Weighted sum of ``terms``, by name. `ConfigError` where nothing is left to minimise."""

    terms: Mapping[str, Term]

    def __post_init__(self) -> None:
        if not any(term.weight for term in self.terms.values()):
            raise ConfigError("the loss has no term with a weight", got=", ".join(self.terms) or "none", todo="loss=ce")

    @property
    def needs_edges(self) -> bool:
        """Whether any term looks at an edge head."""
        return any(term.needs_edges and term.weight for term in self.terms.values())

    def __call__(self, outputs: Outputs, evidence: Evidence) -> dict[str, Tensor]:
        """Each term's weighted scalar, by name; add them up to have the loss."""
        return {name: term.weight * term(outputs, evidence) for name, term in self.terms.items() if term.weight}


def check_range(name: str, got: float, least: float, most: float = float("inf"), *, above: bool = False) -> None:
    """`ConfigError` unless least <= got <= most (``above``: least < got)."""
    if not (least < got if above else least <= got) or got > most:
        expected = f"{'above' if above else 'at least'} {least:g}" + (
            "" if most == float("inf") else f", up to {most:g}"
        )
        raise ConfigError(f"loss.{name} is out of range", got=got, expected=expected)


def mean(loss_nhw: Tensor, weight_nhw: Tensor) -> Tensor:
    """Weighted mean over pixels; 0 where no pixel counts."""
    return (loss_nhw * weight_nhw).sum() / weight_nhw.sum().clamp(min=torch.finfo(weight_nhw.dtype).tiny)
