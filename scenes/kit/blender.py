"""BlenderProc on the ``bpy`` module: start it, empty the scene, set the renderer.

The released BlenderProc expects to be launched by its own command inside a downloaded Blender, and installs packages
there. Here Blender is a Python module of this very environment, so the two start-up steps that do not apply are
replaced. Import ``bpy`` and ``blenderproc`` only after `start`.
"""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_OUTSIDE = "OUTSIDE_OF_THE_INTERNAL_BLENDER_PYTHON_ENVIRONMENT_BUT_IN_RUN_SCRIPT"
_INSIDE = "INSIDE_OF_THE_INTERNAL_BLENDER_PYTHON_ENVIRONMENT"


@dataclass(frozen=True, kw_only=True)
class Quality:
    """How to render; sizes in pixels, ``threads`` 0 for all cores.

    ``denoise`` is Cycles' own OIDN: only without it are pixels known to be the same for any number of threads.
    """

    width: int
    height: int
    samples: int
    denoise: bool
    threads: int


def start(scratch: Path) -> Any:
    """Load BlenderProc, its temporary files under ``scratch``; return the module. Once in a process."""
    os.environ[_OUTSIDE] = "1"
    import blenderproc
    from blenderproc.python.utility.SetupUtility import SetupUtility

    def setup(*_: object, **__: object) -> list[str]:
        SetupUtility.setup_utility_paths(str(scratch))
        return sys.argv

    SetupUtility.setup = staticmethod(setup)
    os.environ[_INSIDE] = "1"
    # Its import removes one entry of this folder from the path; everything else here still lives there.
    sys.path.append(str(Path(blenderproc.__file__).resolve().parents[1]))
    return importlib.reload(blenderproc)


def choose_device(device: str) -> None:
    """Pick ``cpu``, ``gpu`` or ``auto`` (a GPU where there is one) for the whole process."""
    import blenderproc as bproc
    import bpy

    bpy.context.scene.render.engine = "CYCLES"
    bproc.renderer.set_render_devices(use_only_cpu=device == "cpu")
    if device == "gpu" and bpy.context.scene.cycles.device != "GPU":
        raise RuntimeError("device: got 'gpu', but Cycles finds none here; expected 'cpu' or 'auto'")


def clear() -> None:
    """Leave nothing of the previous frame: objects, materials, compositor nodes, registered outputs."""
    import blenderproc as bproc
    import bpy
    from blenderproc.python.utility.GlobalStorage import GlobalStorage

    bproc.clean_up(clean_up_camera=True)
    scene = bpy.context.scene
    scene.use_nodes = True
    scene.node_tree.nodes.clear()
    layers = scene.node_tree.nodes.new("CompositorNodeRLayers")
    layers.name = "Render Layers"  # BlenderProc looks it up by this name
    target = scene.node_tree.nodes.new("CompositorNodeComposite")
    scene.node_tree.links.new(layers.outputs["Image"], target.inputs["Image"])
    for key in ("output", "depth_output_is_enabled"):
        GlobalStorage._storage_dict.pop(key, None)


def configure(quality: Quality, seed: int) -> None:
    """Renderer settings of one frame: linear float colours, fixed sampling, Cycles seeded."""
    import blenderproc as bproc
    import bpy

    scene = bpy.context.scene
    scene.render.engine, scene.render.resolution_percentage = "CYCLES", 100
    bproc.renderer.set_cpu_threads(quality.threads)
    bproc.renderer.set_noise_threshold(0)
    bproc.renderer.set_max_amount_of_samples(quality.samples)
    bproc.renderer.set_light_bounces(2, 2, 0, 3, 0, 4, 0)
    bproc.renderer.set_output_format("OPEN_EXR", 32, view_transform="Raw")
    scene.render.use_persistent_data = False
    scene.cycles.seed = seed
    scene.cycles.use_denoising = bpy.context.view_layer.cycles.use_denoising = quality.denoise
    scene.cycles.denoiser = "OPENIMAGEDENOISE"
    scene.cycles.sample_clamp_indirect = 4.0
