"""BlenderProc on the ``bpy`` module: start it, empty the scene, set the renderer.

The released BlenderProc expects to be launched by its own command inside a downloaded Blender, installs packages there
and loads all that it has. Here Blender is a Python module of this very environment, nothing is to be installed, and
what loads data sets and draws charts would take longer to load than a small frame to render: parts of its interface
are loaded when they are first asked for. Import ``bpy`` and ``blenderproc`` only after `start`.
"""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scenes.kit.labels import TABLE_KEY
from scenes.kit.passes import BOUNCES

_OUTSIDE = "OUTSIDE_OF_THE_INTERNAL_BLENDER_PYTHON_ENVIRONMENT_BUT_IN_RUN_SCRIPT"
_INSIDE = "INSIDE_OF_THE_INTERNAL_BLENDER_PYTHON_ENVIRONMENT"


@dataclass(frozen=True, kw_only=True)
class Quality:
    """How to render; sizes in pixels, ``threads`` 0 for all cores."""

    width: int
    height: int
    threads: int


def start(scratch: Path) -> Any:
    """Load BlenderProc, its temporary files and Blender's under ``scratch``; return the module. Once in a process."""
    os.environ |= {_OUTSIDE: "1", "TMPDIR": str(scratch)}
    import blenderproc

    os.environ[_INSIDE] = "1"
    from blenderproc.python.utility.SetupUtility import SetupUtility

    SetupUtility.setup_utility_paths(str(scratch))
    vars(blenderproc)["__getattr__"] = _part
    return blenderproc


def _part(name: str) -> Any:
    """`blenderproc.renderer`, `blenderproc.clean_up` and so on, as its own start would have loaded them."""
    if name in ("init", "clean_up"):
        from blenderproc.python.utility import Initializer

        return getattr(Initializer, name)
    try:
        return importlib.import_module(f"blenderproc.api.{name}")
    except ModuleNotFoundError as error:
        raise AttributeError(f"module 'blenderproc' has no attribute {name!r}") from error


def choose_device(device: str) -> None:
    """Pick ``cpu``, ``gpu`` or ``auto`` (a GPU where there is one) for the whole process."""
    import blenderproc as bproc
    import bpy

    bpy.context.scene.render.engine = "CYCLES"
    bproc.renderer.set_render_devices(use_only_cpu=device == "cpu")
    if device == "gpu" and bpy.context.scene.cycles.device != "GPU":
        raise RuntimeError("device: got 'gpu', but Cycles finds none here; expected 'cpu' or 'auto'")


def clear() -> None:
    """Leave nothing of the previous frame: objects, materials, pictures, world, compositor nodes, labels."""
    import blenderproc as bproc
    import bpy

    bproc.clean_up(clean_up_camera=True)
    for old in [*bpy.data.images, *bpy.data.worlds]:
        (bpy.data.images if old.bl_rna.identifier == "Image" else bpy.data.worlds).remove(old)
    scene = bpy.context.scene
    scene.world = bpy.data.worlds.new("World")
    scene.pop(TABLE_KEY, None)
    scene.render.film_transparent = False
    scene.use_nodes = True
    scene.node_tree.nodes.clear()
    layers = scene.node_tree.nodes.new("CompositorNodeRLayers")
    layers.name = "Render Layers"
    target = scene.node_tree.nodes.new("CompositorNodeComposite")
    scene.node_tree.links.new(layers.outputs["Image"], target.inputs["Image"])


def configure(quality: Quality, seed: int) -> None:
    """Renderer settings of one frame: linear float colours, fixed sampling, Cycles seeded."""
    import blenderproc as bproc
    import bpy

    scene = bpy.context.scene
    scene.render.engine, scene.render.resolution_percentage = "CYCLES", 100
    scene.render.resolution_x, scene.render.resolution_y = quality.width, quality.height
    bproc.renderer.set_cpu_threads(quality.threads)
    bproc.renderer.set_noise_threshold(0)
    bproc.renderer.set_light_bounces(**BOUNCES)
    bproc.renderer.set_output_format("OPEN_EXR", 32, view_transform="Raw")
    scene.render.use_persistent_data = True  # one scene is rendered more than once; `clear` empties it
    scene.cycles.seed = seed
    scene.cycles.use_light_tree = False  # made for hundreds of lights; with a few it costs time and adds noise
    scene.cycles.denoiser, scene.cycles.denoising_quality = "OPENIMAGEDENOISE", "BALANCED"
    scene.cycles.denoising_input_passes, scene.cycles.denoising_prefilter = "RGB_ALBEDO_NORMAL", "FAST"
    scene.cycles.sample_clamp_indirect = 4.0
