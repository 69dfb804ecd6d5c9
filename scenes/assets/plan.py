"""Parameters of the assets pack, and the plan of one picture drawn from them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scenes.assets import layout
from scenes.assets.listing import Asset, Listing, read
from scenes.assets.textures import Textures
from scenes.kit.backgrounds import Backgrounds
from scenes.kit.distractors import Distractors
from scenes.kit.lights import KINDS, plan_lights
from scenes.kit.materials import plan_material
from scenes.kit.pack import Colour, Pack
from scenes.kit.room import plan_room
from scenes.kit.sampling import Span, Streams, chance, pick, seed_of, settle, uniform, whole
from scenes.kit.strip import strip_of

FOLDER = "assets"

GROUNDS = ("wood", "cloth", "stone", "concrete", "paper", "terrazzo", "brushed", "smooth")
BARE = ("smooth", "paper", "wood", "stone", "brushed")
"""Materials of assets whose files bring none."""

MOST = 60
"""Assets in one picture of up to 4:3, however much is emphasised."""

_TRIES = 16

_SPANS: dict[str, Span] = {
    "count": (1, MOST),
    "size_jitter": (0.1, 10.0),
    "density": (0.02, 1.0),
    "fill": (0.1, 4.0),
    "off_middle": (0.0, 1.0),
    "ground_lightness": (0.003, 1.0),
    "lights": (1, 6),
    "light_elevation_deg": (2.0, 90.0),
    "light_distance": (0.3, 50.0),
    "ambient": (0.001, 10.0),
    "elevation_deg": (0.0, 90.0),
    "roll_deg": (-180.0, 180.0),
    "field_deg": (5.0, 90.0),
}
"""Bounds of every parameter that is a range."""


def _weights(*names: str) -> Any:
    return field(default_factory=lambda: dict.fromkeys(names, 1.0))


@dataclass(frozen=True, kw_only=True)
class Assets(Pack):
    """The user's meshes of ``folder``, as its ``assets.csv`` lists them (see `scenes.assets.listing`).

    Ranges are [low, high]; shares are probabilities from 0 to 1. Meaning of each field: ``conf/scene/assets.yaml``.
    """

    folder: str
    count: Span = (1, 6)
    size_jitter: Span = (0.95, 1.05)
    density: Span = (0.3, 0.8)
    hover_share: float = 0.2
    backgrounds: Backgrounds = field(default_factory=Backgrounds)
    backgrounds_as: str = "backplate"
    textures: Textures = field(default_factory=Textures)
    distractors: Distractors = field(default_factory=Distractors)
    grounds: Mapping[str, float] = _weights(*GROUNDS)
    ground_lightness: Span = (0.02, 0.7)
    lights: Span = (1, 3)
    light_kinds: Mapping[str, float] = _weights(*KINDS)
    light_elevation_deg: Span = (20.0, 80.0)
    light_distance: Span = (1.5, 8.0)
    light_warmth: float = 0.25
    ambient: Span = (0.15, 0.9)
    elevation_deg: Span = (15.0, 75.0)
    fill: Span = (0.6, 1.2)
    off_middle: Span = (0.0, 0.25)
    roll_deg: Span = (-12.0, 12.0)
    field_deg: Span = (22.0, 55.0)
    listing: Listing = field(init=False, repr=False)

    def __post_init__(self) -> None:
        settle(
            self,
            spans=_SPANS,
            shares=("hover_share", "light_warmth"),
            weights={"grounds": GROUNDS, "light_kinds": KINDS},
        )
        if self.backgrounds_as not in ("backplate", "ground"):
            raise ValueError(f"backgrounds_as: got {self.backgrounds_as!r}, expected backplate or ground")
        object.__setattr__(self, "listing", read(self.folder))

    @property
    def classes(self) -> tuple[tuple[str, Colour], ...]:  # type: ignore[override]
        """As the listing has them, in the order of their first rows, after the background."""
        return self.listing.classes

    @property
    def folders(self) -> dict[str, str]:
        """See `Pack.folders`."""
        return super().folders | {FOLDER: self.folder}

    def __call__(self, rng: Streams, emphasis: Mapping[str, float], ratio: float = 1.0) -> dict[str, Any]:
        """See `Pack.__call__`. ``emphasis`` multiplies how many of a class there are.

        Lengths of ground, lights and distractors are in multiples of the picture's side, which the program knows
        once it has seen how large the meshes are.
        """
        photograph, hover = self.backgrounds.plan(rng), chance(rng("hover"), self.hover_share)
        on_ground = self.backgrounds_as == "ground" and not hover
        hover = hover or (photograph is not None and not on_ground)
        camera = self._camera(rng)
        strip = layout.strip_on(ratio, camera, hover=hover)
        return {
            "pack": "assets",
            "seed": seed_of(rng("cycles")),
            "assets": self._drawn(rng, emphasis, strip_of(ratio, camera).longer(2 / 3)),
            "density": uniform(rng("density"), self.density),
            "hover": hover,
            "ground": plan_material(rng("ground"), kinds=self.grounds, lightness=self.ground_lightness),
            "photograph": photograph if on_ground else None,
            "backplate": None if on_ground else photograph,
            "distractors": [] if hover else self.distractors.plan(rng, frame_m=1.0, strip=strip),
            "lights": self._lights(rng),
            "room": plan_room(rng, level=self.ambient, warmth=self.light_warmth),
            "camera": camera,
            "sensor": self.plan_sensor(rng),
        }

    def _drawn(self, rng: Streams, emphasis: Mapping[str, float], longer: float) -> list[dict[str, Any]]:
        """As many rows as planned, times the mean emphasis of what they show, and times how much longer a picture is
        than a 4:3 one; each row with its copies.
        """
        rows = {str(index): asset for index, asset in enumerate(self.listing.assets)}
        usual = {key: asset.weight for key, asset in rows.items()}
        wanted = {key: weight * emphasis.get(rows[key].class_name, 1.0) for key, weight in usual.items()}
        draw = rng("count")
        number = whole(draw, self.count) * sum(wanted.values()) / sum(usual.values())
        most = int(MOST * longer)
        number = min(int(number * longer + draw.random()), most)
        ids = {name: class_id for class_id, (name, _) in enumerate(self.classes)}
        drawn: list[dict[str, Any]] = []
        for index in range(number):
            draw = rng(f"asset-{index}")
            asset = rows[pick(draw, wanted)]
            for copy in range(whole(draw, asset.count)):
                own = self._asset(rng(f"asset-{index}-{copy}"), asset)
                drawn.append({"name": f"asset-{index}-{copy}", "class_id": ids[asset.class_name]} | own)
        return drawn[:most]

    def _asset(self, rng: np.random.Generator, asset: Asset) -> dict[str, Any]:
        """One copy: its size, how it is turned, where it may go, and what it is made of if its file does not say."""
        jitter = uniform(rng, self.size_jitter)
        turn = [round(float(v), 4) for v in rng.uniform(0, 2 * math.pi, 3)]
        spots = [[round(float(v), 4) for v in spot] for spot in rng.uniform(-1, 1, (_TRIES, 2))]
        return {
            "file": asset.file,
            "size_m": None if asset.size_m is None else round(asset.size_m * jitter, 9),
            "scale": None if asset.scale is None else round(asset.scale * jitter, 9),
            "pose": asset.pose if isinstance(asset.pose, str) else list(asset.pose),
            "turn": turn,
            "spots": spots,
            "nearness": uniform(rng, (-1.0, 1.0)),
            "material": plan_material(rng, kinds=dict.fromkeys(BARE, 1.0), lightness=(0.1, 0.8)),
            "texture": self.textures.plan(rng),
        }

    def _lights(self, rng: Streams) -> list[dict[str, Any]]:
        return plan_lights(
            rng,
            frame_m=1.0,
            count=self.lights,
            kinds=dict(self.light_kinds),
            elevation_deg=self.light_elevation_deg,
            distance=self.light_distance,
            warmth=self.light_warmth,
        )

    def _camera(self, rng: Streams) -> dict[str, Any]:
        draw = rng("camera")
        return {
            "elevation_deg": uniform(draw, self.elevation_deg),
            "azimuth_deg": uniform(draw, (0, 360)),
            "roll_deg": uniform(draw, self.roll_deg),
            "field_deg": uniform(draw, self.field_deg),
            "fill": uniform(draw, self.fill),
            "off_middle": uniform(draw, self.off_middle),
            "towards_deg": uniform(draw, (0, 360)),
        }
