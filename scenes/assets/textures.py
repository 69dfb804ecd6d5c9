"""The user's photographs as surfaces of the assets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from scenes.kit import files, photographs
from scenes.kit.nodes import Shader
from scenes.kit.photographs import Photographs
from scenes.kit.sampling import chance, log_uniform, uniform

FOLDER = "textures"


@dataclass(frozen=True, kw_only=True)
class Textures(Photographs):
    """Photographs of ``folder`` on a ``share`` of the assets; without a folder there are none."""

    share: float = 0.3
    named: ClassVar[str] = FOLDER

    def plan(self, rng: np.random.Generator) -> dict[str, Any] | None:
        """Draw a photograph and how it lies on one asset, or none."""
        used, place = chance(rng, self.share), rng.random()
        drawn = {"repeats": log_uniform(rng, (0.5, 3.0)), "roughness": uniform(rng, (0.3, 0.9))}
        if not (self.enabled and self.pictures and used):
            return None
        return {"file": self.pictures[int(place * len(self.pictures))], **drawn}


def surface(plan: dict[str, Any], *, size: float) -> Any:
    """Material that shows the photograph from each of the six sides of an object's box, ``size`` metres wide."""
    shader = Shader("texture", seed=0, unit=1.0)
    at = shader.node("Mapping", {"Vector": shader.place, "Scale": (plan["repeats"] / size,) * 3}).outputs["Vector"]
    picture = photographs.shown(files.locate(FOLDER, plan["file"]))
    inputs: dict[str | int, Any] = {"Vector": at}
    node = shader.node("TexImage", inputs, image=picture, projection="BOX", projection_blend=0.2)
    shader.set(Base_Color=node.outputs["Color"], Roughness=plan["roughness"])
    return shader.material
