"""Blender worker processes deliver the same frames whatever happens to them, and never outlive their parent."""

import dataclasses
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from factory.core.errors import WorkerError
from factory.render import frame
from factory.render.blender import Farm, OnFrame
from factory.render.job import Job, Settings
from scenes.coins.plan import Coins

ROOT = Path(__file__).parents[2]
SETTINGS = Settings(width=64, height=48, samples=2, denoise=False, outputs=("depth",), device="cpu")
JOB = Job(scene=Coins(), seed=7, settings=SETTINGS)
FRAMES = range(4)


def render(
    out: Path,
    frames: Iterable[int] = FRAMES,
    *,
    workers: int,
    job: Job = JOB,
    on_frame: OnFrame = lambda _: None,
    **farm: Any,
) -> tuple[Farm, dict[int, str]]:
    """Have the frames rendered; the farm, closed, and the frames that failed."""
    with Farm(job=job, out=out, places=[{}] * workers, **farm) as opened:
        return opened, opened.render([job.request(index) for index in frames], on_frame=on_frame)


needs_blender = pytest.mark.blender


@dataclass(frozen=True)
class Broken:
    """Coins, but Blender cannot build the one picture whose plan has this seed."""

    bad_seed: int
    fault: str = "scenes.nowhere"
    left_out: tuple[str, ...] = ()
    classes: ClassVar = Coins.classes
    nothing: ClassVar = 0
    folders: ClassVar = {}

    def __call__(
        self, rng: Callable[[str], np.random.Generator], emphasis: Mapping[str, float], ratio: float
    ) -> dict[str, Any]:
        """A plan that fails, or a good one."""
        plan = Coins()(rng, emphasis, ratio)
        if plan["seed"] == self.bad_seed:
            plan["pack"] = self.fault
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
    assert render(out, workers=2)[1] == {}
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
def test_one_worker_renders_the_same_bytes_as_two(
    undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the split of the work nor the number of threads is visible in the output; nothing stays elsewhere."""
    elsewhere = tmp_path / "tmp"
    elsewhere.mkdir()
    monkeypatch.setenv("TMPDIR", str(elsewhere))
    render(tmp_path / "one", workers=1)
    assert files_of(tmp_path / "one") == files_of(undisturbed)
    assert list(elsewhere.iterdir()) == []


@needs_blender
def test_the_denoiser_does_not_mind_workers_and_threads(tmp_path: Path) -> None:
    """One worker on all cores and two on one each deliver the same bytes."""
    job = dataclasses.replace(JOB, settings=dataclasses.replace(SETTINGS, denoise=True))
    for count in (1, 2):
        render(tmp_path / str(count), range(2), workers=count, job=job)
    assert files_of(tmp_path / "1") == files_of(tmp_path / "2")


def limit(kind: int, value: int) -> Callable[[int], object]:
    """Take a resource away from a running process."""
    return lambda pid: resource.prlimit(pid, kind, (value, value))


FAULTS = {
    "killed": lambda pid: os.kill(pid, signal.SIGKILL),
    "segfault": lambda pid: os.kill(pid, signal.SIGSEGV),
    "out of memory": limit(resource.RLIMIT_AS, 1 << 20),
    "out of file handles": limit(resource.RLIMIT_NOFILE, 3),
}
ALIKE = ("segfault", "out of file handles")
"""A signal ends the first as it ends the killed, an error the second as it ends those without memory."""


@needs_blender
@pytest.mark.skipif(sys.platform != "linux", reason="takes resources away by prlimit")
@pytest.mark.parametrize(
    "fault", [pytest.param(name, marks=[pytest.mark.slow] if name in ALIKE else []) for name in FAULTS]
)
def test_frames_of_a_disturbed_worker_are_taken_over(undisturbed: Path, tmp_path: Path, fault: str) -> None:
    """A worker that meets its fault after the first frame costs time, not frames; none arrives twice; it is counted."""
    seen: list[int] = []

    def disturb_once(index: int) -> None:
        seen.append(index)
        if len(seen) == 1:
            for worker in workers_of(os.getpid()):
                FAULTS[fault](worker)

    farm, failures = render(tmp_path / "frames", workers=1, on_frame=disturb_once)
    assert (failures, sorted(seen)) == ({}, list(FRAMES))
    assert farm.lost + farm.retried >= 1
    assert files_of(tmp_path / "frames") == files_of(undisturbed)


@needs_blender
@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_frames_of_a_hanging_worker_are_taken_over(undisturbed: Path, tmp_path: Path) -> None:
    """A process that stands still is given up by the watchdog."""
    seen: list[int] = []

    def stop_once(index: int) -> None:
        seen.append(index)
        if len(seen) == 1:
            for worker in workers_of(os.getpid()):
                os.kill(worker, signal.SIGSTOP)

    farm, failures = render(tmp_path / "frames", workers=1, on_frame=stop_once, patience_s=30)
    assert failures == {}
    assert farm.lost >= 1
    assert files_of(tmp_path / "frames") == files_of(undisturbed)


@needs_blender
def test_frames_already_there_are_not_rendered_again(undisturbed: Path) -> None:
    """With all frames delivered, no worker starts."""
    before = {path: path.stat().st_mtime_ns for path in undisturbed.rglob("*")}
    seen: list[int] = []
    render(undisturbed, workers=2, on_frame=seen.append)
    assert seen == list(FRAMES)
    assert {path: path.stat().st_mtime_ns for path in undisturbed.rglob("*")} == before


@needs_blender
def test_a_frame_that_always_fails_is_named_and_its_neighbours_are_rendered(tmp_path: Path) -> None:
    """It is tried three times; the reason is the last line of what went wrong."""
    job = Job(scene=Broken(bad_seed=JOB.plan(1, {})["seed"]), seed=JOB.seed, settings=SETTINGS)
    farm, failures = render(tmp_path, range(3), workers=1, job=job)
    assert (list(failures), farm.retried, farm.lost) == ([1], 2, 0)
    assert failures[1].startswith("ModuleNotFoundError")
    assert [frame.is_delivered(tmp_path, index) for index in range(3)] == [True, False, True]


@needs_blender
def test_where_nothing_can_be_rendered_one_message_says_why(tmp_path: Path) -> None:
    """The error names the frame, the cause and the log with all of it."""
    job = Job(scene=Broken(bad_seed=JOB.plan(0, {})["seed"]), seed=JOB.seed, settings=SETTINGS)
    with pytest.raises(WorkerError, match=r"(?s)frame 0 .*3 tries.*ModuleNotFoundError") as caught:
        render(tmp_path, [0], workers=1, job=job)
    assert "Traceback" not in str(caught.value)
    assert "Traceback" in Path(str(caught.value.where)).read_text()


@needs_blender
def test_a_hung_worker_is_given_up(tmp_path: Path) -> None:
    """Without a frame for longer than the patience, a worker is replaced, and after three times the error says so."""
    with pytest.raises(WorkerError, match=r"no new frame for too long"):
        render(tmp_path, [0], workers=1, patience_s=0.3)
    assert workers_of(os.getpid()) == []


@needs_blender
@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_no_worker_outlives_a_killed_parent(tmp_path: Path) -> None:
    """A parent that gets no chance to clean up leaves no process behind."""
    code = (
        "import sys; from pathlib import Path; from tests.render.test_blender import render\n"
        "render(Path(sys.argv[1]), range(500), workers=2)"
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
