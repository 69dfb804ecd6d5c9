"""Parameters of the street pack, and the plan of one picture drawn from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from scenes.kit.pack import Pack
from scenes.kit.sampling import Span, Streams, chance, seed_of, settle, uniform
from scenes.kit.sky import Sky
from scenes.street.buildings import Buildings
from scenes.street.cars import Cars, clear_of
from scenes.street.classes import CLASSES
from scenes.street.clutter import Clutter
from scenes.street.fences import Fences
from scenes.street.markings import Markings
from scenes.street.people import Bicyclists, Pedestrians
from scenes.street.poles import Poles
from scenes.street.road import Junctions, Road
from scenes.street.signs import Signs
from scenes.street.trees import Trees

_SPANS: dict[str, Span] = {
    "height_m": (0.5, 4.0),
    "pitch_deg": (-20.0, 20.0),
    "yaw_deg": (-60.0, 60.0),
    "turning_deg": (0.0, 90.0),
    "roll_deg": (-15.0, 15.0),
    "field_deg": (15.0, 90.0),
    "sway_m": (-2.0, 2.0),
}
"""Bounds of every parameter that is a range."""


@dataclass(frozen=True, kw_only=True)
class Street(Pack):
    """Streets seen from a moving car. Meaning of each field: ``conf/scene/street.yaml``."""

    classes: ClassVar[tuple[tuple[str, tuple[int, int, int]], ...]] = CLASSES
    nothing: ClassVar[int] = 0

    road: Road = field(default_factory=Road)
    junctions: Junctions = field(default_factory=Junctions)
    markings: Markings = field(default_factory=Markings)
    buildings: Buildings = field(default_factory=Buildings)
    fences: Fences = field(default_factory=Fences)
    trees: Trees = field(default_factory=Trees)
    poles: Poles = field(default_factory=Poles)
    signs: Signs = field(default_factory=Signs)
    clutter: Clutter = field(default_factory=Clutter)
    cars: Cars = field(default_factory=Cars)
    pedestrians: Pedestrians = field(default_factory=Pedestrians)
    bicyclists: Bicyclists = field(default_factory=Bicyclists)
    sky: Sky = field(default_factory=lambda: Sky(kinds={"sun": 1.0, "overcast": 1.0, "dusk": 0.4}))
    height_m: Span = (1.25, 1.7)
    pitch_deg: Span = (-0.8, 2.5)
    yaw_deg: Span = (-5.0, 5.0)
    turning_share: float = 0.12
    turning_deg: Span = (8.0, 35.0)
    roll_deg: Span = (-1.5, 1.5)
    field_deg: Span = (36.0, 46.0)
    sway_m: Span = (-0.3, 1.0)

    def __post_init__(self) -> None:
        settle(self, spans=_SPANS, shares=("turning_share",))

    def __call__(self, rng: Streams, emphasis: Mapping[str, float], _ratio: float = 1.0) -> dict[str, Any]:
        """See `Pack.__call__`."""

        def wanted(name: str) -> float:
            return emphasis.get(name, 1.0)

        road = self.road.plan(rng, emphasis)
        for side, openings in self.junctions.plan(rng).items():
            road[side]["openings"] = openings
        return {
            "pack": "street",
            "seed": seed_of(rng("cycles")),
            "textures": seed_of(rng("textures")),
            "road": road,
            "markings": self.markings.plan(rng),
            "buildings": self.buildings.plan(rng, road, emphasis),
            "fences": self.fences.plan(rng, road, wanted("fence")),
            "trees": self.trees.plan(rng, road, wanted("tree")),
            "poles": self.poles.plan(rng, road, wanted("pole")),
            "signs": self.signs.plan(rng, road, wanted("sign")),
            "clutter": self.clutter.plan(rng, road, wanted("fence")),
            "cars": (driven := self.cars.plan(rng, road, wanted("car"))),
            "pedestrians": clear_of(driven, self.pedestrians.plan(rng, road, wanted("pedestrian"))),
            "bicyclists": clear_of(driven, self.bicyclists.plan(rng, road, wanted("bicyclist"))),
            "sky": self.sky.plan(rng),
            "camera": self._camera(rng, road),
            "sensor": self.plan_sensor(rng),
        }

    def _camera(self, streams: Streams, road: dict[str, Any]) -> dict[str, Any]:
        """Behind the windscreen of a car in its lane."""
        rng = streams("camera")
        across = round(road["own"] + uniform(rng, self.sway_m), 4)
        pose = {"at": [-across if road["mirrored"] else across, 0.0, uniform(rng, self.height_m)]}
        angles = ("yaw_deg", "pitch_deg", "roll_deg", "field_deg")
        pose |= {name: uniform(rng, getattr(self, name)) for name in angles}
        turning, by, left = chance(rng, self.turning_share), uniform(rng, self.turning_deg), chance(rng, 0.5)
        return pose | {"yaw_deg": round(pose["yaw_deg"] + turning * (by if left else -by), 6)}
