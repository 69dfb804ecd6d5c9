"""What an allocator says when it gives up."""

from __future__ import annotations

NO_MEMORY = ("not enough memory", "can't allocate memory", "out of memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the allocator of a GPU or of the machine gave up: torch's own for the machine raises `RuntimeError`."""
    return isinstance(error, MemoryError) or any(words in str(error).lower() for words in NO_MEMORY)
