"""Drives the Blender worker for tests of scene packs: plans in, frames out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

ROOT = Path(__file__).parents[2]

SIZE = {"width": 64, "height": 64}

WORKER = ("-m", "scenes.kit.worker")


@dataclass(frozen=True)
class Rendered:
    """One frame: 8-bit picture (H, W, 3), class ids and instance ids (H, W), the worker's account of it, and outputs.

    Depth and normals are None unless asked for; amodal masks (H, W) go by instance.
    """

    image: npt.NDArray[np.uint8]
    class_ids: npt.NDArray[np.uint8]
    instances: npt.NDArray[Any]
    story: dict[str, Any]
    depth: npt.NDArray[np.float32] | None
    normals: npt.NDArray[np.float32] | None
    amodal: dict[int, npt.NDArray[np.bool_]]


def render(
    pack: Any, plans: Sequence[dict[str, Any]], out: Path, *, samples: int = 2, width: int = 64
) -> list[Rendered]:
    """Audited frames of the plans, by one worker process of their own."""
    job = SIZE | {"width": width, "samples": samples, "nothing": pack.nothing, "folders": pack.folders, "outputs": []}
    frames, failures = work(job, plans, out)
    assert failures == {}
    return [frames[index] for index in range(len(plans))]


def work(
    job: dict[str, Any], plans: Sequence[dict[str, Any]], out: Path, *, program: Sequence[str] = WORKER
) -> tuple[dict[int, Rendered], dict[int, str]]:
    """Have one worker process render the plans; its audited frames and its reports of failure, by place."""
    out.mkdir(parents=True)
    whole = {"denoise": False, "device": "cpu", "threads": 1, "out": str(out), "parent": os.getpid()} | job
    (out / "job.json").write_text(json.dumps(whole))
    requests = [{"index": i, "plan": plan, "audit": True, "wishes": None} for i, plan in enumerate(plans)]
    command = [sys.executable, *program, str(out / "job.json")]
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    done = subprocess.run(command, input=lines, text=True, cwd=ROOT, capture_output=True, timeout=300, check=False)
    failures = {int(path.name.split(".")[0]): path.read_text() for path in sorted(out.glob("*.error.txt"))}
    delivered = {int(path.parent.name): _read(path.parent) for path in sorted(out.glob("*/frame.json"))}
    assert {*failures, *delivered} == set(range(len(plans))), done.stderr[-2000:]
    return delivered, failures


def _read(folder: Path) -> Rendered:
    planes = [np.asarray(Image.open(folder / f"{name}.png")) for name in ("image", "class_ids", "instances")]
    more = [np.load(path) if (path := folder / f"{name}.npy").exists() else None for name in ("depth", "normals")]
    masks, width = folder / "amodal.npz", planes[0].shape[1]
    packed = dict(np.load(masks)) if masks.exists() else {}
    amodal = {int(name): np.unpackbits(bits, axis=1, count=width).astype(bool) for name, bits in packed.items()}
    return Rendered(*planes, json.loads((folder / "frame.json").read_text()), *more, amodal)
