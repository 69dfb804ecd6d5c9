"""What is asked of Blender: frames of a scene pack, as job and request lines for ``python -m scenes.kit.worker``.

A frame's plan is a pure function of (seed, index, component) and of the emphasis it is asked with, so that any process
may render any frame.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from factory.core.classes import ClassList
from factory.core.errors import ConfigError
from factory.core.seeds import generator

DEVICES = ("cpu", "gpu", "auto")
SIDES = (4, 65_536)
"""Shortest and longest side of a picture that Blender renders."""

MOST_PIXELS = 1 << 28
"""Of a picture; a worker needs some hundred bytes for each."""


class ScenePlan(Protocol):
    """A scene pack's parameters: its classes, and a callable that plans one picture."""

    @property
    def classes(self) -> tuple[tuple[str, tuple[int, int, int]], ...]:
        """Name and colour of each class, in id order."""

    @property
    def nothing(self) -> int:
        """Class of pixels whose ray hits no object."""

    @property
    def folders(self) -> dict[str, str]:
        """The user's folders that plans refer to by name."""

    @property
    def left_out(self) -> tuple[str, ...]:
        """What of the user's files is never shown, and why, a sentence each."""

    def __call__(
        self, rng: Callable[[str], np.random.Generator], emphasis: Mapping[str, float], ratio: float, /
    ) -> dict[str, Any]:
        """The JSON-able plan of one picture of ``ratio`` width by height; ``rng`` hands out the stream of a named
        component.
        """


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How every frame is rendered; sizes in pixels, ``samples`` a pixel, ``outputs`` of depth, normals, amodal."""

    width: int
    height: int
    samples: int
    denoise: bool
    outputs: tuple[str, ...]
    device: str

    def __post_init__(self) -> None:
        for name, least, most in (("width", *SIDES), ("height", *SIDES), ("samples", 1, SIDES[1])):
            if not least <= (value := getattr(self, name)) <= most:
                raise ConfigError(f"{name} cannot be rendered", where=name, got=value, expected=f"{least} to {most}")
        if self.width * self.height > MOST_PIXELS:
            got = f"{self.width} x {self.height}"
            raise ConfigError("too large a picture", where="width, height", got=got, expected=f"{MOST_PIXELS:,} pixels")
        if self.device not in DEVICES:
            raise ConfigError("unknown rendering device", where="device", got=self.device, expected=", ".join(DEVICES))


@dataclass(frozen=True, kw_only=True)
class Request:
    """One frame. ``emphasis`` by class name; ``audit`` asks for the second route to its masks; with ``wishes`` (see
    `scenes.kit.tally`) it is rendered only if it shows something that is wanted.
    """

    index: int
    audit: bool = False
    emphasis: Mapping[str, float] = field(default_factory=dict)
    wishes: tuple[dict[str, Any], ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Job:
    """Frames of one scene pack under one seed; a random ``audit_share`` of them is audited by a second route."""

    scene: ScenePlan
    seed: int
    settings: Settings
    audit_share: float = 0.0

    @property
    def classes(self) -> ClassList:
        """The pack's classes."""
        names, colours = zip(*self.scene.classes, strict=True)
        return ClassList.of(names, colours)

    def plan(self, index: int, emphasis: Mapping[str, float]) -> dict[str, Any]:
        """The plan of one frame."""
        ratio = self.settings.width / self.settings.height
        return self.scene(lambda component: generator(self.seed, "scene", index, component), emphasis, ratio)

    def request(
        self,
        index: int,
        *,
        emphasis: Mapping[str, float] | None = None,
        wishes: tuple[dict[str, Any], ...] | None = None,
    ) -> Request:
        """Ask for a frame; whether it is audited is drawn for each frame by itself."""
        audit = generator(self.seed, "audit", index).random() < self.audit_share
        return Request(index=index, audit=audit, emphasis=emphasis or {}, wishes=wishes)

    def line(self, request: Request) -> bytes:
        """The request as the worker reads it."""
        body = {
            "index": request.index,
            "plan": self.plan(request.index, request.emphasis),
            "audit": request.audit,
            "wishes": None if request.wishes is None else list(request.wishes),
        }
        return json.dumps(body).encode() + b"\n"

    def write(self, path: Path, out: Path, *, threads: int) -> None:
        """Write the job of one worker, a child of this process, with ``threads`` render threads (0: all cores)."""
        settings = self.settings
        body = {
            "width": settings.width,
            "height": settings.height,
            "samples": settings.samples,
            "denoise": settings.denoise,
            "outputs": list(settings.outputs),
            "device": settings.device,
            "threads": threads,
            "nothing": self.scene.nothing,
            "folders": {name: str(Path(folder).absolute()) for name, folder in self.scene.folders.items()},
            "out": str(out.absolute()),
            "parent": os.getpid(),
        }
        path.write_text(json.dumps(body), "utf-8")
