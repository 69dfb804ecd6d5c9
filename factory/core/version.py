"""Which code made an artefact: the package version and a digest of the source files that can shape an artefact."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
from pathlib import Path

DISTRIBUTION = "label-factory"
SUFFIXES = (".py", ".html", ".css", ".js")
LIBRARIES = (
    "numpy",
    "scipy",
    "pillow",
    "scikit-image",
    "torch",
    "segmentation-models-pytorch",
    "onnx",
    "onnxruntime",
    "onnxscript",
    "kornia",
    "pydensecrf2",
    "blenderproc",
    "bpy",
)


@functools.cache
def code_version() -> str:
    """Version plus ten hex digits over every source file of factory, adapt and scenes."""
    top = Path(__file__).resolve().parents[2]
    folders = [top / name for name in ("factory", "adapt", "scenes")]
    files = sorted(path for folder in folders for path in folder.rglob("*") if path.suffix in SUFFIXES)
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.relative_to(top).as_posix()}\n".encode() + path.read_bytes())
    return f"{_installed(DISTRIBUTION) or '0'}+{digest.hexdigest()[:10]}"


@functools.cache
def library_versions() -> dict[str, str]:
    """Versions of the installed libraries that decide pixels."""
    return {name: version for name in LIBRARIES if (version := _installed(name))}


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
