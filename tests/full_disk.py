"""A full disk, without one: files of this process end after so many bytes."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def cut_at(size: int) -> Iterator[None]:
    """Inside the block no file grows beyond ``size`` bytes; writing on is an `OSError`."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
