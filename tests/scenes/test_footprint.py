"""What a leaning camera sees of the ground: true to the camera that Blender gets, and nothing for usual pictures."""

import math
from typing import Any

import numpy as np
import pytest

from scenes.kit.footprint import footprint_of

CAMERA = {"azimuth_deg": 70.0, "tilt_deg": 18.0, "roll_deg": -55.0, "field_deg": 40.0}


def turn(angle: float, axis: int) -> Any:
    """A rotation about one axis by degrees."""
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[first, first] = matrix[second, second] = cos
    matrix[first, second], matrix[second, first] = -sin, sin
    return matrix


@pytest.mark.parametrize("ratio", [16 / 9, 3.0, 1 / 3])
def test_a_place_of_the_picture_is_where_its_ray_meets_the_ground(ratio: float) -> None:
    """By the rotations of `scenes.kit.cameras.place_camera`; and back."""
    footprint, distance = footprint_of(ratio, CAMERA, frame=2.0), 1 / math.tan(math.radians(20))
    pose = turn(CAMERA["azimuth_deg"], 2) @ turn(CAMERA["tilt_deg"], 0)
    eye, lens = pose @ (0, 0, distance), pose @ turn(CAMERA["roll_deg"], 2)
    for along, across in ((0.0, 0.0), (2 * max(ratio, 1 / ratio) / 2, 1.0), (-1.7, 0.4)):
        right, up = (along, across) if ratio > 1 else (-across, along)
        ray = lens @ (right, up, -distance)
        place = footprint.ground(along, across)
        assert place == pytest.approx((eye - ray * eye[2] / ray[2])[:2])
        assert footprint.picture(*place) == pytest.approx((along, across))
        assert footprint.within(*place, 0.001 + max(abs(along) - footprint.extra, abs(across)))
        assert not footprint.within(*place, max(abs(along) - footprint.extra, abs(across)) - 0.001)


def test_layouts_of_usual_pictures_stay_as_they_are() -> None:
    """To the last bit."""
    footprint = footprint_of(0.75, CAMERA, frame=0.3)
    assert footprint.ground(0.1, -0.7) == footprint.picture(0.1, -0.7) == (0.1, -0.7)
    assert footprint.box(0.3) == ((-0.3, 0.3), (-0.3, 0.3))
    assert footprint.longer(0.3) == 1


def test_ground_near_a_horizon_is_not_laid_out_for_ever() -> None:
    """A camera that looks along the ground at one end sees no more than three times as far away there."""
    flat = CAMERA | {"azimuth_deg": 0.0, "tilt_deg": 70.0, "roll_deg": 90.0}
    (left, right), (bottom, top) = footprint_of(4.0, flat, frame=1.0).box(0.7)
    assert max(-left, right) < 3
    assert max(-bottom, top) < 3 * 2.1
