"""A stage's parameter whose fields are keys of the stage itself: `train.steps`, though the stage is given a `Recipe`.

Mark it ``recipe: Annotated[Recipe, FLAT]``; `factory.command.bind` gathers the keys and makes the part before anything
runs.
"""

from __future__ import annotations

import typing
from collections.abc import Callable
from typing import Any, Final

FLAT: Final = "flat"


def flat_parts(function: Callable[..., Any]) -> dict[str, type]:
    """The types of a function's parameters that are marked `FLAT`, by parameter."""
    hints = typing.get_type_hints(function, include_extras=True)
    return {name: typing.get_args(hint)[0] for name, hint in hints.items() if FLAT in typing.get_args(hint)[1:]}
