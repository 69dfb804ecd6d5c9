"""Raw frames -> samples: given a split, and journalled with the plan that made them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from factory.core.objects import SceneObject, SceneObjects
from factory.core.sample import Domain, Origin, Sample, Split, Supervision
from factory.core.seeds import generator
from factory.core.writer import Writer
from factory.exchange import rle
from factory.render import frame as raw
from factory.render.job import Job, Request


def sample_id(index: int) -> str:
    """The id of a frame's sample."""
    return f"scene-{index:05d}"


def split_of(seed: int, index: int, val_share: float) -> Split:
    """Train or val, drawn for each frame by itself: more frames later do not move earlier ones."""
    draw = generator(seed, "split", sample_id(index)).random()
    return Split.VAL if draw < val_share else Split.TRAIN


def collect(out: Writer, job: Job, request: Request, frames: Path, frame: raw.RawFrame, *, split: Split) -> None:
    """Turn a sound frame into a sample, and drop its raw pixels."""
    name = sample_id(request.index)
    image, sha256 = out.write_image(name, frame.image_hwc)
    planes: dict[str, Any] = {
        "mask": frame.class_ids_hw,
        "source": np.full(frame.class_ids_hw.shape, Origin.EXACT, np.uint8),
        "instances": frame.instances_hw,
        "depth": frame.depth_hw if "depth" in job.settings.outputs else None,
        "normals": frame.normals_hwc,
    }
    provenance = {"scene_seed": job.seed, "index": request.index, "plan": job.plan(request.index, request.emphasis)}
    maps: dict[str, Any] = {k: out.write_map(k, name, plane) for k, plane in planes.items() if plane is not None}
    out.add(
        Sample(
            **maps,
            id=name,
            image=image,
            image_sha256=sha256,
            objects=out.write(f"objects/{name}.json", _objects(frame).encode()),
            width=job.settings.width,
            height=job.settings.height,
            split=split,
            group=name,
            domain=Domain.SYNTHETIC,
            supervision=Supervision.EXACT,
            provenance=provenance | ({"emphasis": dict(request.emphasis)} if request.emphasis else {}),
        )
    )
    raw.drop_pixels(frames, request.index)


def _objects(frame: raw.RawFrame) -> SceneObjects:
    hidden = frame.amodal or {}
    rows = [
        SceneObject(
            **{key: value for key, value in row.items() if key != "key"},
            amodal=rle.encode(hidden[row["instance"]]) if row["instance"] in hidden else None,
        )
        for row in frame.story["objects"]
    ]
    return SceneObjects(objects=tuple(rows), camera=frame.story["camera"])
