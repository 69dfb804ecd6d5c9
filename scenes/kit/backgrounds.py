"""Real unlabelled photographs behind or beneath rendered things: the cheapest realism there is.

A photograph is used as a *backplate* where rays hit nothing (`behind`), or as the texture of the ground that things lie
on (`ground`). Everything it shows counts as background, so that it must not show the classes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from scenes.kit import files, photographs
from scenes.kit.nodes import Shader
from scenes.kit.photographs import Photographs
from scenes.kit.sampling import Streams, chance, uniform

FOLDER = "backgrounds"


@dataclass(frozen=True, kw_only=True)
class Backgrounds(Photographs):
    """Photographs of ``folder``, in a ``share`` of the pictures; without a folder there are none."""

    named: ClassVar[str] = FOLDER

    def plan(self, streams: Streams) -> dict[str, Any] | None:
        """Draw a photograph and a cut of it, or none."""
        if not (self.enabled and self.pictures):
            return None
        rng = streams("backgrounds")
        used, place = chance(rng, self.share), int(rng.integers(len(self.pictures)))
        size, x, y = uniform(rng, (0.5, 1.0)), *rng.uniform(0, 1, 2)
        corner = [math.floor(float(v) * (1 - size) * 10_000) / 10_000 for v in (x, y)]
        cut = {"file": self.pictures[place], "corner": corner, "size": size, "flip": chance(rng, 0.5)}
        return cut if used else None


def ground(plan: dict[str, Any], *, side: float, roughness: float = 0.8) -> Any:
    """Material of a level ground whose visible part, ``side`` metres wide, shows the photograph, undistorted."""
    image = photographs.shown(files.locate(FOLDER, plan["file"]))
    wide, high = image.size
    shader = Shader("photograph", seed=0, unit=1.0)
    across, upwards = (plan["size"] * min(wide, high) / length / side for length in (wide, high))
    middle_x, middle_y = (start + plan["size"] / 2 for start in plan["corner"])
    x, y, _ = shader.axes(shader.place)
    at = shader.vector(
        shader.math("ADD", shader.math("MULTIPLY", x, -across if plan["flip"] else across), middle_x),
        shader.math("ADD", shader.math("MULTIPLY", y, upwards), 1 - middle_y),
        0.0,
    )
    shader.set(Base_Color=shader.picture(image, at), Roughness=roughness)
    return shader.material


def behind(light: npt.NDArray[np.float32], plan: dict[str, Any]) -> npt.NDArray[np.float32]:
    """Premultiplied linear RGBA (H, W, 4) over the photograph -> (H, W, 3), as bright as the scene on average."""
    height, width = light.shape[:2]
    whole = photographs.read(files.locate(FOLDER, plan["file"]))
    cut = _cut(plan, whole.size, width / height)
    picture = np.asarray(whole.resize((width, height), Image.Resampling.LANCZOS, box=cut), np.float32) / 255
    picture = (picture[:, ::-1] if plan["flip"] else picture) ** np.float32(2.2)
    alpha = np.clip(light[..., 3:], 0, 1)
    shown = float(light[..., :3][alpha[..., 0] > 0.5].mean()) if (alpha > 0.5).any() else 1.0
    return np.asarray(light[..., :3] + (1 - alpha) * picture * (shown / max(float(picture.mean()), 1e-4)), np.float32)


def recut(light: npt.NDArray[np.float32], alpha_hw: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Premultiplied RGBA (H, W, 4), its colours denoised and its alpha noisy, with ``alpha_hw`` in its place.

    A denoiser smooths colours along edges but leaves alpha as it was, so that the two do not belong together there.
    Pixels that are covered in part take the colour of what is around them, weighed by how much of it is covered. What
    is seen through (a leaf's cut-out, glass) keeps its own alpha.
    """
    red, green, blue, total = (_blurred(light[..., channel]) for channel in range(4))
    around = np.stack([red, green, blue], -1) / np.maximum(total, 1e-3)[..., None]
    edge_hw = (alpha_hw < 1) & (total > 0)
    colours = np.where(edge_hw[..., None], around * alpha_hw[..., None], light[..., :3])
    alpha = np.where(edge_hw, alpha_hw, light[..., 3])
    return np.concatenate([colours, alpha[..., None]], -1, dtype=np.float32)


def _blurred(plane: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Each pixel with its eight neighbours, nearer ones counting more."""
    weights = (0.25, 0.5, 0.25)
    rows = ndimage.convolve1d(plane, weights, axis=0, mode="constant")
    return np.asarray(ndimage.convolve1d(rows, weights, axis=1, mode="constant"), np.float32)


def _cut(plan: dict[str, Any], size: tuple[int, int], ratio: float) -> tuple[float, float, float, float]:
    """The largest box of the frame's ``ratio`` (width by height) in the middle of the planned cut, in pixels."""
    (left, top), (wide, high) = (
        [share * length for share, length in zip(shares, size, strict=True)]
        for shares in (plan["corner"], [plan["size"]] * 2)
    )
    width, height = min(wide, high * ratio), min(wide / ratio, high)
    left, top = left + (wide - width) / 2, top + (high - height) / 2
    return left, top, min(left + width, size[0]), min(top + height, size[1])
