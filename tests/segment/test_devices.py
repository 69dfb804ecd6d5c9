"""Several processes at one training: one artefact, written once, whoever starts them."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from factory.core.artefact import Model
from factory.core.errors import ConfigError
from factory.execute.ranks import nodes, rank
from tests.segment.test_fit import wait_for_state
from tests.segment.training import bright_squares, history, trained

WORDS = [
    "model=unet",
    "model.encoder=tu-mobilenetv3_small_050",
    "model.decoder_channels=16",
    "model.encoder_weights=null",
]
PSPNET = ["model=pspnet", *WORDS[1:2], "model.encoder_weights=null", "model.edge_head=true"]
STARTERS = {
    "single": ([sys.executable, "-m", "factory"], 1),
    "alone": ([sys.executable, "-m", "factory"], 2),
    "torchrun": ([sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "-m", "factory"], 2),
}


@pytest.mark.slow
def test_two_processes_train_one_model_however_they_are_started(tmp_path: Path) -> None:
    """By the command itself or by torchrun: the same artefact, and about what one process makes of the same batches."""
    squares = bright_squares(tmp_path / "squares", 14)
    words = ["train", f"inputs.real={squares.root}", *WORDS, "batch=8", "steps=6", "validate_every=3"]
    for name, (start, devices) in STARTERS.items():
        command = [*start, *words, f"devices={devices}", f"cache={tmp_path / 'cache'}", f"out={tmp_path / name}"]
        environment = dict(os.environ, OMP_NUM_THREADS="1")
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("val_miou") == 1
    single, alone, launched = (Model.open(tmp_path / name) for name in STARTERS)
    assert alone.digest == launched.digest
    for mine, theirs in zip(history(alone), history(single), strict=True):
        assert mine["step"] == theirs["step"]
        assert mine["train_loss"] == pytest.approx(theirs["train_loss"], rel=0.2)


@pytest.mark.slow
def test_two_processes_train_a_model_some_of_whose_weights_have_no_part_in_the_loss(tmp_path: Path) -> None:
    """Encoder blocks that pspnet leaves out, and an edge head that no loss looks at; the temperature is set once."""
    squares = bright_squares(tmp_path / "squares", 14)
    words = ["train", f"inputs.real={squares.root}", *PSPNET, "batch=4", "steps=2", "validate_every=2", "devices=2"]
    places = [f"cache={tmp_path / 'cache'}", f"out={tmp_path / 'made'}"]
    environment = dict(os.environ, OMP_NUM_THREADS="1")
    command = [*STARTERS["torchrun"][0], *words, "aside=0.3", *places]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr
    assert Model.open(tmp_path / "made").header.figures["temperature"] > 0


@pytest.mark.slow
def test_who_is_left_alone_says_so_and_that_the_same_command_goes_on(tmp_path: Path) -> None:
    """Two real processes as torchrun starts them, one of them killed in the middle."""
    squares = bright_squares(tmp_path / "squares", 14)
    words = ["train", f"inputs.real={squares.root}", *WORDS, "batch=4", "steps=5000", "save_every=1", "devices=2"]
    command = [*STARTERS["alone"][0], *words, f"cache={tmp_path / 'cache'}", f"out={tmp_path / 'made'}"]
    with socket.create_server(("127.0.0.1", 0)) as free:
        shared = dict(os.environ, OMP_NUM_THREADS="1", MASTER_ADDR="127.0.0.1", MASTER_PORT=str(free.getsockname()[1]))
    shared |= {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "GROUP_RANK": "0", "TORCHELASTIC_RUN_ID": "left-alone"}
    environments = [shared | {"RANK": number, "LOCAL_RANK": number} for number in ("0", "1")]
    left, killed = (
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment, text=True)
        for environment in environments
    )
    wait_for_state(left, tmp_path / "made")
    wait_for_state(left, tmp_path / "made")
    killed.kill()
    killed.communicate()
    said = left.communicate(timeout=120)[1]
    assert left.returncode == 1
    assert "error: another process of this training has ended" in said
    assert "the same command goes on from the last save" in said


def test_a_batch_that_does_not_divide_among_devices_is_refused(tmp_path: Path) -> None:
    """Two pictures each, at least."""
    squares = bright_squares(tmp_path / "squares", 6)
    for devices in (0, 3, 4):
        with pytest.raises(ConfigError, match=r"(?s)cannot be shared.*devices"):
            trained(tmp_path / f"m{devices}", real=squares, batch=4, devices=devices)


def test_a_process_knows_its_number_from_whoever_started_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """And with nobody's word it is the first and only one."""
    for name in ("RANK", "SLURM_PROCID", "LOCAL_RANK", "WORLD_SIZE", "SLURM_NNODES"):
        monkeypatch.delenv(name, raising=False)
    assert (rank(), nodes(4)) == (0, 1)
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setenv("SLURM_NNODES", "3")
    assert (rank(), nodes(4)) == (1, 3)
    assert nodes(1) == 1
    monkeypatch.setenv("SLURM_PROCID", "0")
    assert rank() == 1, "a process that Lightning starts in a batch script"
    monkeypatch.setenv("RANK", "6")
    monkeypatch.setenv("WORLD_SIZE", "8")
    assert (rank(), nodes(4)) == (6, 2)
