"""An exported segmenter run by ONNX Runtime; what prediction needs to know travels in the file's metadata."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnxruntime
import torch
from torch import Tensor
from torch.nn import functional

from factory.core.classes import ClassList
from factory.core.errors import ArtefactError, ConfigError, FactoryError, MachineError
from factory.execute.threads import threads
from factory.segment.checkpoint import Trained
from factory.segment.data import Size

FORMAT = 1
PROVIDERS = ("CUDAExecutionProvider", "CPUExecutionProvider")
"""What runs the graph, in order of preference; the first is there only in ONNX Runtime's GPU build."""

IMAGES, PROBABILITIES = "images", "probabilities"
SMALLER = "take fewer or smaller tiles (batch=1, tile=[height,width]), or the checkpoint"
SILENT = 4
"""ONNX Runtime's log level at which nothing is printed: what fails is raised as well."""

UNREADABLE = "unreadable ONNX file"


@dataclass(frozen=True, kw_only=True)
class OnnxModel:
    """A tile function (see `factory.segment.predict.TileFunction`) with classes and geometry, as `Trained` has them.

    ``any_size``: tiles may have any size; else they have ``tile_hw`` at most and are padded to it.
    """

    session: onnxruntime.InferenceSession
    classes: ClassList
    size_hw: Size | None
    tile_hw: Size
    any_size: bool

    def __call__(self, images_nchw: Tensor) -> Tensor:
        """Class probabilities (N, K, h, w) of RGB in [0, 1]; on the device of the images."""
        height, width = images_nchw.shape[-2:]
        below, right = (0, 0) if self.any_size else (self.tile_hw[0] - height, self.tile_hw[1] - width)
        if min(below, right) < 0:
            raise ConfigError(
                "this ONNX file takes tiles of one size",
                got=f"{height} x {width}",
                expected=f"{self.tile_hw[0]} x {self.tile_hw[1]} at most (height x width)",
                todo="leave tile=null and tta.scales=[1.0], or use the checkpoint",
            )
        padded_nchw = functional.pad(images_nchw, (0, right, 0, below), mode="replicate")
        try:
            (found_nkhw,) = self.session.run([PROBABILITIES], {IMAGES: padded_nchw.cpu().numpy()})
        except Exception as error:  # ONNX Runtime raises types of its own, one a status code
            where = f"{len(images_nchw)} tiles of {height} x {width} (height x width)"
            raise MachineError.of(error, what="ONNX Runtime cannot run this", where=where, todo=SMALLER) from error
        return torch.from_numpy(found_nkhw[..., :height, :width]).to(images_nchw.device)


def metadata(trained: Trained, *, any_size: bool) -> dict[str, str]:
    """All that `load` needs, as the text ONNX metadata holds."""
    content: dict[str, Any] = {
        "format": FORMAT,
        "input": "float32 RGB in [0, 1], (N, 3, height, width); normalisation is inside",
        "output": "float32 class probabilities, (N, classes, height, width)",
        "class_names": trained.classes.names,
        "class_colours": trained.classes.colours,
        "size_hw": trained.size_hw,
        "tile_hw": trained.tile_hw,
        "stride": trained.model.spec.stride,
        "any_size": any_size,
        "architecture": trained.model.spec.architecture,
        "encoder": trained.model.spec.encoder,
    }
    return {key: json.dumps(value) for key, value in content.items()}


def load(path: Path) -> OnnxModel:
    """Open an ONNX file that `factory export` wrote; `ArtefactError` for any other."""
    try:
        graph = path.read_bytes()
    except OSError as error:
        raise ArtefactError.of(error, what=UNREADABLE, where=path, todo="check the path") from error
    return open_graph(graph, path)


def open_graph(graph: bytes, where: object) -> OnnxModel:
    """Open the content of such a file."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads(), SILENT
    chosen = [name for name in PROVIDERS if name in onnxruntime.get_available_providers()]
    try:
        session = onnxruntime.InferenceSession(graph, options, providers=chosen)
    except Exception as error:  # ONNX Runtime raises types of its own, one a status code
        raise ArtefactError.of(error, what=UNREADABLE, where=where, todo="export the model again") from error
    try:
        return _described(session)
    except (KeyError, TypeError, ValueError, FactoryError) as error:
        todo = "export a model with factory export"
        raise ArtefactError.of(error, what="not an ONNX file of this factory", where=where, todo=todo) from error


def _described(session: onnxruntime.InferenceSession) -> OnnxModel:
    said = session.get_modelmeta().custom_metadata_map
    version, names, colours, size, tile, any_size = (
        json.loads(said[key]) for key in ("format", "class_names", "class_colours", "size_hw", "tile_hw", "any_size")
    )
    if version != FORMAT:
        raise ArtefactError("unknown format", got=version, expected=FORMAT)
    return OnnxModel(
        session=session,
        classes=ClassList.of(names, colours),
        size_hw=(int(size[0]), int(size[1])) if size else None,
        tile_hw=(int(tile[0]), int(tile[1])),
        any_size=bool(any_size),
    )
