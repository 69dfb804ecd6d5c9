"""A camera that looks down on a point of the table."""

from __future__ import annotations

import math
from typing import Any

from scenes.kit.sampling import Span, Streams, uniform


def plan_camera(streams: Streams, *, frame_m: float, tilt_deg: Span, field_deg: Span) -> dict[str, Any]:
    """Draw a pose: mostly near top-down, turned anyhow, so far away that ``frame_m`` fills the shorter side.

    Tilt is drawn towards its low end (the smaller of two draws), since photographs of flat things are.
    """
    rng = streams("camera")
    field = uniform(rng, field_deg)
    return {
        "distance": round(frame_m / 2 / math.tan(math.radians(field) / 2), 6),
        "field_deg": field,
        "tilt_deg": min(uniform(rng, tilt_deg), uniform(rng, tilt_deg)),
        "azimuth_deg": uniform(rng, (0, 360)),
        "roll_deg": uniform(rng, (0, 360)),
    }


def place_camera(plan: dict[str, Any], *, width: int, height: int) -> None:
    """Put the camera into the scene; ``field_deg`` spans the shorter side of the image."""
    import blenderproc as bproc
    from mathutils import Matrix

    angle = math.radians(plan["field_deg"])
    longer = 2 * math.atan(math.tan(angle / 2) * max(width, height) / min(width, height))
    bproc.camera.set_intrinsics_from_blender_params(
        longer, width, height, clip_start=0.005, clip_end=20.0, lens_unit="FOV"
    )
    turn = Matrix.Rotation(math.radians(plan["azimuth_deg"]), 4, "Z")
    lean = Matrix.Rotation(math.radians(plan["tilt_deg"]), 4, "X")
    roll = Matrix.Rotation(math.radians(plan["roll_deg"]), 4, "Z")
    bproc.camera.add_camera_pose(turn @ lean @ Matrix.Translation((0, 0, plan["distance"])) @ roll)
