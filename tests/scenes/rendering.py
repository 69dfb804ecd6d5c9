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


@dataclass(frozen=True)
class Rendered:
    """One frame: 8-bit picture (H, W, 3), class ids and instance ids (H, W), and the worker's account of it."""

    image: npt.NDArray[np.uint8]
    class_ids: npt.NDArray[np.uint8]
    instances: npt.NDArray[Any]
    story: dict[str, Any]


def render(pack: Any, plans: Sequence[dict[str, Any]], out: Path, *, samples: int = 2) -> list[Rendered]:
    """Audited frames of the plans, by one worker process of their own."""
    out.mkdir(parents=True)
    job = {**SIZE, "samples": samples, "denoise": False, "outputs": [], "device": "cpu", "threads": 1}
    job |= {"nothing": pack.nothing, "folders": pack.folders, "out": str(out), "parent": os.getpid()}
    (out / "job.json").write_text(json.dumps(job))
    requests = [{"index": i, "plan": plan, "audit": True, "wishes": None} for i, plan in enumerate(plans)]
    command = [sys.executable, "-m", "scenes.kit.worker", str(out / "job.json")]
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    done = subprocess.run(command, input=lines, text=True, cwd=ROOT, capture_output=True, timeout=300, check=False)
    reports = [path.read_text() for path in sorted(out.glob("*.error.txt"))]
    assert reports == [], done.stderr[-2000:]
    return [_read(out / f"{index:06d}") for index in range(len(plans))]


def _read(folder: Path) -> Rendered:
    planes = [np.asarray(Image.open(folder / f"{name}.png")) for name in ("image", "class_ids", "instances")]
    return Rendered(*planes, json.loads((folder / "frame.json").read_text()))
