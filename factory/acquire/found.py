"""What a survey found of one image, also as a file: a killed survey goes on from there, another choice begins there."""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from factory.acquire.candidates import Candidate
from factory.acquire.embeddings import Vectors
from factory.core import digests
from factory.core.queue import Example
from factory.core.sample import Sample
from factory.measure.cost import Cost

Map8 = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Doubt:
    """What a queue keeps of an image: predicted class ids, entropy (255: all classes alike), and its regions."""

    proposal_hw: Map8
    uncertain_hw: Map8
    regions_hw: npt.NDArray[np.int32]


@dataclass(frozen=True, kw_only=True)
class Found:
    """What is doubtful, the regions that may be asked about, and some known pixels with what they look like.

    ``vectors_nc`` is None where nothing was looked at.
    """

    doubt: Doubt
    candidates: list[Candidate]
    vectors_nc: Vectors | None
    examples: list[Example]

    def save(self, path: Path) -> None:
        """Whole or not at all, compressed: regions take a fiftieth of their space."""
        arrays: dict[str, Any] = vars(self.doubt) | _columns(self.candidates) | self._looks()
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)
        digests.replace_with(path, buffer.getvalue())

    @classmethod
    def load(cls, path: Path, sample: Sample, cost: Cost) -> Self | None:
        """What was found of a sample, at what it costs by now; None where nothing was, or only a part is left of it."""
        try:
            with path.open("rb") as stream, np.load(stream) as held:
                arrays = dict(held)
            return cls(
                doubt=Doubt(**{name: arrays[name] for name in Doubt.__dataclass_fields__}),
                candidates=_candidates(arrays, sample, cost),
                vectors_nc=arrays.get("vectors_nc"),
                examples=[Example(sample.id, *map(int, place)) for place in arrays.get("examples_n3", ())],
            )
        except (OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error):
            return None

    def _looks(self) -> dict[str, npt.NDArray[Any]]:
        if self.vectors_nc is None:
            return {}
        places = [(one.x, one.y, one.class_id) for one in self.examples]
        return {"vectors_nc": self.vectors_nc, "examples_n3": np.array(places, np.int64).reshape(-1, 3)}


def place_of(sample: Sample) -> tuple[str, tuple[int, int, int, int]]:
    """The picture a sample was cut from, and the box it shows of it; a whole picture shows all."""
    x, y = (int(n) for n in sample.provenance.get("offset", (0, 0)))
    return sample.photograph, (x, y, x + sample.width, y + sample.height)


def _columns(candidates: list[Candidate]) -> dict[str, npt.NDArray[Any]]:
    """Everything about the candidates but what the sample says itself and what their answers cost."""
    counts = [(one.region, *one.box, one.pixels, one.border, one.clicks) for one in candidates]
    names = [*candidates[0].scores] if candidates else []
    columns: dict[str, npt.NDArray[Any]] = {
        "counts_r8": np.array(counts, np.int64).reshape(-1, 8),
        "probabilities_rk": np.array([one.probabilities for one in candidates], np.float64),
        "names": np.array(names, np.str_),
        "scores_rs": np.array([[one.score, *one.scores.values()] for one in candidates], np.float64),
    }
    if embeddings := [one.embedding for one in candidates if one.embedding is not None]:
        columns["embeddings_rc"] = np.stack(embeddings)
    return columns


def _candidates(arrays: dict[str, npt.NDArray[Any]], sample: Sample, cost: Cost) -> list[Candidate]:
    picture, (left, top, _, _) = place_of(sample)
    names = arrays["names"].tolist()
    counts, shares, scores = (arrays[name].tolist() for name in ("counts_r8", "probabilities_rk", "scores_rs"))
    embeddings = arrays.get("embeddings_rc", [None] * len(counts))
    return [
        Candidate(
            sample_id=sample.id,
            place=(picture, left, top),
            region=region,
            box=(x0, y0, x1, y1),
            pixels=pixels,
            probabilities=tuple(probabilities),
            score=score,
            scores=dict(zip(names, named, strict=True)),
            border=border,
            clicks=clicks,
            seconds=cost.seconds(border),
            opening=cost.image,
            embedding=embedding,
        )
        for (region, x0, y0, x1, y1, pixels, border, clicks), probabilities, (score, *named), embedding in zip(
            counts, shares, scores, embeddings, strict=True
        )
    ]
