"""Checkpoints that can be opened without the configuration: specification, classes, geometry and weights."""

from __future__ import annotations

import io
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from factory.core.classes import ClassList
from factory.core.errors import ArtefactError, FactoryError
from factory.segment.data import Size
from factory.segment.models import Segmenter, SegmenterSpec
from factory.segment.working import Working

FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A segmenter and how it wants its pictures.

    ``working`` is the size that pictures are brought to first, ``tile_hw`` the size of what the network saw in
    training, ``step`` the optimisation steps behind the weights.
    """

    model: Segmenter
    working: Working
    tile_hw: Size
    step: int

    @property
    def classes(self) -> ClassList:
        """The classes of the model's channels."""
        return self.model.classes


def encode(trained: Trained) -> bytes:
    """The checkpoint as bytes; equal weights give equal bytes."""
    model = trained.model
    return dump(
        {
            "format": FORMAT,
            "spec": asdict(model.spec),
            "classes": {"names": list(model.classes.names), "colours": [list(rgb) for rgb in model.classes.colours]},
            "size_hw": trained.working.size_hw and list(trained.working.size_hw),
            "longest": trained.working.longest,
            "part_hw": trained.working.part_hw and list(trained.working.part_hw),
            "tile_hw": list(trained.tile_hw),
            "step": trained.step,
            "temperature": model.temperature,
            "weights": {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()},
        }
    )


def load(path: Path, *, classes: ClassList | None = None) -> Trained:
    """Open a checkpoint on the CPU; `ArtefactError` if it is unreadable, or made for other classes than ``classes``."""
    content = read(path)
    try:
        if content["format"] != FORMAT:
            raise ArtefactError("unknown checkpoint format", where=path, got=content["format"], expected=FORMAT)
        trained = _trained(content)
    except (KeyError, TypeError, ValueError, RuntimeError, FactoryError) as error:
        if isinstance(error, ArtefactError):
            raise
        raise ArtefactError.of(
            error, what="not a checkpoint of this version", where=path, todo="train again"
        ) from error
    if classes is not None:
        require_classes(trained.classes, classes, path)
    return trained


def require_classes(got: ClassList, expected: ClassList, where: object) -> None:
    """`ArtefactError` naming both lists unless they have the same names in the same order."""
    if got.names != expected.names:
        raise ArtefactError(
            "the model was trained for other classes",
            where=where,
            got=", ".join(got.names),
            expected=", ".join(expected.names),
            todo="train a model on these classes, or use data with the model's",
        )


def dump(content: dict[str, Any]) -> bytes:
    """Tensors and plain values as bytes that `read` opens."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def read(path: Path) -> dict[str, Any]:
    """Tensors and plain values from a file; no code in it is ever run."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(content, dict):
            raise TypeError(f"a mapping expected, {type(content).__name__} found")
    except Exception as error:  # torch raises whatever the damage made of the file
        todo = "train again, or copy the artefact again"
        raise ArtefactError.of(error, what="unreadable checkpoint", where=path, todo=todo) from error
    return content


def _trained(content: dict[str, Any]) -> Trained:
    classes = ClassList.of(content["classes"]["names"], content["classes"]["colours"])
    model = Segmenter(SegmenterSpec(**content["spec"]), classes)
    model.load_state_dict(content["weights"])
    model.temperature = float(content.get("temperature", 1.0))
    tall, wide = content["tile_hw"]
    return Trained(
        model=model.eval(),
        working=Working.of_numbers(content["size_hw"], content.get("longest"), content.get("part_hw")),
        tile_hw=(int(tall), int(wide)),
        step=int(content["step"]),
    )
