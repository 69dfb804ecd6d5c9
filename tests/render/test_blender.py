"""Blender worker processes deliver the same frames whatever happens to them, and never outlive their parent."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from factory.core.errors import WorkerError
from factory.render import blender, frame
from factory.render.blender import chunks
from factory.render.job import Job, Settings
from scenes.coins.plan import Coins

ROOT = Path(__file__).parents[2]
SETTINGS = Settings(width=64, height=48, samples=2, denoise=False, depth=True, device="cpu")
JOB = Job(scene=Coins(), seed=7, settings=SETTINGS)
FRAMES = range(4)

needs_blender = pytest.mark.blender


@dataclass(frozen=True)
class Broken:
    """Coins, but Blender cannot build the one picture whose plan has this seed."""

    bad_seed: int
    classes: ClassVar = Coins.classes

    def __call__(self, rng: Callable[[str], np.random.Generator]) -> dict[str, Any]:
        """A plan that divides by zero, or a good one."""
        plan = Coins()(rng)
        if plan["seed"] == self.bad_seed:
            plan["ground"]["frame"] = 0.0
        return plan


def files_of(out: Path) -> dict[str, bytes]:
    """Pixels and tables of all frames; frame.json also tells seconds, which differ."""
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in sorted(out.glob("[0-9]*/*"))
        if path.name != "frame.json"
    }


def children_of(pid: int) -> list[int]:
    """Processes that the main thread of a process has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def workers_of(pid: int) -> list[int]:
    """Blender workers among them."""
    return [child for child in children_of(pid) if b"scenes.kit.worker" in Path(f"/proc/{child}/cmdline").read_bytes()]


def is_running(pid: int) -> bool:
    """Whether the process exists and has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Frames of two workers whom nobody disturbs."""
    out = tmp_path_factory.mktemp("two") / "frames"
    blender.render(JOB, FRAMES, out, workers=2, on_frame=lambda _: None)
    return out


@needs_blender
def test_every_frame_arrives_complete(undisturbed: Path) -> None:
    """Each frame has image, class ids, instances and depth of the asked size, and coins in it."""
    for index in FRAMES:
        raw = frame.read(undisturbed, index)
        assert raw.image_hwc.shape == (48, 64, 3)
        assert raw.depth_hw is not None
        assert raw.depth_hw.dtype == np.float32
        assert raw.class_ids_hw.shape == raw.instances_hw.shape == raw.depth_hw.shape == (48, 64)
        assert raw.table


@needs_blender
def test_one_worker_renders_the_same_bytes_as_two(undisturbed: Path, tmp_path: Path) -> None:
    """Neither the split of the work nor the number of threads is visible in the output."""
    blender.render(JOB, FRAMES, tmp_path / "one", workers=1, on_frame=lambda _: None)
    assert files_of(tmp_path / "one") == files_of(undisturbed)


@needs_blender
def test_frames_of_a_killed_worker_are_taken_over(undisturbed: Path, tmp_path: Path) -> None:
    """A worker shot after its first frame costs time, not frames, and none arrives twice."""
    seen: list[int] = []

    def shoot_once(index: int) -> None:
        seen.append(index)
        if len(seen) == 1:
            for worker in workers_of(os.getpid()):
                os.kill(worker, signal.SIGKILL)

    blender.render(JOB, FRAMES, tmp_path / "shot", workers=1, on_frame=shoot_once)
    assert sorted(seen) == list(FRAMES)
    assert files_of(tmp_path / "shot") == files_of(undisturbed)


@needs_blender
def test_frames_already_there_are_not_rendered_again(undisturbed: Path) -> None:
    """With all frames delivered, no worker starts."""
    before = {path: path.stat().st_mtime_ns for path in undisturbed.rglob("*")}
    seen: list[int] = []
    blender.render(JOB, FRAMES, undisturbed, workers=2, on_frame=seen.append)
    assert seen == list(FRAMES)
    assert {path: path.stat().st_mtime_ns for path in undisturbed.rglob("*")} == before


@needs_blender
def test_a_frame_that_always_fails_ends_in_one_message(tmp_path: Path) -> None:
    """Its neighbours are rendered all the same; the error names the frame, the cause and the log with all of it."""
    job = Job(scene=Broken(bad_seed=JOB.plan(1)["seed"]), seed=JOB.seed, settings=SETTINGS)
    with pytest.raises(WorkerError, match=r"(?s)frame 1 .*3 tries.*ZeroDivisionError") as caught:
        blender.render(job, range(3), tmp_path / "frames", workers=1, on_frame=lambda _: None)
    assert "Traceback" not in str(caught.value)
    assert "Traceback" in Path(str(caught.value.where)).read_text()
    assert [frame.is_delivered(tmp_path / "frames", index) for index in range(3)] == [True, False, True]


@needs_blender
def test_a_hung_worker_is_given_up(tmp_path: Path) -> None:
    """Without a frame for longer than the patience, a worker is replaced, and after three times the error says so."""
    with pytest.raises(WorkerError, match=r"no new frame for too long"):
        blender.render(JOB, [0], tmp_path, workers=1, on_frame=lambda _: None, patience_s=0.3)
    assert workers_of(os.getpid()) == []


@needs_blender
@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_no_worker_outlives_a_killed_parent(tmp_path: Path) -> None:
    """A parent that gets no chance to clean up leaves no process behind."""
    code = (
        "import sys; from pathlib import Path; from tests.render.test_blender import JOB, blender\n"
        "blender.render(JOB, range(500), Path(sys.argv[1]), workers=2, on_frame=lambda _: None)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "frames")], cwd=ROOT)
    try:
        wait_until(lambda: frame.is_delivered(tmp_path / "frames", 0), seconds=90)
        workers = workers_of(parent.pid)
        assert len(workers) == 2
    finally:
        parent.kill()
        parent.wait()
    wait_until(lambda: not any(map(is_running, workers)), seconds=10)


def wait_until(true: Callable[[], bool], *, seconds: float) -> None:
    """Fail if the condition does not come true in time."""
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit, "waited too long"
        time.sleep(0.1)


def test_work_is_divided_evenly_into_short_chunks() -> None:
    """No worker gets more than 25 frames, and all end at about the same time."""
    assert [len(chunk) for chunk in chunks(range(96), 2)] == [24, 24, 24, 24]
    assert [len(chunk) for chunk in chunks(range(5), 2)] == [3, 2]
    assert chunks([], 2) == []
    assert [index for chunk in chunks(range(260), 3) for index in chunk] == list(range(260))
