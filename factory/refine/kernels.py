"""The two kernels of a fully connected CRF, which both of its solvers take: settings of one serve the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from factory.core.errors import ConfigError
from factory.refine.checks import check_count

NARROWEST = 0.01
"""Reach of a kernel: narrower ones join nothing, and where places no longer fit its lattice pydensecrf crashes."""

MOST = 1e6
"""Of a reach or a weight: beyond, nothing changes any more until numbers overflow."""


@dataclass(frozen=True, kw_only=True)
class Kernels:
    """A Gaussian (smoothness) and a bilateral (appearance) kernel, equation 3 of Krähenbühl & Koltun (2011).

    ``*_sxy`` are in pixels, ``bilateral_srgb`` in grey levels 0-255, ``*_compat`` weigh the kernels (Potts);
    ``iterations`` are those of mean field.
    """

    RANGES: ClassVar[dict[str, str]] = {
        "spatial_compat": "float:0:10",
        "bilateral_sxy": "log:10:120",
        "bilateral_srgb": "log:3:20",
        "bilateral_compat": "log:1:20",
    }

    iterations: int
    spatial_sxy: float
    spatial_compat: float
    bilateral_sxy: float
    bilateral_srgb: float
    bilateral_compat: float

    def __post_init__(self) -> None:
        check_count(self, "iterations")
        least = {"spatial_sxy": NARROWEST, "bilateral_sxy": NARROWEST, "bilateral_srgb": NARROWEST}
        for name, low in (least | {"spatial_compat": 0, "bilateral_compat": 0}).items():
            if not low <= (value := getattr(self, name)) <= MOST:
                raise ConfigError(f"refiner.{name} is out of range", got=value, expected=f"{low} to {MOST:,.0f}")
