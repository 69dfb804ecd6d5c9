"""Numbers of things in sentences for people."""

from __future__ import annotations


def many(count: int, thing: str) -> str:
    """So many of a thing whose plural ends in s: `1 picture`, `0 pictures`, `1,200 pictures`."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
