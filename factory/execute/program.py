"""Programs of this project in processes of their own: found where this one was, whatever the user's folder holds."""

from __future__ import annotations

import os
import sys
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]
"""The folder of the packages `factory` and `scenes`."""


def command(module: str, *words: str) -> list[str]:
    """Words that start a module; by itself ``python -m`` looks into the current folder first."""
    return [sys.executable, "-P", "-m", module, *words]


def environment() -> dict[str, str]:
    """This process's environment, in which this project's packages come first."""
    path = [str(HOME), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(path)}
