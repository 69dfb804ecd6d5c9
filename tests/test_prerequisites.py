"""What a bare machine lacks is named with the command that brings it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "prerequisites.sh"


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A search path with a shell and this Python, but no compiler."""
    for name in ("sh", "dirname", "printf"):
        found = shutil.which(name)
        assert found
        (tmp_path / name).symlink_to(found)
    (tmp_path / "python3").symlink_to(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}")
    return tmp_path


def checked(path: Path, python: str = "python3") -> subprocess.CompletedProcess[str]:
    """The script on a machine whose programs are those of a folder."""
    environment = {key: value for key, value in os.environ.items() if key != "CXX"} | {"PATH": str(path)}
    return subprocess.run([str(path / "sh"), str(SCRIPT), python], env=environment, capture_output=True, text=True)


def test_a_missing_compiler_is_named_with_its_package(bare: Path) -> None:
    """One line to copy, and a status that stops make."""
    done = checked(bare)
    assert done.returncode == 1
    assert "apt-get install --yes" in done.stderr
    assert done.stderr.split("--yes")[1].split()[-1] == "g++"


def test_with_a_compiler_there_is_nothing_to_say(bare: Path) -> None:
    """As on this machine, which runs these tests."""
    (bare / "c++").symlink_to(bare / "sh")
    done = checked(bare)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_missing_python_is_named_with_its_packages(bare: Path) -> None:
    """Instead of the shell's own words."""
    done = checked(bare, "python9")
    assert done.returncode == 1
    assert "apt-get install --yes python3" in done.stderr


@pytest.mark.parametrize(("version", "status", "said"), [("3.10", 1, "3.11 is needed"), ("3.12", 1, "but rendering")])
def test_other_pythons_are_refused_or_do_without_rendering(bare: Path, version: str, status: int, said: str) -> None:
    """3.12 installs (here the stand-in lacks its headers, so the script stops after saying so)."""
    (bare / "other").write_text(f"#!{bare}/sh\nprintf '{version}\\n'\n")
    (bare / "other").chmod(0o755)
    done = checked(bare, "other")
    assert done.returncode == status
    assert said in done.stderr
