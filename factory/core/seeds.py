"""Random streams keyed by what they are for, so that neither order nor worker count can shift them."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import quote

import numpy as np


def derive(seed: int, *keys: str | int) -> int:
    """A 63-bit seed for the purpose named by ``keys``: a pure function of its arguments."""
    text = "/".join([str(int(seed)), *(_told(key) for key in keys)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def _told(key: str | int) -> str:
    """A key with its kind; one that could be read as two is quoted."""
    if isinstance(key, str) and re.search(r"/[a-z]:", key):
        return f"q:{quote(key, safe='')}"
    return f"{type(key).__name__[0]}:{key}"


def generator(seed: int, *keys: str | int) -> np.random.Generator:
    """The stream for ``(seed, sample id, component, …)``; streams with other keys are independent of it."""
    return np.random.Generator(np.random.Philox(derive(seed, *keys)))
