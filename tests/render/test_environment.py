"""A machine that cannot load Blender is told what it lacks."""

import pytest

from factory.core.errors import MachineError
from factory.render import environment


def test_a_missing_system_library_ends_in_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message holds the exact apt-get command."""
    monkeypatch.setattr(environment, "PYTHON", environment.sys.version_info[:2])
    monkeypatch.setattr(environment, "MODULES", ())
    monkeypatch.setattr(environment, "SYSTEM_LIBRARIES", {"libm.so.6": "libc6", "libAbsent.so.9": "libabsent9"})
    with pytest.raises(MachineError, match=r"apt-get install --yes libabsent9$"):
        environment.check()


def test_another_python_is_told_which_one_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """bpy exists for one version only."""
    monkeypatch.setattr(environment, "PYTHON", (3, 2))
    with pytest.raises(MachineError, match=r"Python 3\.11"):
        environment.check()


def test_missing_modules_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says which module is not there."""
    monkeypatch.setattr(environment, "PYTHON", environment.sys.version_info[:2])
    monkeypatch.setattr(environment, "MODULES", ("json", "absent_module"))
    with pytest.raises(MachineError, match="no absent_module"):
        environment.check()
