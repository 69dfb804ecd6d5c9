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
from scenes.kit import blender, passes


def main(plan_path: Path, out: Path, size: int) -> None:
    """Both segmentations of the plan's picture, as arrays in ``maps.npz``."""
    plan = json.loads(plan_path.read_text())
    bproc = blender.start(out / "work")
    blender.choose_device("cpu")
    blender.clear()
    quality = blender.Quality(width=size, height=size, samples=2, denoise=False, threads=1)
    blender.configure(quality, plan["seed"])
    program.build(plan, width=size, height=size)
    class_ids, instances, _ = passes.class_and_instance(passes.render(depth=False)["object_ids"])
    reference = bproc.renderer.render_segmap(map_by=["instance", "class"], output_key="reference")
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
