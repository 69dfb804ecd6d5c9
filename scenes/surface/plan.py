"""Parameters of the surface pack, and the plan of one picture drawn from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from scenes.kit.cameras import plan_camera
from scenes.kit.footprint import Footprint, footprint_of
from scenes.kit.pack import Pack
from scenes.kit.sampling import (
    Span,
    Streams,
    chance,
    checked_span,
    emphasised,
    pick,
    seed_of,
    settle,
    tint,
    uniform,
    whole,
)
from scenes.surface import defects, lighting, materials, part
from scenes.surface.marks import Marks

_SPANS: dict[str, tuple[float, float]] = {
    "frame_mm": (1, 2000),
    "count": (1, 40),
    "contrast": (0.0, 1.0),
    "curvature": (0.0, 2.5),
    "unevenness": (0.0, 1.0),
    "light_distance": (0.5, 30.0),
    "tilt_deg": (0.0, 45.0),
    "roll_deg": (-180.0, 180.0),
    "field_deg": (5.0, 90.0),
}
"""Bounds of every parameter that is a range."""

_SIZES: dict[str, Span] = {
    "scratch": (0.12, 0.9),
    "crack": (0.1, 0.7),
    "blowhole": (0.03, 0.1),
    "chip": (0.05, 0.4),
    "stain": (0.12, 0.6),
    "fray": (0.2, 1.0),
}
"""Length or diameter of each kind of defect, in frame sides."""


def _weights(*names: str) -> Any:
    return field(default_factory=lambda: dict.fromkeys(names, 1.0))


@dataclass(frozen=True, kw_only=True)
class Surface(Pack):
    """Close-up inspection pictures of a part, sound or with defects.

    Ranges are [low, high]; shares are probabilities from 0 to 1; lengths are in shares of the frame's shorter side
    unless a name says millimetres (``_mm``). Meaning of each field: ``conf/scene/surface.yaml``.
    """

    classes: ClassVar[tuple[tuple[str, tuple[int, int, int]], ...]] = (
        ("background", (0, 0, 0)),
        ("scratch", (86, 180, 233)),
        ("crack", (213, 94, 0)),
        ("blowhole", (240, 228, 66)),
        ("chip", (0, 158, 115)),
        ("stain", (0, 114, 178)),
        ("fray", (204, 121, 167)),
    )

    frame_mm: Span = (20.0, 120.0)
    free_share: float = 0.15
    count: Span = (1, 3)
    defects: Mapping[str, float] = _weights(*defects.KINDS)
    sizes: Mapping[str, Span] = field(default_factory=lambda: dict(_SIZES))
    contrast: Span = (0.35, 1.0)
    reach: float = 0.47
    marks: Marks = field(default_factory=Marks)
    materials: Mapping[str, float] = field(
        default_factory=lambda: {"tile": 2.0, "metal": 1.0, "concrete": 0.7, "fabric": 0.7}
    )
    unevenness: Span = (0.0, 0.65)
    shapes: Mapping[str, float] = field(default_factory=lambda: {"flat": 1.2, "cylinder": 1.0, "wavy": 0.5})
    curvature: Span = (0.05, 1.0)
    edge_share: float = 0.4
    lights: Mapping[str, float] = _weights(*lighting.KINDS)
    light_distance: Span = (1.2, 6.0)
    tilt_deg: Span = (0.0, 15.0)
    roll_deg: Span = (-5.0, 5.0)
    field_deg: Span = (10.0, 40.0)

    def __post_init__(self) -> None:
        known = {
            "defects": defects.KINDS,
            "materials": materials.KINDS,
            "shapes": part.SHAPES,
            "lights": lighting.KINDS,
        }
        settle(self, spans=_SPANS, shares=("free_share", "edge_share", "reach"), weights=known)
        object.__setattr__(self, "sizes", _checked_sizes(self.sizes))

    def __call__(self, rng: Streams, emphasis: Mapping[str, float], ratio: float = 1.0) -> dict[str, Any]:
        """See `Pack.__call__`. Emphasis on a kind of defect makes it more frequent, and sound pictures rarer."""
        frame_m, kind = uniform(rng("frame"), self.frame_mm) / 1000, pick(rng("kind"), self.materials)
        camera = self._camera(rng, frame_m)
        footprint = footprint_of(ratio, camera, frame=1.0)
        whole_part = part.plan_part(
            rng("part"),
            shapes=dict(self.shapes),
            curvature=self.curvature,
            edge_share=self.edge_share,
            footprint=footprint,
        )
        return {
            "pack": "surface",
            "seed": seed_of(rng("cycles")),
            "frame_m": frame_m,
            "part": whole_part,
            "material": materials.plan_material(rng("material"), kind=kind, unevenness=self.unevenness),
            "defects": self._defects(rng, emphasis, kind, whole_part["edges"], footprint),
            "marks": self.marks.plan(rng, material=kind, footprint=footprint),
            "table": self._table(rng),
            "lighting": lighting.plan_lighting(
                rng,
                frame_m=frame_m,
                kinds=dict(self.lights),
                distance=self.light_distance,
                longer=footprint.longer(2 / 3),
            ),
            "camera": camera,
            "sensor": self.plan_sensor(rng),
        }

    def _defects(
        self,
        rng: Streams,
        emphasis: Mapping[str, float],
        material: str,
        edges: dict[str, float],
        footprint: Footprint,
    ) -> list[dict[str, Any]]:
        """Those of a picture of up to 4:3, or as many more as it is wider."""
        weights, draw = emphasised(self.defects, emphasis), rng("defects")
        free, number = chance(draw, self._free(weights, emphasis)), whole(draw, self.count)
        liking = defects.AFFINITY[material]
        # What is wanted urgently is drawn on materials that hardly ever have it, too.
        urgency = {kind: max(emphasis.get(kind, 1.0), 1.0) for kind in weights}
        liked = {kind: weight * liking.get(kind, 1.0) ** (1 / urgency[kind]) for kind, weight in weights.items()}
        number = 0 if free else int(number * footprint.longer(2 / 3) + draw.random())
        return [self._defect(rng(f"defect-{index}"), liked, edges, material, footprint) for index in range(number)]

    def _free(self, weights: Mapping[str, float], emphasis: Mapping[str, float]) -> float:
        """Share of sound pictures, against which the emphasis on what is not sound is weighed."""
        wanted = sum(weights.values()) / sum(self.defects.values())
        sound = self.free_share * emphasis.get("background", 1.0)
        return sound / max(sound + (1 - self.free_share) * wanted, 1e-9)

    def _defect(
        self, draw: Any, weights: dict[str, float], edges: dict[str, float], material: str, footprint: Footprint
    ) -> dict[str, Any]:
        kind = pick(draw, weights)
        return defects.plan_defect(
            draw,
            kind=kind,
            material=material,
            size=self.sizes[kind],
            contrast=self.contrast,
            edges=edges,
            reach=self.reach,
            footprint=footprint,
        )

    def _table(self, rng: Streams) -> dict[str, Any]:
        draw = rng("table")
        return {"colour": tint(draw, (0.002, 0.12), (0.0, 0.4)), "roughness": uniform(draw, (0.3, 1.0))}

    def _camera(self, rng: Streams, frame_m: float) -> dict[str, Any]:
        """Upright but for ``roll_deg``: parts lie straight under an inspection camera."""
        camera = plan_camera(rng, frame_m=frame_m, tilt_deg=self.tilt_deg, field_deg=self.field_deg)
        roll = uniform(rng("roll"), self.roll_deg)
        return camera | {"roll_deg": round(roll - camera["azimuth_deg"], 6)}


def _checked_sizes(given: Mapping[str, Any]) -> dict[str, Span]:
    """Size ranges by kind; kinds that are not given keep their default."""
    if unknown := sorted(set(given) - set(_SIZES)):
        raise ValueError(f"sizes: got {', '.join(unknown)}, expected ranges of {', '.join(_SIZES)}")
    return {
        kind: checked_span(f"sizes.{kind}", given.get(kind, default), 0.005, 2.0) for kind, default in _SIZES.items()
    }
