"""Shapes of the kit are closed, face outwards, and are as large and where they are said to be."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from scenes.kit import meshes
from scenes.kit.meshes import Mesh

size = st.floats(0.01, 10.0)
sizes = st.tuples(size, size, size)
anywhere = st.tuples(*[st.floats(-10, 10)] * 3)


def solid(mesh: Mesh) -> trimesh.Trimesh:
    """Triangles of the mesh, equal points as one, faces without extent left out."""
    fans = [faces[:, [0, k, k + 1]] for faces in mesh.faces for k in range(1, faces.shape[1] - 1)]
    whole = trimesh.Trimesh(mesh.vertices, np.concatenate(fans), process=False)
    whole.merge_vertices(digits_vertex=9)
    whole.update_faces(whole.nondegenerate_faces(height=1e-12))
    whole.remove_unreferenced_vertices()
    return whole


def polygon(corners: int, radius: float = 1.0) -> Any:
    """An outline (corners, 2), anticlockwise."""
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return radius * np.stack([np.cos(angle), np.sin(angle)], -1)


def disc(corners: int) -> float:
    """Area of a regular polygon within the unit circle."""
    return corners / 2 * math.sin(2 * math.pi / corners)


def assert_closed(mesh: Mesh, volume: float, *, within: float = 1e-6) -> None:
    """No hole, all faces the same way round, that way outwards, and as much inside as expected."""
    found = solid(mesh)
    assert found.is_watertight
    assert found.is_winding_consistent
    assert found.volume == pytest.approx(volume, rel=within)


@given(sizes, st.floats(0.1, 2.0))
@settings(max_examples=25, deadline=None)
def test_a_box_holds_what_a_truncated_pyramid_holds(extent: tuple[float, float, float], taper: float) -> None:
    """It stands on z = 0, and a taper of one makes a block of it."""
    x, y, z = extent
    assert_closed(meshes.box(extent, taper=taper), x * y * z * (1 + taper + taper**2) / 3)
    np.testing.assert_allclose(solid(meshes.box(extent)).bounds, [(-x / 2, -y / 2, 0), (x / 2, y / 2, z)])


@given(st.integers(3, 12), st.floats(0.1, 5.0))
@settings(max_examples=15, deadline=None)
def test_a_prism_is_its_outline_times_its_height(corners: int, height: float) -> None:
    """With any number of corners, four included, for which caps and sides are one array."""
    assert_closed(meshes.prism(polygon(corners), height), disc(corners) * height)


@given(st.floats(0.1, 5.0), st.floats(0.1, 5.0), st.just(0.0) | st.floats(0.1, 5.0))
@settings(max_examples=15, deadline=None)
def test_a_cylinder_may_narrow_to_a_point(radius: float, height: float, top: float) -> None:
    """A truncated cone by its formula."""
    mean = (radius**2 + radius * top + top**2) / 3
    assert_closed(meshes.cylinder(radius, height, top=top, segments=24), disc(24) * mean * height, within=1e-3)


def test_a_lathe_may_have_a_wall_and_a_hollow() -> None:
    """A pot: outside minus inside."""
    profile = [(0, 0), (2, 0), (2, 3), (1, 3), (1, 1), (0, 1)]
    assert_closed(meshes.lathe(profile, 32), disc(32) * (4 * 3 - 1 * 2))


@given(sizes)
@settings(max_examples=15, deadline=None)
def test_a_ball_has_the_given_diameters(extent: tuple[float, float, float]) -> None:
    """Nearly all of an ellipsoid's volume, around the origin."""
    ball = meshes.ball(extent, rings=40, segments=60)
    assert_closed(ball, math.pi / 6 * math.prod(extent), within=0.01)
    np.testing.assert_allclose(np.ptp(ball.vertices, axis=0), extent, rtol=0.01)


@given(st.integers(0, 2**31 - 2), st.floats(0.0, 0.2))
@settings(max_examples=20, deadline=None)
def test_a_lump_is_closed_and_the_same_for_the_same_seed(seed: int, roughness: float) -> None:
    """However uneven."""
    lump = meshes.lump(seed, (1, 2, 3), roughness=roughness)
    found = solid(lump)
    assert found.is_watertight
    assert found.is_winding_consistent
    assert found.volume > 0
    np.testing.assert_array_equal(lump.vertices, meshes.lump(seed, (1, 2, 3), roughness=roughness).vertices)


@given(anywhere, anywhere)
@settings(max_examples=30, deadline=None)
def test_a_straight_tube_is_a_cylinder_in_any_direction(first: Any, last: Any) -> None:
    """Upright ones too, for which another axis must tell what is sideways."""
    length = math.dist(first, last)
    if length < 0.1:
        return
    middle = (np.array(first) + last) / 2
    assert_closed(meshes.tube([first, middle.tolist(), last], 0.3, segments=12), disc(12) * 0.09 * length, within=1e-4)


@pytest.mark.parametrize("plane", [(0, 1), (0, 2), (1, 2)])
def test_a_bent_tube_is_as_thick_at_every_place(plane: tuple[int, int]) -> None:
    """A quarter of a ring, from lying to standing: it must not twist where it turns upwards."""
    angle = np.linspace(0, np.pi / 2, 40)
    path = np.zeros((40, 3))
    path[:, plane] = np.stack([np.cos(angle), np.sin(angle)], -1)
    assert_closed(meshes.tube(path.tolist(), 0.1, segments=16), disc(16) * 0.01 * math.pi / 2, within=0.01)


def test_a_tube_may_narrow() -> None:
    """A radius for each point."""
    assert_closed(meshes.tube([(0, 0, 0), (0, 0, 3)], [1.0, 0.5], segments=24), disc(24) * 3 * (1 + 0.5 + 0.25) / 3)


SHAPES: dict[str, Callable[[], Mesh]] = {
    "box": lambda: meshes.box((1, 2, 3)),
    "prism": lambda: meshes.prism(polygon(5), 2),
    "ball": lambda: meshes.ball((1, 2, 3)),
    "tube": lambda: meshes.tube([(0, 0, 0), (1, 0, 0.5), (2, 1, 1)], 0.2),
}


@given(st.sampled_from(sorted(SHAPES)), anywhere, st.floats(-7, 7), st.sampled_from("xyz"))
@settings(max_examples=30, deadline=None)
def test_moving_and_turning_keep_shape_and_volume(name: str, by: Any, angle: float, axis: str) -> None:
    """And go where they are sent: the middle of mass goes along."""
    mesh = SHAPES[name]()
    placed = mesh.turned(angle, axis).moved(by)
    before, after = solid(mesh), solid(placed)
    assert after.volume == pytest.approx(before.volume)
    turn = trimesh.transformations.rotation_matrix(angle, {"x": (1, 0, 0), "y": (0, 1, 0), "z": (0, 0, 1)}[axis])
    np.testing.assert_allclose(after.center_mass, turn[:3, :3] @ before.center_mass + by, atol=1e-6)


@given(st.sampled_from(sorted(SHAPES)), sizes, st.tuples(*[st.sampled_from([-1, 1])] * 3))
@settings(max_examples=30, deadline=None)
def test_scaling_multiplies_the_volume_even_when_it_mirrors(name: str, by: Any, signs: Any) -> None:
    """A mirrored shape is not inside out."""
    mesh, factors = SHAPES[name](), np.multiply(by, signs)
    expected = solid(mesh).volume * math.prod(by)
    assert_closed(mesh.scaled(factors.tolist()), expected, within=1e-4)


def test_one_factor_scales_all_axes() -> None:
    """A number stands for three."""
    np.testing.assert_allclose(meshes.box((1, 2, 3)).scaled(2.0).vertices, meshes.box((2, 4, 6)).vertices)


@given(st.lists(st.sampled_from(sorted(SHAPES)), min_size=1, max_size=6))
@settings(max_examples=20, deadline=None)
def test_joining_keeps_every_face(names: list[str]) -> None:
    """Faces of each number of corners in the order of the parts, each at the corners it had."""
    parts = [SHAPES[name]().moved((10 * index, 0, 0)) for index, name in enumerate(names)]
    whole = meshes.joined(parts)
    for faces in whole.faces:
        of_parts = [(part, own) for part in parts for own in part.faces if own.shape[1] == faces.shape[1]]
        np.testing.assert_array_equal(
            whole.vertices[faces], np.concatenate([part.vertices[own] for part, own in of_parts])
        )
    assert sum(len(faces) for faces in whole.faces) == sum(len(own) for part in parts for own in part.faces)
    assert len({faces.shape[1] for faces in whole.faces}) == len(whole.faces)
    assert solid(whole).volume == pytest.approx(sum(solid(part).volume for part in parts))


def test_joining_nothing_is_nothing() -> None:
    """An empty mesh, not an error."""
    assert meshes.joined([]).vertices.shape == (0, 3)
    assert meshes.joined([]).faces == ()


def test_sheets_and_height_fields_face_upwards() -> None:
    """Anticlockwise seen from their front."""
    square = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)]
    columns, rows = np.meshgrid(np.arange(4.0), np.arange(3.0))
    grid = np.stack([columns, rows, np.sin(columns)], -1)
    for mesh in (meshes.sheet(square), meshes.surface(grid)):
        assert (solid(mesh).face_normals[:, 2] > 0).all()
    assert len(meshes.surface(grid).faces[0]) == 3 * 2
