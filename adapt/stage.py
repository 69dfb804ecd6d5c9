"""Rendered images take on the look of real ones; every mask stays as it is, byte for byte."""

from __future__ import annotations

from functools import partial

import numpy as np

from adapt import Adapter
from factory.core.dataset import Dataset
from factory.core.errors import InputError
from factory.core.sample import MAPS, Domain, Sample, Split
from factory.core.seeds import generator
from factory.core.writer import DatasetWriter
from factory.execute import Executor


def run(
    *, synthetic: Dataset, real: Dataset, out: DatasetWriter, seed: int, adapter: Adapter, executor: Executor
) -> None:
    """Adapt every synthetic image to a real training image drawn for it by (seed, id).

    Other samples are carried, and so are those kept for tests; `InputError` where that is all of them.

    Of ``real`` only the pictures are looked at: it may have other classes.
    """
    out.classes = synthetic.classes
    references = real.where(split=Split.TRAIN, domain=Domain.REAL)
    if not references:
        todo = "ingest some photographs with split=train"
        raise InputError("no real training image to adapt to", where=real.root, todo=todo)
    if not any(_is_adapted(sample) for sample in synthetic.samples):
        todo = "give what factory render made as synthetic=…"
        raise InputError("no rendered picture to adapt", where=synthetic.root, todo=todo)
    done = out.done()
    waiting = [sample for sample in synthetic.samples if sample.id not in done]
    pairs = [
        (sample, references[generator(seed, "reference", sample.id).integers(len(references))]) for sample in waiting
    ]
    work = partial(_one, synthetic=synthetic, real=real, out=out, seed=seed, adapter=adapter)
    for _ in executor.map(work, pairs, title="adapt"):
        pass
    shifts = [s.provenance["shift"] for s in out.samples() if "shift" in s.provenance]
    out.figures = {"adapted": len(shifts), "mean_shift_grey_levels": float(np.mean(shifts)) if shifts else 0.0}


def _is_adapted(sample: Sample) -> bool:
    return sample.domain == Domain.SYNTHETIC and sample.split != Split.TEST


def _one(
    pair: tuple[Sample, Sample], *, synthetic: Dataset, real: Dataset, out: DatasetWriter, seed: int, adapter: Adapter
) -> None:
    sample, reference = pair
    if not _is_adapted(sample):
        out.add(out.carry(synthetic, sample))
        return
    image_hwc = synthetic.image(sample)
    adapted_hwc = adapter(image_hwc, real.image(reference), generator(seed, "adapt", sample.id))
    path, sha256 = out.write_image(sample.id, adapted_hwc)
    shift = float(np.abs(adapted_hwc.astype(np.int16) - image_hwc).mean())
    made = {"adapter": repr(adapter), "reference": reference.id, "shift": round(shift, 3)}
    carried = out.carry(synthetic, sample, *MAPS)
    out.add(carried.replace(image=path, image_sha256=sha256, provenance=sample.provenance | made))
