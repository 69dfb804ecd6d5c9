"""Run in Blender's Python: render one frame's object index and BlenderProc's own segmentation, save both.

``python -m tests.render.segmap plan.json folder size``
"""

import json
import os
import sys
import traceback
from pathlib import Path

import numpy as np

from scenes.coins import program
from scenes.kit import blender, objects, passes
from scenes.kit.labels import CLASS_KEY


def main(plan_path: Path, out: Path, size: int) -> None:
    """Both segmentations of the plan's picture, as arrays in ``maps.npz``."""
    plan = json.loads(plan_path.read_text())
    scratch = out / "work"
    scratch.mkdir()
    bproc = blender.start(scratch)
    blender.choose_device("cpu")
    blender.clear()
    blender.configure(blender.Quality(width=size, height=size, threads=1), plan["seed"])
    program.build(plan, width=size, height=size)
    scene = objects.Scene(nothing=0)
    class_ids, keys = scene.ids(passes.Camera(scratch).shoot(samples=2))
    instances, _ = objects.table(scene, keys)
    for obj in scene.objects:
        obj["category_id"] = obj[CLASS_KEY]
    reference = bproc.renderer.render_segmap(
        map_by=["instance", "class"], output_key="reference", default_values={"category_id": 0}
    )
    np.savez(
        out / "maps.npz",
        class_ids=class_ids,
        instances=instances,
        reference_classes=reference["class_segmaps"][0],
        reference_instances=reference["instance_segmaps"][0],
    )


if __name__ == "__main__":
    status = 1
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)
