"""A segmenter as files that run without the factory: ONNX, and torch's exported program."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import onnx
import torch
from onnx_ir.passes.common import ClearMetadataAndDocStringPass
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram
from torch.fx.experimental import _config as tracing

from factory.core.errors import ConfigError, FactoryError
from factory.segment.checkpoint import Trained
from factory.segment.folding import folded
from factory.segment.models import Segmenter
from factory.segment.onnx_model import IMAGES, PROBABILITIES
from factory.segment.shipped import metadata

EXAMPLE = (2, 3)
Made = TypeVar("Made")
Made_co = TypeVar("Made_co", covariant=True)
Checked = TypeVar("Checked")
AXES = ("batch", None, "height", "width")


@dataclass(frozen=True, kw_only=True)
class Exported:
    """The files' bytes, equal for equal models; ``any_size``: height and width are free, else those of the tile."""

    onnx: bytes
    program: bytes
    any_size: bool


class Probabilities(nn.Module):
    """RGB in [0, 1], (N, 3, H, W), to class probabilities (N, K, H, W)."""

    def __init__(self, segmenter: nn.Module) -> None:
        super().__init__()
        self.segmenter = segmenter

    def forward(self, images: Tensor) -> Tensor:
        """The name of the argument is the input's name in the files."""
        probabilities_nkhw: Tensor = self.segmenter(images).softmax(dim=1)
        return probabilities_nkhw


class Maker(Protocol[Made_co]):
    """`export`, or `factory.segment.torchscript.trace`."""

    def __call__(self, trained: Trained, *, any_size: bool) -> Made_co:
        """The files of one model."""


def widest(make: Maker[Made], trained: Trained, check: Callable[[Made], Checked]) -> tuple[Made, Checked]:
    """For pictures of any size where the architecture allows, else for the training tile; and what ``check`` says.

    Some operations (pooling to a grid) pass the exporter but do not run at other sizes: only what ``check`` accepts,
    which raises a `FactoryError` otherwise, is taken.
    """
    try:
        made = make(trained, any_size=True)
        return made, check(made)
    except FactoryError:
        made = make(trained, any_size=False)
        return made, check(made)


def export(trained: Trained, *, any_size: bool) -> Exported:
    """Both files with a free batch size; `ConfigError` where the architecture cannot be exported like this.

    ``backed_size_oblivious`` keeps tracing from concluding anything from the example's size, such as that there is
    something to pad: the exported program would refuse every picture of which that is not true.
    """
    height, width = (side + any_size for side in trained.tile_hw)  # no multiple of the stride: padding is traced too
    images_nchw = torch.zeros(*EXAMPLE, height, width)
    free = {0: Dim.DYNAMIC} | ({2: Dim.DYNAMIC, 3: Dim.DYNAMIC} if any_size else {})
    model = Probabilities(_short(trained.model))
    try:
        with tracing.patch(backed_size_oblivious=any_size):  # type: ignore[attr-defined]  # made at import
            program = torch.export.export(model, (images_nchw,), dynamic_shapes={IMAGES: free})
            graph = _onnx(program, trained, any_size=any_size)
    except Exception as error:  # torch and onnxscript raise whatever the operation at fault raised
        raise ConfigError.of(
            error,
            what="this architecture cannot be exported" + (" for pictures of any size" if any_size else ""),
            where=f"{trained.model.spec.architecture} on {trained.model.spec.encoder}",
            todo="use the checkpoint, or train another architecture",
        ) from error
    return Exported(onnx=graph, program=_program(program, trained, any_size=any_size), any_size=any_size)


def _short(model: Segmenter) -> Segmenter:
    """A copy that is traced in half the time: `folded`, and nothing done in place, which would be traced twice."""
    short = folded(model).cpu()
    for module in short.modules():
        if isinstance(getattr(module, "inplace", None), bool):
            module.inplace = False  # type: ignore[assignment]  # nn.Module knows no attributes but tensors
    return short


def _onnx(program: ExportedProgram, trained: Trained, *, any_size: bool) -> bytes:
    made = torch.onnx.export(
        program,
        (),
        dynamo=True,
        input_names=[IMAGES],
        output_names=[PROBABILITIES],
        external_data=False,
        verbose=False,
    )
    assert made is not None
    ClearMetadataAndDocStringPass()(made.model)  # they name files of this machine
    graph = made.model_proto
    _name_axes(graph)
    onnx.helper.set_model_props(graph, metadata(trained, any_size=any_size))
    onnx.checker.check_model(graph)
    return bytes(graph.SerializeToString(deterministic=True))


def _name_axes(graph: Any) -> None:
    """Call the free axes by name instead of by torch's symbols, wherever they stand."""
    axes = graph.graph.input[0].type.tensor_type.shape.dim
    names = {axis.dim_param: name for axis, name in zip(axes, AXES, strict=True) if axis.dim_param and name}
    for value in (*graph.graph.input, *graph.graph.output, *graph.graph.value_info):
        for axis in value.type.tensor_type.shape.dim:
            if axis.dim_param:
                axis.dim_param = re.sub(r"\bs\d+\b", lambda found: names.get(found[0], found[0]), axis.dim_param)


def _program(program: ExportedProgram, trained: Trained, *, any_size: bool) -> bytes:
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)
    buffer = io.BytesIO()
    said = json.dumps(metadata(trained, any_size=any_size), sort_keys=True)
    torch.export.save(program, buffer, extra_files={"metadata.json": said})
    return buffer.getvalue()
