"""Real unlabelled photographs behind or beneath rendered things: the cheapest realism there is.

A photograph is used as a *backplate* where rays hit nothing (`behind`), or as the texture of the ground that things lie
on (`ground`). Everything it shows counts as background, so that it must not show the classes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from PIL import Image

from scenes.kit import files
from scenes.kit.nodes import Shader
from scenes.kit.sampling import Streams, chance, uniform
from scenes.kit.sensor import Component

FOLDER = "backgrounds"


@dataclass(frozen=True, kw_only=True)
class Backgrounds(Component):
    """Photographs of ``folder``, in a ``share`` of the pictures; without a folder there are none."""

    folder: str | None = None
    share: float = 0.5
    shares: ClassVar = ("share",)
    pictures: tuple[str, ...] = field(init=False, default=(), repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "pictures", files.listed("folder", self.folder, files.PICTURES))

    def plan(self, streams: Streams) -> dict[str, Any] | None:
        """Draw a photograph and a cut of it, or none."""
        if not (self.enabled and self.pictures):
            return None
        rng = streams("backgrounds")
        used, place = chance(rng, self.share), int(rng.integers(len(self.pictures)))
        size, x, y = uniform(rng, (0.5, 1.0)), *rng.uniform(0, 1, 2)
        corner = [round(float(v) * (1 - size), 4) for v in (x, y)]
        cut = {"file": self.pictures[place], "corner": corner, "size": size, "flip": chance(rng, 0.5)}
        return cut if used else None


def ground(plan: dict[str, Any], *, side: float, roughness: float = 0.8) -> Any:
    """Material of a level ground whose visible part, ``side`` metres wide, shows the photograph."""
    shader = Shader("photograph", seed=0, unit=1.0)
    scale = plan["size"] / side * (-1 if plan["flip"] else 1)
    x, y, _ = shader.axes(shader.place)
    at = shader.vector(
        shader.math("ADD", shader.math("MULTIPLY", x, scale), plan["corner"][0] + plan["size"] / 2),
        shader.math("ADD", shader.math("MULTIPLY", y, abs(scale)), plan["corner"][1] + plan["size"] / 2),
        0.0,
    )
    shader.set(Base_Color=shader.picture(str(files.locate(FOLDER, plan["file"])), at), Roughness=roughness)
    return shader.material


def behind(light: npt.NDArray[np.float32], plan: dict[str, Any]) -> npt.NDArray[np.float32]:
    """Premultiplied linear RGBA (H, W, 4) over the photograph -> (H, W, 3), as bright as the scene on average."""
    height, width = light.shape[:2]
    with Image.open(files.locate(FOLDER, plan["file"])) as opened:
        whole = opened.convert("RGB")
    left, top = plan["corner"][0] * whole.width, plan["corner"][1] * whole.height
    cut = (left, top, left + plan["size"] * whole.width, top + plan["size"] * whole.height)
    picture = np.asarray(whole.resize((width, height), Image.Resampling.LANCZOS, box=cut), np.float32) / 255
    picture = (picture[:, ::-1] if plan["flip"] else picture) ** np.float32(2.2)
    alpha = np.clip(light[..., 3:], 0, 1)
    shown = float(light[..., :3][alpha[..., 0] > 0.5].mean()) if (alpha > 0.5).any() else 1.0
    return np.asarray(light[..., :3] + (1 - alpha) * picture * (shown / max(float(picture.mean()), 1e-4)), np.float32)
