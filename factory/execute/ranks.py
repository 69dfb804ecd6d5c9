"""Which of several processes of one job this is, on how many machines: torchrun, SLURM and Lightning say so in the
environment.
"""

from __future__ import annotations

import os


def rank() -> int:
    """0 for the process that writes, or the only one; numbers from 1 for those beside it.

    A batch script of SLURM is its process 0, and so says it of every process that Lightning starts beside it: their own
    number comes first.
    """
    if "RANK" in os.environ:
        return _number("RANK")
    return _number("LOCAL_RANK") or _number("SLURM_PROCID")


def nodes(devices: int) -> int:
    """How many machines train together, with ``devices`` processes each; one device trains alone."""
    if devices < 2:
        return 1
    if started() > 1:
        return max(started() // devices, 1)
    return max(_number("SLURM_NNODES"), 1)


def started() -> int:
    """How many processes torchrun has started, on all machines; 1 without it."""
    return max(_number("WORLD_SIZE"), 1)


def _number(name: str) -> int:
    said = os.environ.get(name, "0")
    return int(said) if said.isdigit() else 0
