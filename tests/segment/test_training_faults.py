"""What goes wrong in training: said once, with what is left and what to do."""

from dataclasses import dataclass
from importlib.util import find_spec

import pytest
import torch
from torch._dynamo.exc import TorchDynamoException

from factory.core.errors import ConfigError, MachineError, TrainingError
from factory.segment import checkpoint
from factory.segment.losses.cross_entropy import CrossEntropy
from factory.segment.models import Segmenter
from tests.segment.training import CLASSES, bright_squares, history, trained


@pytest.fixture(scope="module")
def squares(tmp_path_factory):
    """Twelve pictures."""
    return bright_squares(tmp_path_factory.mktemp("faults") / "squares", 12)


@dataclass(frozen=True, kw_only=True)
class Greedy(CrossEntropy):
    """Needs a memory that holds ``most`` pictures at a time; ``error`` is what the allocator says."""

    most: int
    error: Exception

    def __call__(self, outputs, evidence):
        """Cross-entropy where there is room."""
        if len(evidence.images_nchw) > self.most:
            raise self.error
        return super().__call__(outputs, evidence)


ERRORS = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    MemoryError(),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_out_of_memory_a_batch_is_worked_through_in_parts_and_it_is_said(squares, tmp_path, capfd, error):
    """The same number of steps over the same pictures, as if it had been asked for so."""
    greedy = {"ce": Greedy(most=2, error=error)}
    model = trained(tmp_path / "model", real=squares, batch=8, loss=greedy)
    assert [row["step"] for row in history(model)] == [3, 6]
    assert "worked through in 4 parts" in model.header.issues[0]["reason"]
    assert "out of memory: from step 0 on a batch of 8 is worked through in 4 parts" in capfd.readouterr().err
    asked = trained(tmp_path / "asked", real=squares, batch=8, accumulate=4, loss={"ce": CrossEntropy()})
    assert history(model) == history(asked)


def test_a_model_that_cannot_be_compiled_is_no_fault_of_the_factory(squares, tmp_path):
    """Nor of the machine alone, which would end a search: a line of the compiler's pages is told, and the key."""
    broken = {"ce": Greedy(most=0, error=TorchDynamoException("CppCompileError: C++ compile error\n\nCommand: g++"))}
    with pytest.raises(
        ConfigError, match=r"(?s)cannot compile.*train\.compiled.*C\+\+ compile error\n.*compiled=false"
    ):
        trained(tmp_path / "model", real=squares, loss=broken)


def test_validation_takes_fewer_pictures_at_a_time_too(tmp_path, monkeypatch):
    """It is what does not fit where pictures are large and crops small."""
    squares, whole = bright_squares(tmp_path / "squares", 24), Segmenter.forward

    def forward(self, images_nchw):
        if not self.training and len(images_nchw) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return whole(self, images_nchw)

    monkeypatch.setattr(Segmenter, "forward", forward)
    model = trained(tmp_path / "model", real=squares, batch=8)
    assert [row["step"] for row in history(model)] == [3, 6]
    assert "worked through in 4 parts" in model.header.issues[0]["reason"]


def test_out_of_memory_with_two_pictures_is_an_error_with_a_cure(squares, tmp_path):
    """There is nothing left to halve: batch norm needs two."""
    with pytest.raises(MachineError, match=r"(?s)out of memory with 2 pictures at a time.*smaller"):
        trained(tmp_path / "model", real=squares, batch=4, loss={"ce": Greedy(most=1, error=MemoryError())})


def test_any_other_error_is_not_taken_for_memory(squares, tmp_path):
    """It comes through as it is."""
    with pytest.raises(RuntimeError, match="odd shape"):
        trained(tmp_path / "model", real=squares, loss={"ce": Greedy(most=1, error=RuntimeError("odd shape"))})


@dataclass(frozen=True, kw_only=True)
class Poisoned(CrossEntropy):
    """No number once the class weights have been looked at ``good`` times."""

    good: int
    seen: list[int]

    def __call__(self, outputs, evidence):
        """Cross-entropy, then NaN."""
        self.seen.append(1)
        return super().__call__(outputs, evidence) * (float("nan") if len(self.seen) > self.good else 1)


def test_a_loss_that_is_no_number_stops_names_the_pictures_and_keeps_the_last_good_weights(squares, tmp_path):
    """They can be opened, and are those of the last state."""
    with pytest.raises(
        TrainingError, match=r"(?s)no longer a number.*step 5, samples real\d+.*ce nan.*last_good"
    ) as error:
        trained(tmp_path / "model", real=squares, steps=20, save_every=1, loss={"ce": Poisoned(good=4, seen=[])})
    kept = tmp_path / "model.partial" / "last_good.ckpt"
    assert str(kept) in str(error.value)
    assert checkpoint.load(kept, classes=CLASSES).step == 4
    assert checkpoint.load(kept.with_name("best.ckpt")).step == 3


def test_weights_that_run_away_are_stopped_too(squares, tmp_path):
    """By way of the loss, or of the weights themselves."""
    with pytest.raises(TrainingError, match=r"(?s)no longer.*last_good"):
        trained(tmp_path / "model", real=squares, encoder_lr=1e30, decoder_lr=1e30, steps=20)


def test_mlflow_that_is_not_installed_is_said_with_the_command_that_installs_it(squares, tmp_path):
    """Before the first step."""
    if find_spec("mlflow"):
        pytest.skip("MLflow is installed here")
    with pytest.raises(MachineError, match=r"(?s)MLflow is not installed.*pip install"):
        trained(tmp_path / "model", real=squares, mlflow=str(tmp_path / "runs"))
