"""Rendering beside stock BlenderProc and raw Cycles: the same scenes at 256 x 256, one process each, in one run.

Run by ``make bench``; BENCH_FRAMES (2) scenes of each kind. Prints the tables of BENCHMARKS.md; what must hold on any
machine (masks equal, frames in order) is asserted, times are only told.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from factory.render.blender import Farm
from factory.render.job import Job, Settings
from scenes.coins.plan import Coins
from scenes.kit.distractors import Distractors
from scenes.kit.photograph import LUMINANCE
from tests.benchmarks import blocks

ROOT = Path(__file__).parents[2]
FRAMES = int(os.environ.get("BENCH_FRAMES", "2"))
SWEEP = (4, 8, 12, 16, 24, 32)
CROWD = Coins(
    rows_share=0, overlap_share=1, diameter=(0.15, 0.25), count=(18, 18), distractors=Distractors(count=(4, 4))
)

pytestmark = [pytest.mark.blender, pytest.mark.slow]


def settings(size: int = 256, samples: int = 16) -> Settings:
    """Colour and masks, nothing else."""
    return Settings(width=size, height=size, samples=samples, denoise=False, outputs=(), device="cpu")


def plans_of(kind: str) -> list[dict[str, Any]]:
    """The scenes: plain blocks as BlenderProc's examples have them, or coins with all their textures."""
    job = Job(scene=CROWD, seed=0, settings=settings())
    return [blocks.plan(i) if kind == "blocks" else job.plan(i, {}) for i in range(FRAMES)]


class Contest:
    """Contestants on the scenes of one kind; every run is a process of its own."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.folder, self.plans = folder, folder / "plans.json"
        folder.mkdir()
        self.plans.write_text(json.dumps(plans_of(kind)))

    def run(self, name: str, samples: int, *, threads: int = 1) -> tuple[float, list[np.ndarray], list[np.ndarray]]:
        """Mean seconds a frame (scene building included), linear colours, class ids."""
        out = self.folder / f"{name}-{samples}-{threads}"
        command = [sys.executable, "-m", "tests.benchmarks.contestants", name, str(self.plans), str(out)]
        subprocess.run([*command, str(samples), str(threads)], cwd=ROOT, check=True, capture_output=True)
        seconds = [sum(pair) for pair in json.loads((out / "seconds.json").read_text())]
        found = [np.load(out / f"{index}.npz") for index in range(FRAMES)]
        return float(np.mean(seconds)), [f["light"] for f in found], [f["classes"] for f in found]


def psnr(images: list[np.ndarray], references: list[np.ndarray]) -> float:
    """Mean over frames, in decibel, of the images as an 8-bit file would show them (gamma 2.2, common exposure)."""
    return float(np.mean([_psnr(image, reference) for image, reference in zip(images, references, strict=True)]))


def _psnr(image: np.ndarray, reference: np.ndarray) -> float:
    white = np.percentile(reference @ LUMINANCE, 95) / 0.8**2.2
    shown = [np.clip(light / white, 0, 1) ** (1 / 2.2) for light in (image, reference)]
    return float(-10 * np.log10(np.mean((shown[0] - shown[1]) ** 2)))


@pytest.mark.parametrize("kind", ["blocks", "coins"])
def test_time_to_the_same_image_error(kind: str, tmp_path: Path) -> None:
    """Stock's error at 16 samples with its denoiser, and how long each takes to reach it; masks are equal."""
    contest = Contest(kind, tmp_path / kind)
    converged = contest.run("reference", 1024, threads=0)[1]
    stock, stock_light, stock_classes = contest.run("stock", 16)
    raw, raw_light, _ = contest.run("raw", 16)
    ours, ours_light, ours_classes = contest.run("ours", 16)
    goal = psnr(stock_light, converged)
    print(f"\n{kind}: {FRAMES} scenes, 256 x 256, one thread\n\n| what | s a frame | PSNR, dB | stock / this |")
    print("|---|---|---|---|")
    rows = [("stock, 16 samples, its denoiser", stock, goal), ("raw Cycles, 16", raw, psnr(raw_light, converged))]
    rows += [("ours, 16", ours, psnr(ours_light, converged))]
    for samples in SWEEP:
        seconds, light, _ = contest.run("ours-denoised", samples)
        rows.append((f"ours, {samples}, denoised", seconds, psnr(light, converged)))
    alone = contest.run("ours-denoised", 16, threads=0)
    rows.append(("16, denoised, on all cores as our one process takes them", alone[0], psnr(alone[1], converged)))
    defaults = contest.run("stock-defaults", 1024)
    rows.append(("stock as installed, 1024 samples, threshold 0.01", defaults[0], psnr(defaults[1], converged)))
    for name, seconds, quality in rows:
        print(f"| {name} | {seconds:.2f} | {quality:.1f} | {stock / seconds:.2f} |")
    good = [seconds for name, seconds, quality in rows if name.startswith("ours") and quality >= goal]
    told = f"{stock / min(good):.2f} times shorter" if good else "not reached"
    print(f"\nto stock's error: {told}; ours / raw {ours / raw:.2f}")
    print(f"stock as installed / ours at 16, one thread: {defaults[0] / ours:.1f}")
    assert all(np.array_equal(a, b) for a, b in zip(ours_classes, stock_classes, strict=True))


def throughput(folder: Path, *, workers: int, threads: int, frames: int, job: Job) -> tuple[float, list[int]]:
    """Frames a second once all workers are up, and the resident memory (MiB) seen at each frame."""
    stamps: list[float] = []
    memory: list[int] = []

    def note(_: int) -> None:
        stamps.append(time.perf_counter())
        memory.append(max(map(resident_mib, children()), default=0))

    with Farm(job=job, out=folder, places=[{}] * workers, threads=threads) as farm:
        farm.render([job.request(index) for index in range(2 * workers)], on_frame=lambda _: None)
        began = time.perf_counter()
        farm.render([job.request(index) for index in range(2 * workers, 2 * workers + frames)], on_frame=note)
    return frames / (stamps[-1] - began), memory


def children() -> list[int]:
    """Processes that this one has started."""
    return [int(pid) for pid in Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()]


def resident_mib(pid: int) -> int:
    """Resident memory of a process; 0 for one that is gone."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE") >> 20


def test_two_workers_beside_one(tmp_path: Path) -> None:
    """One thread each: the second core is another worker's."""
    job = Job(scene=CROWD, seed=0, settings=settings())
    counts = ((1, 1), (2, 1), (1, 0))
    rates = {n: throughput(tmp_path / f"{n}", workers=n[0], threads=n[1], frames=20, job=job)[0] for n in counts}
    print("\nframes a second by (workers, threads; 0 is all cores):", {k: round(v, 2) for k, v in rates.items()})
    print(f"two workers / one: {rates[2, 1] / rates[1, 1]:.2f}")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_over_five_hundred_frames(tmp_path: Path) -> None:
    """Resident memory of the workers, by hundred frames."""
    job = Job(scene=Coins(), seed=0, settings=settings(size=64, samples=1))
    rate, memory = throughput(tmp_path / "frames", workers=2, threads=1, frames=500, job=job)
    peaks = [max(memory[start : start + 100]) for start in range(0, 500, 100)]
    print(f"\n{rate:.1f} frames/s; largest worker, MiB, by hundred frames: {peaks}")
