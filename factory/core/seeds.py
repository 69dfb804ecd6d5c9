"""Random streams keyed by what they are for, so that neither order nor worker count can shift them."""

from __future__ import annotations

import hashlib

import numpy as np


def derive(seed: int, *keys: str | int) -> int:
    """A 63-bit seed for the purpose named by ``keys``: a pure function of its arguments."""
    text = "/".join([str(int(seed)), *(f"{type(key).__name__[0]}:{key}" for key in keys)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *keys: str | int) -> np.random.Generator:
    """The stream for ``(seed, sample id, component, …)``; streams with other keys are independent of it."""
    return np.random.Generator(np.random.Philox(derive(seed, *keys)))
