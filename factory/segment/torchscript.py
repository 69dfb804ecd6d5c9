"""A segmenter as TorchScript, for libtorch: traced, frozen, and made the same file of equal models everywhere.

torch 2.14 calls torch.jit deprecated in favour of torch.export; programs in C++ still load it.
"""

from __future__ import annotations

import io
import json
import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.jit import TracerWarning  # type: ignore[attr-defined]
from torch.nn import functional

from factory.core.errors import ArtefactError, ConfigError
from factory.segment.architectures import ARCHITECTURES
from factory.segment.checkpoint import Trained
from factory.segment.models import best_device
from factory.segment.shipped import Shipped, described, metadata

EXAMPLE = (2, 3)
METADATA = "metadata.json"
DEPRECATED = r"`torch\.jit\.(trace|trace_method|script|freeze|save|load)` is deprecated"

SAME_FOR_EVERY_SIZE = (
    "factory.segment.models",  # the least width, which `_padded` sees to before
    "torch.nn.functional",  # group normalisation's refusal of maps of one value
    "segmentation_models_pytorch.decoders.linknet.decoder",  # a number of channels
    "segmentation_models_pytorch.decoders.segformer.decoder",  # a number of channels
)
"""Modules whose decisions tracing may keep as it met them."""

MANGLED = re.compile(rb"[./]___torch_mangle_\d+")
PLACES = (".debug_pkl", "/serialization_id")
"""Ends of the names of records that hold places of this machine, and a number made of them."""


@dataclass(frozen=True, kw_only=True)
class TorchScript:
    """The file's bytes, equal for equal models; ``any_size``: height and width are free, else those of the tile."""

    content: bytes
    any_size: bool


class Scripted(nn.Module):
    """RGB in [0, 1], (N, 3, H, W), to class probabilities (N, K, H, W); padded by a function that is not traced."""

    def __init__(self, trained: Trained) -> None:
        super().__init__()
        self.segmenter = trained.model.cpu().eval()
        self.padded = torch.jit.script(_padded)
        spec = trained.model.spec
        self.stride, self.least = spec.stride, ARCHITECTURES[spec.architecture].least

    def forward(self, images: Tensor) -> Tensor:
        """The name of the argument is the input's name in the file."""
        height, width = images.shape[-2:]
        logits_nkhw: Tensor = self.segmenter(self.padded(images, self.stride, self.least))
        return logits_nkhw.softmax(dim=1)[..., :height, :width]


def _padded(images: Tensor, stride: int, least: int) -> Tensor:
    """To the size that the network sees, as `SegmenterSpec.padded` has it, in the words that TorchScript knows."""
    height, width = images.shape[-2], images.shape[-1]
    wide = max(width, least)
    wide, tall = wide + -wide % stride, height + -height % stride
    return functional.pad(images, [0, wide - width, 0, tall - height], mode="replicate")


def trace(trained: Trained, *, any_size: bool) -> TorchScript:
    """The file, with a free batch size; `ConfigError` where the architecture cannot be traced like this.

    Tracing keeps every decision that depends on the example. For any size, one that may differ with the size is an
    error; for the tile alone all are right. Whether the file says what the model says is `factory.segment.parity`'s.
    """
    height, width = (side + any_size for side in trained.tile_hw)  # no multiple of the stride
    buffer = io.BytesIO()
    said = json.dumps(metadata(trained, any_size=any_size), sort_keys=True)
    try:
        with _warned(any_size=any_size):
            example_nchw = torch.zeros(*EXAMPLE, height, width)
            traced = torch.jit.trace(  # type: ignore[no-untyped-call]
                Scripted(trained).eval(), (example_nchw,), check_trace=False
            )
            torch.jit.save(torch.jit.freeze(traced), buffer, _extra_files={METADATA: said})
    except Exception as error:  # torch raises whatever the operation at fault raised
        raise ConfigError.of(
            error,
            what="this architecture cannot be traced" + (" for pictures of any size" if any_size else ""),
            where=f"{trained.model.spec.architecture} on {trained.model.spec.encoder}",
            todo="use ONNX or the checkpoint, or train another architecture",
        ) from error
    return TorchScript(content=_plain(buffer), any_size=any_size)


def load(path: Path) -> Shipped:
    """Open a TorchScript file that `factory export` wrote, where the model would run; `ArtefactError` for any other."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ArtefactError.of(error, what="unreadable TorchScript file", where=path, todo="check the path") from error
    return open_script(content, path)


def open_script(content: bytes, where: object) -> Shipped:
    """Open the content of such a file."""
    said, device = {METADATA: ""}, best_device()
    try:
        with _warned(any_size=True):
            script = torch.jit.load(  # type: ignore[no-untyped-call]
                io.BytesIO(content), map_location=device, _extra_files=said
            )
    except Exception as error:  # torch raises RuntimeError and more, as the fault may be
        what, todo = "unreadable TorchScript file", "export the model again"
        raise ArtefactError.of(error, what=what, where=where, todo=todo) from error

    def run(images_nchw: Tensor) -> Tensor:
        found_nkhw: Tensor = script(images_nchw.to(device))
        return found_nkhw

    return described(_parsed(said[METADATA]), run, runtime="TorchScript", where=where)


def _parsed(text: str | bytes) -> dict[str, str]:
    """What stands in the file; nothing where that is no JSON object."""
    try:
        said = json.loads(text)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


@contextmanager
def _warned(*, any_size: bool) -> Iterator[None]:
    """Without torch's notice that torch.jit is deprecated; with a doubt of the tracer's being an error, see `trace`."""
    with warnings.catch_warnings():
        warnings.simplefilter("error" if any_size else "ignore", TracerWarning)
        for module in SAME_FOR_EVERY_SIZE:
            warnings.filterwarnings("ignore", category=TracerWarning, module=f"{re.escape(module)}$")
        warnings.filterwarnings("ignore", DEPRECATED, FutureWarning)
        yield


def _plain(saved: io.BytesIO) -> bytes:
    """The same archive without places of this machine and without the counters that torch puts in names."""
    plain = io.BytesIO()
    with zipfile.ZipFile(saved) as given, zipfile.ZipFile(plain, "w") as made:
        for record in given.infolist():
            if record.filename.endswith(PLACES):
                continue
            content = given.read(record)
            if record.filename.endswith((".py", "/data.pkl")):
                content = MANGLED.sub(b"", content)
            name = MANGLED.sub(b"", record.filename.encode()).decode()
            made.writestr(zipfile.ZipInfo(name), content)
    return plain.getvalue()
