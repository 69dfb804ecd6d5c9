"""A segmenter from a file that runs without the factory; what prediction needs to know travels in the file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.nn import functional

from factory.core.classes import ClassList
from factory.core.errors import ArtefactError, ConfigError, FactoryError, MachineError
from factory.segment.checkpoint import Trained
from factory.segment.data import Size
from factory.segment.working import Working

FORMAT = 1
SMALLER = "take fewer or smaller tiles (batch=1, tile=[height,width]), or the checkpoint"


@dataclass(frozen=True, kw_only=True)
class Shipped:
    """A tile function (see `factory.segment.predict.TileFunction`) with classes and geometry, as `Trained` has them.

    ``run`` is the file's own function, ``runtime`` what runs it, for messages. ``any_size``: tiles may have any size;
    else they have ``tile_hw`` at most and are padded to it.
    """

    run: Callable[[Tensor], Tensor]
    runtime: str
    classes: ClassList
    working: Working
    tile_hw: Size
    any_size: bool

    def __call__(self, images_nchw: Tensor) -> Tensor:
        """Class probabilities (N, K, h, w) of RGB in [0, 1]; on the device of the images."""
        height, width = images_nchw.shape[-2:]
        below, right = (0, 0) if self.any_size else (self.tile_hw[0] - height, self.tile_hw[1] - width)
        if min(below, right) < 0:
            raise ConfigError(
                "this file takes tiles of one size",
                got=f"{height} x {width}",
                expected=f"{self.tile_hw[0]} x {self.tile_hw[1]} at most (height x width)",
                todo="leave tile=null and tta.scales=[1.0], or use the checkpoint",
            )
        padded_nchw = functional.pad(images_nchw, (0, right, 0, below), mode="replicate")
        try:
            found_nkhw = self.run(padded_nchw)
        except Exception as error:  # runtimes raise types of their own, one of ONNX Runtime's a status code
            where = f"{len(images_nchw)} tiles of {height} x {width} (height x width)"
            raise MachineError.of(error, what=f"{self.runtime} cannot run this", where=where, todo=SMALLER) from error
        return found_nkhw[..., :height, :width].to(images_nchw.device)


def metadata(trained: Trained, *, any_size: bool) -> dict[str, str]:
    """All that `described` needs, as the text that files hold beside the network."""
    content: dict[str, Any] = {
        "format": FORMAT,
        "input": "float32 RGB in [0, 1], (N, 3, height, width); normalisation is inside",
        "output": "float32 class probabilities, (N, classes, height, width)",
        "class_names": trained.classes.names,
        "class_colours": trained.classes.colours,
        "size_hw": trained.working.size_hw,
        "longest": trained.working.longest,
        "part_hw": trained.working.part_hw,
        "tile_hw": trained.tile_hw,
        "stride": trained.model.spec.stride,
        "any_size": any_size,
        "architecture": trained.model.spec.architecture,
        "encoder": trained.model.spec.encoder,
    }
    return {key: json.dumps(value) for key, value in content.items()}


def described(said: Mapping[str, str], run: Callable[[Tensor], Tensor], *, runtime: str, where: object) -> Shipped:
    """A file's function with what its `metadata` says; `ArtefactError` where that is not ours."""
    keys = ("format", "class_names", "class_colours", "size_hw", "tile_hw", "any_size")
    try:
        version, names, colours, size, tile, any_size = (json.loads(said[key]) for key in keys)
        longest, part = (json.loads(said.get(key, "null")) for key in ("longest", "part_hw"))
        if version != FORMAT:
            raise ArtefactError("unknown format", got=version, expected=FORMAT)
        return Shipped(
            run=run,
            runtime=runtime,
            classes=ClassList.of(names, colours),
            working=Working.of_numbers(size, longest, part),
            tile_hw=(int(tile[0]), int(tile[1])),
            any_size=bool(any_size),
        )
    except (KeyError, TypeError, ValueError, FactoryError) as error:
        what, todo = "this file is not one that factory export wrote", "export a model with factory export"
        raise ArtefactError.of(error, what=what, where=where, todo=todo) from error
