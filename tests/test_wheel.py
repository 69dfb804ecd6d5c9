"""The wheel carries everything: the command works from it, outside the repository."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
PACKAGES = ("factory", "adapt", "scenes", "conf")


def run(*words: str, cwd: Path, **environment: str) -> str:
    """What a command prints; it must succeed."""
    done = subprocess.run(words, cwd=cwd, env=os.environ | environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the sources and unpacked into a folder of its own, dependencies apart."""
    source, wheels, site = (tmp_path_factory.mktemp(name) for name in ("source", "wheels", "site"))
    for name in PACKAGES:
        shutil.copytree(TOP / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(TOP / name, source)
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(wheels), ".", cwd=source)
    (wheel,) = wheels.iterdir()
    run(sys.executable, "-m", "pip", "install", "--no-deps", "--quiet", "--target", str(site), str(wheel), cwd=source)
    return site


def test_help_works_from_the_wheel(site: Path, tmp_path: Path) -> None:
    """The configuration tree travels, stages and experiments are listed, a stage's keys too."""
    path = {"PYTHONPATH": str(site)}
    where = run(sys.executable, "-c", "import factory; print(factory.__file__)", cwd=tmp_path, **path)
    assert Path(where.strip()).is_relative_to(site)
    page = run(sys.executable, "-m", "factory", "--help", cwd=tmp_path, **path)
    assert all(word in page for word in ("ingest", "experiment=coins"))
    assert "argmax, dense_crf" in run(sys.executable, "-m", "factory", "label", "--help", cwd=tmp_path, **path)


def test_every_data_file_travels(site: Path) -> None:
    """YAML, the page's template, the coins' clicks and outlines."""
    suffixes = (".yaml", ".html", ".css", ".js", ".csv", ".json", ".md")
    for package in PACKAGES:
        for path in (TOP / package).rglob("*"):
            if path.suffix in suffixes:
                assert (site / path.relative_to(TOP)).read_bytes() == path.read_bytes()
