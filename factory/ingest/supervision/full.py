"""Masks as they are: the ceiling that weak hints are measured against."""

from __future__ import annotations

from dataclasses import dataclass

from factory.core.picture import Picture


@dataclass(frozen=True, kw_only=True)
class Full:
    """Masks are used as they are."""

    def __call__(self, photo: Picture, seed: int) -> Picture:  # noqa: ARG002
        """The photograph, unchanged."""
        return photo
