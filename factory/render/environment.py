"""Whether this machine can run Blender as a Python module, and what to do if not. Checked before anything starts."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys

from factory.core.errors import MachineError

PYTHON = (3, 11)
VISIBLE = "CUDA_VISIBLE_DEVICES"
MODULES = ("bpy", "blenderproc")
SYSTEM_LIBRARIES = {
    "libX11.so.6": "libx11-6",
    "libXrender.so.1": "libxrender1",
    "libXxf86vm.so.1": "libxxf86vm1",
    "libXfixes.so.3": "libxfixes3",
    "libXi.so.6": "libxi6",
    "libXext.so.6": "libxext6",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libSM.so.6": "libsm6",
    "libICE.so.6": "libice6",
    "libGL.so.1": "libgl1",
    "libgomp.so.1": "libgomp1",
}
"""Shared libraries that the Linux build of bpy 4.2 links to but does not bring, and their Debian packages."""


def check() -> None:
    """Raise `MachineError` where Blender cannot be loaded."""
    if sys.version_info[:2] != PYTHON:
        raise MachineError(
            "rendering needs another Python",
            got=f"Python {sys.version_info.major}.{sys.version_info.minor}",
            expected="Python 3.11, the only one that bpy 4.2 is built for",
            todo="make the environment with Python 3.11, or start from a data set rendered elsewhere",
        )
    if absent := [name for name in MODULES if importlib.util.find_spec(name) is None]:
        todo = "install the project again in this environment: pip install ."
        raise MachineError("Blender's Python modules are missing", got=f"no {', '.join(absent)}", todo=todo)
    if sys.platform == "linux" and (packages := missing_packages(SYSTEM_LIBRARIES)):
        raise MachineError(
            "system libraries that Blender links to are missing",
            got=f"none of {', '.join(name for name in SYSTEM_LIBRARIES if SYSTEM_LIBRARIES[name] in packages)}",
            todo=f"apt-get install --yes {' '.join(packages)}",
        )


def places(device: str, workers: int) -> list[dict[str, str]]:
    """Environment variables of each rendering process: one process a GPU, or ``workers`` on the CPU.

    Of several GPUs only those are taken that ``CUDA_VISIBLE_DEVICES`` leaves this process, by the names it has there.
    `MachineError` where ``device`` is gpu and there is none; auto then takes the CPU.
    """
    import torch  # not above: prerequisites are checked before anything is installed

    gpus = torch.cuda.device_count() if device != "cpu" else 0
    given = [name.strip() for name in os.environ.get(VISIBLE, "").split(",")]
    if device == "gpu" and not gpus:
        todo = "leave device=cpu, or device=auto for a GPU where there is one"
        raise MachineError("no GPU to render on", where="device", got="gpu", expected="a CUDA device", todo=todo)
    names = given if len(given) >= gpus and given[0] else [str(gpu) for gpu in range(gpus)]
    return [{VISIBLE: name} for name in names[:gpus]] or [{}] * workers


def missing_packages(libraries: dict[str, str]) -> list[str]:
    """Packages of the libraries that the dynamic linker does not find."""
    return [package for library, package in libraries.items() if not _loads(library)]


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
