"""Programs in processes of their own are this project's, wherever the user is."""

import subprocess
from pathlib import Path

import pytest

from factory.execute import program


def test_packages_in_the_users_folder_are_not_taken_for_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named like ours, and with an ``__init__.py``: Python would find them first."""
    for name in ("factory", "scenes", "conf"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('not ours')")
    monkeypatch.chdir(tmp_path)
    for module in ("factory", "scenes.kit.worker"):
        words = program.command(module, "--help")
        done = subprocess.run(words, capture_output=True, text=True, env=program.environment())
        assert "not ours" not in done.stdout + done.stderr
        assert str(program.HOME) in done.stderr or "experiment=coins" in done.stdout
