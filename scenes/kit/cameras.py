"""Cameras: one that looks down on a point of the table, and one that stands anywhere and looks anywhere."""

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
    """Put the planned table camera into the scene; ``field_deg`` spans the shorter side of the image."""
    from mathutils import Matrix

    turn = Matrix.Rotation(math.radians(plan["azimuth_deg"]), 4, "Z")
    lean = Matrix.Rotation(math.radians(plan["tilt_deg"]), 4, "X")
    roll = Matrix.Rotation(math.radians(plan["roll_deg"]), 4, "Z")
    pose = turn @ lean @ Matrix.Translation((0, 0, plan["distance"])) @ roll
    _place(pose, plan["field_deg"], width, height, reach=(0.005, 20.0))


def place_view(plan: dict[str, Any], *, width: int, height: int) -> None:
    """Put a camera at ``at`` (metres) that looks along ``yaw_deg`` (0 along +y, growing to the left) and ``pitch_deg``
    (0 level, down negative), turned by ``roll_deg``; ``field_deg`` spans the shorter side of the image.
    """
    from mathutils import Matrix

    yaw = Matrix.Rotation(math.radians(plan["yaw_deg"]), 4, "Z")
    pitch = Matrix.Rotation(math.radians(90 + plan["pitch_deg"]), 4, "X")
    roll = Matrix.Rotation(math.radians(plan["roll_deg"]), 4, "Z")
    pose = Matrix.Translation(plan["at"]) @ yaw @ pitch @ roll
    _place(pose, plan["field_deg"], width, height, reach=(0.05, 2000.0))


def _place(pose: Any, field_deg: float, width: int, height: int, *, reach: tuple[float, float]) -> None:
    import blenderproc as bproc

    angle = math.radians(field_deg)
    longer = 2 * math.atan(math.tan(angle / 2) * max(width, height) / min(width, height))
    near, far = reach
    bproc.camera.set_intrinsics_from_blender_params(
        longer, width, height, clip_start=near, clip_end=far, lens_unit="FOV"
    )
    bproc.camera.add_camera_pose(pose)


def described() -> dict[str, Any]:
    """The scene's camera: ``k`` (3 x 3 intrinsics, pixels, OpenCV convention) and ``pose`` (4 x 4, world from camera;
    the camera looks along its -z, y up, as Blender has it).
    """
    import blenderproc as bproc

    k, pose = bproc.camera.get_intrinsics_as_K_matrix(), bproc.camera.get_camera_pose()
    return {"k": _rounded(k), "pose": _rounded(pose)}


def _rounded(matrix: Any) -> list[list[float]]:
    return [[round(float(value), 6) for value in row] for row in matrix]
