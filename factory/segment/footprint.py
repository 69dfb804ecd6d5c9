"""Time and memory that a model file takes, each measured in a process of its own.

Run as a program it measures one file and prints JSON; it imports what the file needs and nothing else, so that the
memory is what a user of that file pays.
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from factory.core.errors import WorkerError
from factory.execute import program
from factory.execute.threads import threads

WARM_UP, REPEATS = 3, 20
Run = Callable[[npt.NDArray[np.float32]], object]


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """``milliseconds`` a tile (median), and the largest resident memory of the process, in MiB."""

    milliseconds: float
    peak_mib: float


def measure(path: Path, size_hw: tuple[int, int]) -> Footprint:
    """Run a .ckpt, .onnx, .pt2 or .torchscript on one tile again and again, on the CPU; `WorkerError` if it cannot."""
    command = program.command(__name__, str(path), *(str(side) for side in size_hw))
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=program.environment())
    if ended.returncode:
        got = (ended.stderr.strip().splitlines() or [f"status {ended.returncode}"])[-1]
        raise WorkerError("the exported file cannot be measured", where=path.name, got=got)
    return Footprint(**json.loads(ended.stdout.splitlines()[-1]))


def _measure_here(path: Path, size_hw: tuple[int, int]) -> Footprint:
    run, images_nchw = _opened(path), np.random.default_rng(0).random((1, 3, *size_hw), np.float32)
    seconds = []
    for _ in range(WARM_UP + REPEATS):
        began = time.perf_counter()
        run(images_nchw)
        seconds.append(time.perf_counter() - began)
    return Footprint(milliseconds=1000 * statistics.median(seconds[WARM_UP:]), peak_mib=_peak_mib())


def _opened(path: Path) -> Run:
    return _onnx(path) if path.suffix == ".onnx" else _torch(path)


def _onnx(path: Path) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads()
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    (images,) = session.get_inputs()
    return lambda images_nchw: session.run(None, {images.name: images_nchw})


def _torch(path: Path) -> Run:
    import torch

    torch.set_num_threads(threads())
    module: torch.nn.Module
    if path.suffix == ".pt2":
        module = torch.export.load(path).module()
    elif path.suffix == ".torchscript":
        module = torch.jit.load(path, map_location="cpu")  # type: ignore[no-untyped-call]
    else:
        from factory.segment import checkpoint, predict

        module = predict.ready(checkpoint.load(path).model)

    def run(images_nchw: npt.NDArray[np.float32]) -> object:
        with torch.inference_mode():
            return module(torch.from_numpy(images_nchw))

    return run


def _peak_mib() -> float:
    """From Linux's own book-keeping: what `resource` says would include the parent's memory."""
    said = re.search(r"^VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(said[1]) / 1024 if said else float("nan")


if __name__ == "__main__":
    found = _measure_here(Path(sys.argv[1]), (int(sys.argv[2]), int(sys.argv[3])))
    print(json.dumps(vars(found)))
