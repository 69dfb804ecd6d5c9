"""Tests that render are skipped, visibly, where Blender's Python module cannot be loaded; threads wait asleep."""

import os

import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as the command does, and like it before torch is imported

from factory.core.errors import MachineError
from factory.render import environment


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests marked ``blender`` with the reason the factory itself would give."""
    try:
        environment.check()
    except MachineError as error:
        for item in items:
            if item.get_closest_marker("blender"):
                item.add_marker(pytest.mark.skip(reason=error.one_line()))
