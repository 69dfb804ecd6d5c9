"""Which of several processes of one job this is, on how many machines: torchrun, SLURM and Lightning say so in the
environment.
"""

from __future__ import annotations

import os

NUMBERS = ("RANK", "SLURM_PROCID", "LOCAL_RANK")


def rank() -> int:
    """0 for the process that writes, or the only one; numbers from 1 for those beside it."""
    said = next((os.environ[name] for name in NUMBERS if name in os.environ), "0")
    return int(said) if said.isdigit() else 0


def nodes(devices: int) -> int:
    """How many machines the job runs on, with ``devices`` processes each."""
    if (said := os.environ.get("WORLD_SIZE", "")).isdigit():
        return max(int(said) // devices, 1)
    said = os.environ.get("SLURM_NNODES", "1")
    return int(said) if said.isdigit() else 1
