"""``python -m scenes.kit.worker job.json``: render frames on request until there are no more requests.

The job: width, height, samples, denoise, outputs (names of `OUTPUTS`), device (cpu, gpu, auto), threads (0 for all),
nothing (class id of pixels without an object), folders {name: path}, out (folder), and parent, the process id to live
no longer than. Requests arrive on standard input, one JSON a line: {index, plan, audit, wishes}. With wishes, a frame
is looked at with one sample first and rendered only if it shows something that is wanted (see `scenes.kit.tally`).

Results are judged by the frames in ``out`` alone: Blender may crash while it exits. A frame that raises leaves
``<index>.error.txt`` there, and the next one is rendered; a process short of memory or file handles makes way.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import shutil
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

import numpy as np

from scenes.kit import (
    amodal,
    backgrounds,
    blender,
    cameras,
    emission,
    files,
    frames,
    objects,
    passes,
    photograph,
    tally,
)

OUTPUTS = ("depth", "normals", "amodal")
EDGE_SAMPLES = 32
"""Samples a pixel that say how much of it a thing covers before a backplate; each is cheaper than one of colours."""

_PR_SET_PDEATHSIG = 1


def main(job_path: Path) -> int:
    """Serve requests; returns the number of frames that failed."""
    job = json.loads(job_path.read_text("utf-8"))
    _follow_parent(job["parent"])
    out = Path(job["out"])
    scratch = out / f".work.{os.getpid()}"
    scratch.mkdir(parents=True)
    blender.start(scratch)
    blender.choose_device(job["device"])
    files.declare(job["folders"])
    failed = 0
    for line in sys.stdin:
        request = json.loads(line)
        if not frames.delivered(out, request["index"]):
            failed += not _try_frame(job, request, out, scratch)
    shutil.rmtree(scratch, ignore_errors=True)
    return failed


def _try_frame(job: dict[str, Any], request: dict[str, Any], out: Path, scratch: Path) -> bool:
    try:
        render_frame(job, request, out, scratch)
    except Exception as error:
        report = traceback.format_exc()
        (out / f"{frames.folder_name(request['index'])}.error.txt").write_text(report, "utf-8")
        print(report, file=sys.stderr, flush=True)
        if isinstance(error, MemoryError | OSError):
            raise
        return False
    return True


def render_frame(job: dict[str, Any], request: dict[str, Any], out: Path, scratch: Path) -> None:
    """One frame: empty the scene, build the plan, render what is asked, photograph, deliver."""
    plan = request["plan"]
    blender.clear()
    size = {key: job[key] for key in ("width", "height")}
    blender.configure(blender.Quality(**size, threads=job["threads"]), plan["seed"])
    notes = importlib.import_module(f"scenes.{plan['pack']}.program").build(plan, **size)
    frame = _Frame(job, request, scratch)
    frame.story["notes"] = list(notes or [])
    frame.look()
    if frame.is_wanted():
        frame.shoot()
    frames.deliver(out, request["index"], planes=frame.planes(), story=frame.story)


class _Frame:
    """One frame on its way: what was seen of its scene so far."""

    def __init__(self, job: dict[str, Any], request: dict[str, Any], scratch: Path) -> None:
        self.job, self.request, self.plan = job, request, request["plan"]
        self.scene = objects.Scene(job["nothing"])
        self.camera = passes.Camera(scratch)
        self.wishes = request["wishes"]
        self.story: dict[str, Any] = {
            "index": request["index"],
            **{key: job[key] for key in ("width", "height")},
            "camera": cameras.described(),
        }
        self.first: passes.Planes | None = None
        self.image: Any = None
        self.hidden: dict[int, Any] | None = None
        self.normals: Any = None

    def look(self) -> None:
        """The one-sample render, where anything depends on it."""
        outputs = set(self.job["outputs"])
        if self.wishes is not None or self.request["audit"] or self.scene.drawn or "amodal" in outputs:
            self.first = self.camera.shoot(samples=1, bounces=False)
            self._take_stock(self.first)

    def _take_stock(self, planes: passes.Planes) -> None:
        self.class_ids, keys = self.scene.ids(planes)
        self.instances, self.rows = objects.table(self.scene, keys)
        self.depth = planes.depth
        if self._needs_amodal():
            visible = {row["key"]: keys == row["key"] for row in self.rows}
            self.hidden = amodal.masks(self.camera, self.scene, self.rows, visible)
            amodal.describe(self.rows, self.hidden)

    def _needs_amodal(self) -> bool:
        asked = any(wish["occlusion"][0] > 0 or wish["occlusion"][1] < 1 for wish in self.wishes or [])
        return asked or "amodal" in self.job["outputs"]

    def is_wanted(self) -> bool:
        """Whether the colours are worth rendering."""
        if self.wishes is None:
            self.story["accepted"] = True
        else:
            self.story["seen"] = np.unique(self.class_ids).tolist()
            self.story["counts"] = tally.tally(self.wishes, self.class_ids, self.rows)
            self.story["accepted"] = tally.is_wanted(self.wishes, self.story["counts"])
        return bool(self.story["accepted"])

    def shoot(self) -> None:
        """The colours, and the audit that ends the scene."""
        import bpy

        backplate = self.plan.get("backplate")
        bpy.context.scene.render.film_transparent = backplate is not None
        planes = self.camera.shoot(samples=self.job["samples"], denoise=self.job["denoise"])
        if self.first is None:
            self._take_stock(planes)
        if "normals" in self.job["outputs"]:
            self.normals = self.camera.shoot_bare(samples=1).normals
        light = planes.light[..., :3]
        if backplate is not None:
            light = backgrounds.behind(self._cut_out(planes.light), backplate)
        self.image = photograph.photograph(light, self.plan["sensor"])
        self.story |= {"objects": self.rows, "audited": self.request["audit"], "differing": 0}
        if self.request["audit"]:
            assert self.first is not None
            moved = int(np.count_nonzero(planes.object_ids != self.first.object_ids))
            bpy.context.scene.render.film_transparent = False
            self.story["differing"] = moved + emission.differing(self.camera, self.first)

    def _cut_out(self, light: passes.Plane) -> passes.Plane:
        """The premultiplied light; where its colours were denoised, with an alpha that is as smooth as they are."""
        if not self.job["denoise"]:
            return light
        return backgrounds.recut(light, self.camera.shoot_bare(samples=EDGE_SAMPLES).light[..., 3])

    def planes(self) -> dict[str, Any]:
        """What to write, by name; nothing for a frame that was not wanted."""
        if self.image is None:
            return {}
        outputs, found = self.job["outputs"], {"image": self.image, "class_ids": self.class_ids}
        found["instances"] = self.instances
        if "depth" in outputs:
            found["depth"] = self.depth
        if "normals" in outputs:
            assert self.normals is not None
            found["normals"] = self.normals
        if "amodal" in outputs:
            assert self.hidden is not None
            found["amodal"] = {row["instance"]: self.hidden[row["key"]] for row in self.rows}
        return found


def _follow_parent(parent: int) -> None:
    """End this process as soon as its parent is gone, however that ended: nobody else would."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:
        raise RuntimeError(f"parent: got process {os.getppid()}, expected {parent}, which is gone")


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(70)


if __name__ == "__main__":
    status = 70
    try:
        status = min(main(Path(sys.argv[1])), 69)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
