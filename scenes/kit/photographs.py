"""A folder of the user's photographs, used in a share of the cases: what backgrounds and textures have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from scenes.kit import files
from scenes.kit.sensor import Component


@dataclass(frozen=True, kw_only=True)
class Photographs(Component):
    """Photographs of ``folder``, in a ``share`` of the cases; without a folder there are none."""

    folder: str | None = None
    share: float = 0.5
    pictures: tuple[str, ...] = field(init=False, default=(), repr=False)

    named: ClassVar[str]
    """Name by which plans refer to the folder (see `scenes.kit.files`)."""

    shares: ClassVar = ("share",)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "pictures", files.listed("folder", self.folder, files.PICTURES))
