"""What is asked of Blender: frames of a scene pack, as a job JSON for ``python -m scenes.kit.worker``.

A frame's plan is a pure function of (seed, index, component), so that any process may render any frame.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from factory.core.classes import ClassList
from factory.core.errors import ConfigError
from factory.core.seeds import generator

DEVICES = ("cpu", "gpu", "auto")


class ScenePlan(Protocol):
    """A scene pack's parameters: its classes, and a callable that plans one picture."""

    @property
    def classes(self) -> tuple[tuple[str, tuple[int, int, int]], ...]:
        """Name and colour of each class, in id order."""

    def __call__(self, rng: Callable[[str], np.random.Generator], /) -> dict[str, Any]:
        """The JSON-able plan of one picture; ``rng`` hands out the stream of a named component."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How every frame is rendered; sizes in pixels, ``samples`` a pixel."""

    width: int
    height: int
    samples: int
    denoise: bool
    depth: bool
    device: str

    def __post_init__(self) -> None:
        for name in ("width", "height", "samples"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be positive", got=getattr(self, name), expected="1 or more")
        if self.device not in DEVICES:
            raise ConfigError("unknown rendering device", where="device", got=self.device, expected=", ".join(DEVICES))


@dataclass(frozen=True, kw_only=True)
class Job:
    """Frames of one scene pack under one seed."""

    scene: ScenePlan
    seed: int
    settings: Settings

    @property
    def classes(self) -> ClassList:
        """The pack's classes."""
        names, colours = zip(*self.scene.classes, strict=True)
        return ClassList.of(names, colours)

    def plan(self, index: int) -> dict[str, Any]:
        """The plan of one frame."""
        return self.scene(lambda component: generator(self.seed, "scene", index, component))

    def write(self, path: Path, indexes: Sequence[int], out: Path, *, threads: int) -> None:
        """Write the job of one worker, a child of this process, with ``threads`` render threads (0: all cores)."""
        frames = [{"index": index, "plan": self.plan(index)} for index in indexes]
        body = asdict(self.settings) | {"threads": threads, "parent": os.getpid(), "out": str(out), "frames": frames}
        path.write_text(json.dumps(body), "utf-8")
