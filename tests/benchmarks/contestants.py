"""One renderer in one process: ``python -m tests.benchmarks.contestants NAME plans.json folder samples threads``.

``stock`` is BlenderProc as its documentation writes a script: colours with its compositor denoiser, the segmentation,
both written as HDF5. ``stock-defaults`` leaves its 1,024 samples and noise threshold of 0.01 too. ``raw`` is one call
of Cycles with our settings and the object index, files written and nothing else. ``ours`` is the kit's way to a
delivered frame, ``ours-denoised`` with Cycles' own denoiser. ``reference`` has neither threshold nor denoiser. All of
them render under BlenderProc's light bounces, so that there is one converged picture.

Every frame's scene is built by the same program from the same plan. Writes ``<index>.npz`` (linear colours, object
classes) and ``seconds.json``: for each frame [build, render].
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import numpy as np

from scenes.coins import program as coins
from scenes.kit import blender, frames, objects, passes, photograph
from scenes.kit.labels import CLASS_KEY
from tests.benchmarks import blocks

SIZE = 256


def main(name: str, plans: Path, out: Path, samples: int, threads: int) -> None:
    """Render every plan and write what came out."""
    scratch = out / "work"
    scratch.mkdir(parents=True)
    bproc = blender.start(scratch)
    blender.choose_device("cpu")
    seconds = []
    for index, plan in enumerate(json.loads(plans.read_text())):
        began = time.perf_counter()
        _empty()
        _settings(bproc, name, plan, samples, threads)
        (coins if "pack" in plan else blocks).build(plan, width=SIZE, height=SIZE)
        built = time.perf_counter()
        light, classes = _RENDER[name.removesuffix("-defaults")](bproc, plan, scratch, samples, out, index)
        seconds.append([built - began, time.perf_counter() - built])
        np.savez(out / f"{index}.npz", light=light[..., :3].astype(np.float32), classes=classes)
    (out / "seconds.json").write_text(json.dumps(seconds))


def _empty() -> None:
    from blenderproc.python.utility.GlobalStorage import GlobalStorage

    blender.clear()
    for key in ("output", "depth_output_is_enabled"):
        GlobalStorage._storage_dict.pop(key, None)


def _settings(bproc: Any, name: str, plan: dict[str, Any], samples: int, threads: int) -> None:
    import bpy

    blender.configure(blender.Quality(width=SIZE, height=SIZE, threads=threads), plan["seed"])
    bpy.context.scene.cycles.sample_clamp_indirect = 0.0
    bproc.renderer.set_light_bounces(3, 0, 3, 3, 0, 8, 0)
    if name.startswith("stock"):
        bpy.context.scene.render.use_persistent_data = False
        bpy.context.scene.cycles.use_light_tree = True
        bproc.renderer.set_max_amount_of_samples(samples)
        bproc.renderer.set_noise_threshold(0.01)
        bproc.renderer.set_denoiser("INTEL")


def _stock(bproc: Any, plan: dict[str, Any], scratch: Path, samples: int, out: Path, index: int) -> Any:
    for obj in passes.mesh_objects():
        obj["category_id"] = obj[CLASS_KEY]
    mapping = ["category_id", "instance", "name"]
    bproc.renderer.enable_segmentation_output(map_by=mapping, default_values={"category_id": 0, "name": ""})
    data = bproc.renderer.render()
    vars(np)["string_"] = np.bytes_  # BlenderProc 2.8 asks NumPy 2 for a name it has dropped
    bproc.writer.write_hdf5(str(out / "hdf5"), data, append_to_existing_output=True)
    return data["colors"][0], data["category_id_segmaps"][0]


def _raw(bproc: Any, plan: dict[str, Any], scratch: Path, samples: int, out: Path, index: int) -> Any:
    """Cycles with the same outputs on, its files written and not read until the clock has stopped."""
    planes = passes.Camera(scratch).shoot(samples=samples)
    return planes.light, np.zeros(0)


def _ours(bproc: Any, plan: dict[str, Any], scratch: Path, samples: int, out: Path, index: int) -> Any:
    return _frame(plan, scratch, samples, out, index, denoise=False)


def _ours_denoised(bproc: Any, plan: dict[str, Any], scratch: Path, samples: int, out: Path, index: int) -> Any:
    return _frame(plan, scratch, samples, out, index, denoise=True)


def _frame(plan: dict[str, Any], scratch: Path, samples: int, out: Path, index: int, *, denoise: bool) -> Any:
    """What the worker does for a frame without extra outputs, up to the delivered folder."""
    scene = objects.Scene(nothing=0)
    planes = passes.Camera(scratch).shoot(samples=samples, denoise=denoise)
    class_ids, keys = scene.ids(planes)
    instances, rows = objects.table(scene, keys)
    image = photograph.photograph(planes.light[..., :3], plan["sensor"])
    written = {"image": image, "class_ids": class_ids, "instances": instances}
    frames.deliver(out / "frames", index, planes=written, story={"index": index, "objects": rows})
    return planes.light, class_ids


def _reference(bproc: Any, plan: dict[str, Any], scratch: Path, samples: int, out: Path, index: int) -> Any:
    return passes.Camera(scratch).shoot(samples=samples).light, np.zeros(0)


_RENDER = {
    "stock": _stock,
    "raw": _raw,
    "ours": _ours,
    "ours-denoised": _ours_denoised,
    "reference": _reference,
}

if __name__ == "__main__":
    status = 1
    try:
        main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)
