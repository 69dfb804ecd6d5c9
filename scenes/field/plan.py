"""Parameters of the field pack, and the plan of one picture drawn from them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from scenes.field import layout
from scenes.field.soil import Litter, Soil
from scenes.field.species import CROPS, WEEDS, pick_kind, plan_plant, plan_season
from scenes.kit.cameras import plan_camera
from scenes.kit.footprint import Footprint, footprint_of
from scenes.kit.pack import Pack
from scenes.kit.sampling import Span, Streams, chance, log_uniform, pick, seed_of, settle, uniform
from scenes.kit.sky import Sky

_SPANS: dict[str, tuple[float, float]] = {
    "height_m": (0.4, 15.0),
    "field_deg": (10.0, 90.0),
    "tilt_deg": (0.0, 45.0),
    "roll_deg": (-180.0, 180.0),
    "row_spacing_m": (0.1, 2.0),
    "plant_spacing_m": (0.03, 1.0),
    "jitter": (0.0, 0.5),
    "crop_growth": (0.0, 1.0),
    "weed_growth": (0.0, 1.0),
    "weed_density": (0.0, 500.0),
}
"""Bounds of every parameter that is a range."""

_SHARES = ("gap_share", "bare_share", "clean_share", "patchy_share", "purity", "shade_share")
_MOST_WEEDS, _MOST_CROPS = 110, 160
"""Plants of a picture of up to 4:3: more cost time, and hide the soil."""


def _sky() -> Sky:
    return Sky(kinds={"sun": 1.0, "overcast": 1.0}, elevation_deg=(22.0, 70.0), sun=(1.5, 6.0))


@dataclass(frozen=True, kw_only=True)
class Field(Pack):
    """Crop rows and weeds on soil, seen from above.

    Ranges are [low, high]; shares are probabilities from 0 to 1; lengths are in metres. Meaning of each field:
    ``conf/scene/field.yaml``.
    """

    classes: ClassVar[tuple[tuple[str, tuple[int, int, int]], ...]] = (
        ("soil", (0, 0, 0)),
        ("crop", (0, 158, 115)),
        ("weed", (213, 94, 0)),
    )

    height_m: Span = (0.7, 2.0)
    field_deg: Span = (35.0, 55.0)
    tilt_deg: Span = (0.0, 18.0)
    roll_deg: Span = (-15.0, 15.0)
    row_spacing_m: Span = (0.3, 0.7)
    plant_spacing_m: Span = (0.08, 0.26)
    jitter: Span = (0.03, 0.2)
    gap_share: float = 0.15
    bare_share: float = 0.06
    clean_share: float = 0.06
    crops: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(CROPS, 1.0))
    crop_growth: Span = (0.05, 0.85)
    weeds: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(WEEDS, 1.0))
    weed_growth: Span = (0.0, 0.8)
    weed_density: Span = (4.0, 60.0)
    patchy_share: float = 0.45
    purity: float = 0.35
    soil: Soil = field(default_factory=Soil)
    litter: Litter = field(default_factory=Litter)
    sky: Sky = field(default_factory=_sky)
    shade_share: float = 0.15

    def __post_init__(self) -> None:
        settle(self, spans=_SPANS, shares=_SHARES, weights={"crops": tuple(CROPS), "weeds": tuple(WEEDS)})
        if self.weed_density[0] <= 0:
            raise ValueError(f"weed_density: got {list(self.weed_density)}, expected a low end above 0")

    def __call__(self, rng: Streams, emphasis: Mapping[str, float], ratio: float = 1.0) -> dict[str, Any]:
        """See `Pack.__call__`. Emphasis on weed makes weeds denser, on crop rows fuller; both make lack of it rarer."""
        camera, frame_m = self._camera(rng)
        footprint = footprint_of(ratio, camera, frame=frame_m)
        season, pitch = plan_season(rng("season")), uniform(rng("rows"), self.row_spacing_m)
        return {
            "pack": "field",
            "seed": seed_of(rng("cycles")),
            "frame_m": frame_m,
            "crops": self._crops(rng, emphasis.get("crop", 1.0), frame_m, pitch, season, footprint),
            "weeds": self._weeds(rng, emphasis.get("weed", 1.0), frame_m, season, footprint),
            "soil": self.soil.plan(rng, frame_m=frame_m, ridge_m=pitch),
            "litter": self.litter.plan(rng, area_m2=(1.4 * frame_m) ** 2, longer=footprint.longer(0.8 * frame_m)),
            "shade": layout.shade(rng("shade"), frame_m=frame_m, share=self.shade_share),
            "sky": self.sky.plan(rng),
            "camera": camera,
            "sensor": self.plan_sensor(rng),
        }

    def _camera(self, rng: Streams) -> tuple[dict[str, Any], float]:
        """The camera, and how much ground the picture's shorter side spans from its height."""
        height, field_deg = log_uniform(rng("height"), self.height_m), uniform(rng("view"), self.field_deg)
        frame_m = round(2 * height * math.tan(math.radians(field_deg) / 2), 6)
        camera = plan_camera(rng, frame_m=frame_m, tilt_deg=self.tilt_deg, field_deg=(field_deg, field_deg))
        roll = uniform(rng("roll"), self.roll_deg)
        return camera | {"roll_deg": round(roll - camera["azimuth_deg"], 6)}, frame_m

    def _crops(
        self,
        rng: Streams,
        emphasis: float,
        frame_m: float,
        pitch: float,
        season: dict[str, Any],
        footprint: Footprint,
    ) -> list[dict[str, Any]]:
        draw, reach = rng("crops"), 0.8 * frame_m
        bare, kind = chance(draw, self.bare_share / max(emphasis, 1.0)), pick(draw, dict(self.crops))
        growth, jitter = uniform(draw, self.crop_growth), uniform(draw, self.jitter)
        spacing = uniform(draw, self.plant_spacing_m) * (1.0 + (kind != "bean") * growth)
        spots = layout.rows(
            rng,
            pitch=pitch,
            spacing=spacing / min(max(emphasis, 0.25), 2.0),
            shift=uniform(draw, (-0.3, 0.3)) * min(1.0, frame_m / pitch),
            jitter=jitter,
            gaps=min(self.gap_share / max(emphasis, 0.2), 1.0),
            reach=reach,
            footprint=footprint,
        )
        one = {"kind": kind, "table": CROPS, "growth": growth, "season": season}
        names = sorted(spots, key=lambda name: footprint.away(*spots[name]))
        most = 0 if bare else round(_MOST_CROPS * footprint.longer(reach))
        return [plan_plant(rng(name), **one) | dict(zip("xy", spots[name], strict=True)) for name in names[:most]]

    def _weeds(
        self, rng: Streams, emphasis: float, frame_m: float, season: dict[str, Any], footprint: Footprint
    ) -> list[dict[str, Any]]:
        draw, reach = rng("weeds"), 0.72 * frame_m
        clean, main = chance(draw, self.clean_share / max(emphasis, 0.1)), pick(draw, dict(self.weeds))
        growth, density = uniform(draw, self.weed_growth), log_uniform(draw, self.weed_density)
        longer = footprint.longer(reach)
        number = min(round(density * emphasis * longer * (2 * reach) ** 2) + 1, round(longer * _MOST_WEEDS))
        patches = [pick(draw, dict(self.weeds)) for _ in range(round(3 * longer))]
        spots = layout.scattered(
            rng("places"),
            number=number,
            patches=len(patches),
            patchy=self.patchy_share,
            reach=reach,
            footprint=footprint,
        )
        made = []
        for index, ((x, y), patch) in enumerate(spots):
            own = rng(f"weed-{index}")
            kind = pick_kind(
                own, dict(self.weeds), patches[patch] if patch >= 0 else main, self.purity + 0.4 * (patch >= 0)
            )
            stage = growth + 0.25 * float(own.normal())
            made.append(plan_plant(own, kind=kind, table=WEEDS, growth=stage, season=season) | {"x": x, "y": y})
        return [] if clean else made
