"""Tests that render are skipped, visibly, where Blender's Python module cannot be loaded; threads wait asleep."""

import gc
import os

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as the command does, and like it before torch is imported

from factory.core.errors import MachineError
from factory.render import environment

LONGEST = ("test_flow.py", "test_loop.py")
"""Their tests share what takes long to make: begun first, they stay with one of the processes that share the tests."""


settings.register_profile("busy", parent=settings.default, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")  # on a machine that others use too, drawing an example may take a second


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first; tests marked ``blender`` are skipped with the reason the factory itself would give."""
    items.sort(key=lambda item: item.path.name not in LONGEST)
    try:
        environment.check()
    except MachineError as error:
        for item in items:
            if item.get_closest_marker("blender"):
                item.add_marker(pytest.mark.skip(reason=error.one_line()))


def pytest_collection_finish() -> None:
    """What is loaded by now stays: it need not be looked through for garbage."""
    gc.collect()
    gc.freeze()
