"""``python -m scenes.kit.worker job.json``: render the frames of a job that are not there yet.

The job: width, height, samples, denoise, depth, device (cpu, gpu, auto), threads (0 for all), out (folder), frames
[{index, plan}], and parent, the process id to live no longer than. Results are judged by the frames in ``out`` alone:
Blender may crash while it exits. A frame that raises leaves ``<index>.error.txt`` there, and the next one is rendered.
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

from scenes.kit import blender, frames, passes, sensor

_PR_SET_PDEATHSIG = 1


def main(job_path: Path) -> int:
    """Render the job; returns the number of frames that failed."""
    job = json.loads(job_path.read_text("utf-8"))
    _follow_parent(job["parent"])
    out = Path(job["out"])
    scratch = out / f".work.{os.getpid()}"
    blender.start(scratch)
    blender.choose_device(job["device"])
    wanted = [frame for frame in job["frames"] if not frames.delivered(out, frame["index"])]
    failed = sum(not _try_frame(job, frame, out) for frame in wanted)
    shutil.rmtree(scratch, ignore_errors=True)
    return failed


def _try_frame(job: dict[str, Any], frame: dict[str, Any], out: Path) -> bool:
    try:
        render_frame(job, frame, out)
    except Exception:
        report = traceback.format_exc()
        (out / f"{frames.folder_name(frame['index'])}.error.txt").write_text(report, "utf-8")
        print(report, file=sys.stderr, flush=True)
        return False
    return True


def render_frame(job: dict[str, Any], frame: dict[str, Any], out: Path) -> None:
    """One frame: empty the scene, build the plan, render, photograph, deliver."""
    began, plan = time.perf_counter(), frame["plan"]
    blender.clear()
    keys = ("width", "height", "samples", "denoise", "threads")
    blender.configure(blender.Quality(**{key: job[key] for key in keys}), plan["seed"])
    program = importlib.import_module(f"scenes.{plan['pack']}.program")
    program.build(plan, width=job["width"], height=job["height"])
    planes = passes.render(depth=job["depth"])
    class_ids, instances, table = passes.class_and_instance(planes["object_ids"])
    frames.deliver(
        out,
        frame["index"],
        image=sensor.photograph(planes["colours"], plan["sensor"]),
        class_ids=class_ids,
        instances=instances,
        table=table,
        depth=planes.get("depth"),
        seconds=time.perf_counter() - began,
    )


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
