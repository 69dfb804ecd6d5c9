"""Raw frames -> samples: audited, given a split, and journalled with the plan that made them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from factory.core.sample import Domain, Origin, Sample, Split, Supervision
from factory.core.seeds import generator
from factory.core.writer import Writer
from factory.render import audit
from factory.render import frame as raw
from factory.render.job import Job


def sample_id(index: int) -> str:
    """The id of a frame's sample."""
    return f"scene-{index:05d}"


def split_of(seed: int, index: int, val_share: float) -> Split:
    """Train or val, drawn for each frame by itself: more frames later do not move earlier ones."""
    draw = generator(seed, "split", sample_id(index)).random()
    return Split.VAL if draw < val_share else Split.TRAIN


def collect(out: Writer, job: Job, frames: Path, index: int, *, val_share: float) -> bool:
    """Turn one delivered frame into a sample; False, and a line in the artefact's report, if the audit objects."""
    settings, name = job.settings, sample_id(index)
    frame = raw.read(frames, index)
    objections = audit.reasons(
        frame, classes=job.classes, width=settings.width, height=settings.height, depth=settings.depth
    )
    if objections:
        out.report(name, "frame left out: " + "; ".join(objections))
        return False
    out.add(_written(out, job, frame, index, split_of(job.seed, index, val_share)))
    shutil.rmtree(raw.folder_of(frames, index))
    return True


def _written(out: Writer, job: Job, frame: raw.RawFrame, index: int, split: Split) -> Sample:
    name = sample_id(index)
    image, sha256 = out.write_image(name, frame.image_hwc)
    exact = np.full(frame.class_ids_hw.shape, Origin.EXACT, np.uint8)
    return Sample(
        id=name,
        image=image,
        image_sha256=sha256,
        mask=out.write_map("mask", name, frame.class_ids_hw),
        source=out.write_map("source", name, exact),
        instances=out.write_map("instances", name, frame.instances_hw),
        depth=None if frame.depth_hw is None else out.write_map("depth", name, frame.depth_hw),
        width=job.settings.width,
        height=job.settings.height,
        split=split,
        group=name,
        domain=Domain.SYNTHETIC,
        supervision=Supervision.EXACT,
        provenance={"scene_seed": job.seed, "index": index, "plan": job.plan(index)},
    )
