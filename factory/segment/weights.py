"""Weights to start from: an encoder's, whoever saved it, or a whole model of ours to go on from. No code is run."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from factory.core.artefact import HEADER, Model
from factory.core.errors import InputError
from factory.segment.normalisation import NORMALISATIONS, resolved

SAFE, PICKLED = (".safetensors",), (".pth", ".pt", ".bin", ".ckpt")
ENVELOPES = ("state_dict", "model_state_dict", "model", "weights")
"""Where training scripts keep the tensors in a file that holds more."""

WRAPPERS = frozenset({"module", "model", "network", "net", "encoder", "backbone", "trunk", "features"})
"""First words of tensor names that only say what the encoder was part of."""

PLACES = {
    "encoder": "network.encoder.",
    "decoder": "network.decoder.",
    "head": "network.segmentation_head.",
    "edge_head": "edge_head.",
}
"""Where a checkpoint of ours keeps the tensors of each part."""

Tensors = Mapping[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What a checkpoint of ours says of itself; ``normalisation`` is a name in `NORMALISATIONS`."""

    encoder: str
    normalisation: str
    class_names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Start:
    """The tensors of a file, and their origin where it is a checkpoint of ours."""

    path: Path
    tensors: Tensors
    origin: Origin | None = None


def read(given: Path) -> Start:
    """Open a weights file, or a model artefact's best checkpoint.

    `InputError` where it is of another kind, damaged, or holds no tensors; `ArtefactError` for another artefact.
    """
    path = file_in(given)
    if path.suffix.lower() not in (*SAFE, *PICKLED):
        raise InputError(
            "weights of an unknown kind", where=path, got=path.suffix or "no suffix", expected=", ".join(SAFE + PICKLED)
        )
    try:
        content = load_file(path) if path.suffix.lower() in SAFE else _unpickled(path)
        return _start(path, content)
    except Exception as error:  # safetensors and the unpickler raise types of many kinds for damaged files
        if isinstance(error, InputError):
            raise
        todo = "copy or download the file again"
        raise InputError.of(error, what="unreadable weights file", where=path, todo=todo) from error


def file_in(given: Path) -> Path:
    """The file that is meant: ``given`` itself, or the best checkpoint where it is a model artefact."""
    if not given.is_dir():
        return given
    if not (given / HEADER).is_file():
        expected = "a file, or what factory train wrote"
        raise InputError("no weights in this folder", where=given, expected=expected, todo="give a file in it")
    return Model.open(given).path("best.ckpt")


def fill(parts: Mapping[str, nn.Module], start: Start, *, encoder: str, class_names: Sequence[str]) -> list[str]:
    """Put a start's weights into a segmenter's parts; what starts at random although a checkpoint is there, in words.

    `InputError` where they do not fit the encoder, named ``encoder``.
    """
    fill_encoder(parts["encoder"], start, encoder=encoder)
    if start.origin is None:
        return []
    if not _fill_if_fitting(parts["decoder"], _part(start.tensors, "decoder")):
        return ["the checkpoint has another decoder: decoder and head start at random, the encoder from the checkpoint"]
    notes = []
    if start.origin.class_names != tuple(class_names):
        theirs = ", ".join(start.origin.class_names)
        notes.append(f"the checkpoint was trained for other classes ({theirs}): the head starts at random")
    elif not _fill_if_fitting(parts["head"], _part(start.tensors, "head")):
        notes.append("the checkpoint has another head: it starts at random")
    if "edge_head" in parts and not _fill_if_fitting(parts["edge_head"], _part(start.tensors, "edge_head")):
        notes.append("the checkpoint has no such edge head: it starts at random")
    return notes


def fill_encoder(part: nn.Module, start: Start, *, encoder: str) -> None:
    """Put a start's weights into an encoder alone; `InputError` where they do not fit the one named ``encoder``."""
    ours = start.origin is not None
    found = _part(start.tensors, "encoder") if ours else _aligned(part.state_dict(), start.tensors)
    _fill_encoder(part, found, start.path, encoder)


def _unpickled(path: Path) -> Any:
    with warnings.catch_warnings():  # a protocol that works needs no word, and one that does not raises
        warnings.filterwarnings("ignore", message="Detected pickle protocol")
        return torch.load(path, map_location="cpu", weights_only=True)


def _start(path: Path, content: Any) -> Start:
    origin = None
    if isinstance(content, dict) and {"format", "spec", "classes", "weights"} <= content.keys():
        origin = _origin(content)
    tensors = {key: value for key, value in _opened(content).items() if isinstance(key, str) and _plain_tensor(value)}
    if not tensors:
        raise InputError("no tensors in the weights file", where=path, todo="give a file of weights by name")
    if wild := [key for key, value in tensors.items() if not torch.isfinite(value).all()]:
        raise InputError(
            "the weights file holds values that are no numbers",
            where=path,
            got=f"infinity or NaN in {', '.join(wild[:2])}",
            todo="copy or download the file again",
        )
    return Start(path=path, tensors=tensors, origin=origin)


def _origin(content: dict[str, Any]) -> Origin:
    spec = content["spec"]
    normalisation = resolved(spec["normalisation"], spec["encoder_weights"])
    if normalisation not in NORMALISATIONS:
        raise ValueError(f"unknown normalisation {normalisation!r}")
    names = tuple(str(name) for name in content["classes"]["names"])
    return Origin(encoder=str(spec["encoder"]), normalisation=normalisation, class_names=names)


def _opened(content: Any) -> dict[Any, Any]:
    """The mapping inside at most two envelopes; an empty one where there is none."""
    for _ in range(2):
        if isinstance(content, dict):
            content = next((content[key] for key in ENVELOPES if isinstance(content.get(key), dict)), content)
    return content if isinstance(content, dict) else {}


def _plain_tensor(value: Any) -> bool:
    return isinstance(value, Tensor) and value.layout == torch.strided and not value.is_quantized


def _part(tensors: Tensors, part: str) -> dict[str, Tensor]:
    place = PLACES[part]
    return {key.removeprefix(place): value for key, value in tensors.items() if key.startswith(place)}


def _fill_encoder(part: nn.Module, found: Tensors, path: Path, encoder: str) -> None:
    wanted = part.state_dict()
    missing = sorted(key for key in wanted.keys() - found.keys() if not _counter(key))
    misfits = sorted(key for key in wanted.keys() & found.keys() if not _alike(wanted[key], found[key]))
    if missing or misfits:
        raise InputError(
            "the weights file does not fit the encoder",
            where=path,
            got=f"{len(missing)} tensors missing, {len(misfits)} misshapen: {', '.join((missing + misfits)[:2])}",
            expected=f"the {len(wanted)} tensors of {encoder}",
            todo="give the weights of this encoder, or choose the encoder they belong to with model.encoder=…",
        )
    part.load_state_dict({key: found.get(key, value) for key, value in wanted.items()})


def _fill_if_fitting(part: nn.Module, found: Tensors) -> bool:
    wanted = part.state_dict()
    fits = wanted.keys() == found.keys() and all(_alike(wanted[key], found[key]) for key in wanted)
    if fits:
        part.load_state_dict(dict(found))
    return fits


def _aligned(wanted: Tensors, tensors: Tensors) -> dict[str, Tensor]:
    """The file's tensors under the encoder's names.

    Leading `WRAPPERS` are exchanged so that most names and shapes agree. Names are compared with dots for underscores:
    timm's ``stages.0`` is ``stages_0`` in an encoder made of it.
    """
    theirs = {_dotted(key): value for key, value in tensors.items()}
    ours = {key: _dotted(key) for key in wanted}
    found = [_under(ours, theirs, mine, other) for mine in _beginnings(ours.values()) for other in _beginnings(theirs)]
    return max(found, key=lambda some: sum(_alike(wanted[key], value) for key, value in some.items()))


def _under(ours: Mapping[str, str], theirs: Tensors, mine: str, other: str) -> dict[str, Tensor]:
    names = {key: other + name.removeprefix(mine) for key, name in ours.items() if name.startswith(mine)}
    return {key: theirs[name] for key, name in names.items() if name in theirs}


def _beginnings(names: Iterable[str]) -> list[str]:
    """Every run of wrapper words that some name begins with, the empty one first."""
    found = {""}
    for name in names:
        beginning = ""
        for word in name.split("."):
            if word not in WRAPPERS:
                break
            beginning += f"{word}."
            found.add(beginning)
    return sorted(found)


def _dotted(key: str) -> str:
    return key.removeprefix("_orig_mod.").replace("_", ".")


def _alike(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and one.is_floating_point() == other.is_floating_point()


def _counter(key: str) -> bool:
    """Batch normalisation's count of batches, which files from before it was kept do not have."""
    return key.endswith("num_batches_tracked")
