"""Photographs taken in by the command beside the loop that anyone would write: opened, saved as PNG, one by one."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

KINDS = {"large": (12, 3000, 4000), "small": (4000, 128, 128)}


def photographs(folder: Path, count: int, height: int, width: int) -> None:
    """Cuts of two photographs, with a camera's grain, as JPEG."""
    folder.mkdir()
    sources = [Image.fromarray(rgb) for rgb in (skimage.data.astronaut(), skimage.data.coffee())]
    rng = np.random.default_rng(0)
    grain = rng.normal(0, 4, (height, width, 3))
    for number in range(count):
        left, top = rng.integers(0, 200, 2)
        cut = sources[number % 2].resize((width, height), box=(left, top, left + 200, top + 200))
        noisy = np.roll(grain, int(rng.integers(width)), axis=1) + np.asarray(cut)
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(folder / f"{number:05d}.jpg", quality=92)


def plain(images: Path, out: Path) -> None:
    """The peer: Pillow, as it stands."""
    out.mkdir()
    for path in sorted(images.iterdir()):
        Image.open(path).convert("RGB").save(out / f"{path.stem}.png")


def ingest(images: Path, out: Path) -> None:
    """The command, start-up and all: decoded, digested, written, flushed, sealed."""
    words = ["ingest", f"images={images}", "classes=[a,b]", f"out={out}"]
    subprocess.run([sys.executable, "-m", "factory", *words], check=True, capture_output=True)


def seconds(work: Callable[[Path, Path], None], images: Path, out: Path) -> float:
    """How long it took by the clock."""
    began = time.perf_counter()
    work(images, out)
    return time.perf_counter() - began


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_ingest_beside_a_plain_loop(kind: str, tmp_path: Path) -> None:
    """The same pixels, turn about, twice."""
    photographs(tmp_path / "images", *KINDS[kind])
    found = []
    for turn in range(2):
        times = [seconds(work, tmp_path / "images", tmp_path / f"{work.__name__}{turn}") for work in (ingest, plain)]
        found.append(times)
    ours, theirs = (tmp_path / "ingest1" / "images", tmp_path / "plain1")
    for one, other in zip(sorted(ours.iterdir()), sorted(theirs.iterdir()), strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(one)), np.asarray(Image.open(other)))
    print(f"\n{kind}: " + "; ".join(f"{mine:.1f} s beside {other:.1f}, {mine / other:.2f}" for mine, other in found))
