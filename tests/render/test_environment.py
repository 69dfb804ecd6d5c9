"""A machine that cannot load Blender is told what it lacks."""

import pytest
import torch

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


@pytest.mark.parametrize(
    ("device", "given", "gpus", "places"),
    [
        ("cpu", None, 2, [{}, {}, {}]),
        ("auto", None, 0, [{}, {}, {}]),
        ("auto", "", 0, [{}, {}, {}]),
        ("auto", None, 2, [{"CUDA_VISIBLE_DEVICES": "0"}, {"CUDA_VISIBLE_DEVICES": "1"}]),
        ("auto", "2, 5", 2, [{"CUDA_VISIBLE_DEVICES": "2"}, {"CUDA_VISIBLE_DEVICES": "5"}]),
        ("gpu", "GPU-8932f937", 1, [{"CUDA_VISIBLE_DEVICES": "GPU-8932f937"}]),
        ("gpu", None, 1, [{"CUDA_VISIBLE_DEVICES": "0"}]),
    ],
)
def test_each_gpu_gets_one_process(
    monkeypatch: pytest.MonkeyPatch, device: str, given: str | None, gpus: int, places: list[dict[str, str]]
) -> None:
    """Of those that this process was given; where there is none, or none is wanted, there are as many as workers."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if given is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    assert environment.places(device, 3) == places


def test_a_gpu_that_is_not_there_is_said_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to do instead."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(MachineError, match="device=auto"):
        environment.places("gpu", 1)
