"""An exported segmenter run by ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import onnxruntime
import torch
from torch import Tensor

from factory.core.errors import ArtefactError
from factory.execute.threads import threads
from factory.segment.shipped import Shipped, described

PROVIDERS = ("CUDAExecutionProvider", "CPUExecutionProvider")
"""What runs the graph, in order of preference; the first is there only in ONNX Runtime's GPU build."""

IMAGES, PROBABILITIES = "images", "probabilities"
SILENT = 4
"""ONNX Runtime's log level at which nothing is printed: what fails is raised as well."""

UNREADABLE = "unreadable ONNX file"


def load(path: Path) -> Shipped:
    """Open an ONNX file that `factory export` wrote; `ArtefactError` for any other."""
    try:
        graph = path.read_bytes()
    except OSError as error:
        raise ArtefactError.of(error, what=UNREADABLE, where=path, todo="check the path") from error
    return open_graph(graph, path)


def open_graph(graph: bytes, where: object) -> Shipped:
    """Open the content of such a file."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads(), SILENT
    chosen = [name for name in PROVIDERS if name in onnxruntime.get_available_providers()]
    try:
        session = onnxruntime.InferenceSession(graph, options, providers=chosen)
    except Exception as error:  # ONNX Runtime raises types of its own, one a status code
        raise ArtefactError.of(error, what=UNREADABLE, where=where, todo="export the model again") from error

    def run(images_nchw: Tensor) -> Tensor:
        (found_nkhw,) = session.run([PROBABILITIES], {IMAGES: images_nchw.cpu().numpy()})
        return torch.from_numpy(found_nkhw)

    said = session.get_modelmeta().custom_metadata_map
    return described(said, run, runtime="ONNX Runtime", where=where)
