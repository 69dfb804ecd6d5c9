"""How many threads a numerical library may start."""

from __future__ import annotations

import os


def threads() -> int:
    """As many as OMP_NUM_THREADS says, else one a core that this process may use."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return int(asked) if asked.isdigit() and int(asked) else len(os.sched_getaffinity(0))
