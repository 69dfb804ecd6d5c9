"""Stage `render`: a scene pack -> a data set of rendered pictures with exact masks."""

from __future__ import annotations

from factory.core.errors import ConfigError, FactoryError
from factory.core.writer import Writer
from factory.execute import Executor
from factory.execute.progress import Progress
from factory.render import blender, environment
from factory.render.collect import collect, sample_id
from factory.render.job import Job, ScenePlan, Settings


def run(
    *,
    out: Writer,
    seed: int,
    scene: ScenePlan,
    frames: int,
    width: int,
    height: int,
    samples: int,
    denoise: bool,
    depth: bool,
    device: str,
    val_share: float,
    executor: Executor,
) -> None:
    """Render ``frames`` pictures of ``width`` x ``height`` pixels; one sample each, its plan in the provenance.

    Raw frames wait in the writer's scratch folder, so that a killed run repeats none of them. ``denoise`` turns
    on Cycles' own OIDN, which trades pixels that do not depend on threads for less noise.
    """
    settings = Settings(width=width, height=height, samples=samples, denoise=denoise, depth=depth, device=device)
    _check(frames, val_share)
    environment.check()
    job = Job(scene=scene, seed=seed, settings=settings)
    out.classes = job.classes
    done = out.done()
    wanted = [index for index in range(frames) if sample_id(index) not in done]
    raw_frames = out.scratch / "frames"
    with Progress("render", len(wanted)) as progress:
        blender.render(job, wanted, raw_frames, workers=executor.workers, on_frame=lambda _: progress.advance())
    kept = sum([collect(out, job, raw_frames, index, val_share=val_share) for index in wanted]) + len(done)
    if not kept:
        raise FactoryError("no rendered frame passed the audit", got=out.issues[0]["reason"], todo="check the scene")
    out.figures = {"frames": kept, "left_out": frames - kept}


def _check(frames: int, val_share: float) -> None:
    if frames < 1:
        raise ConfigError("frames must be positive", where="frames", got=frames, expected="1 or more")
    if not 0 <= val_share < 1:
        raise ConfigError("val_share must be a share", where="val_share", got=val_share, expected="0 or more, below 1")
