"""Following a training with other tools: TensorBoard's event files, an MLflow server."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from lightning.pytorch.loggers import Logger, MLFlowLogger, TensorBoardLogger

from factory.core.errors import MachineError
from factory.segment.history import flat


@dataclass(frozen=True, kw_only=True)
class Tracks:
    """Where the rows of history.json go besides: a folder of event files, an MLflow tracking URI, both or none.

    ``name`` tells trainings apart there; ``parameters`` are stated once, at the start.
    """

    tensorboard: str | None = None
    mlflow: str | None = None
    name: str = "train"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    _open: dict[str, Logger] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.tensorboard:
            self._open["tensorboard"] = TensorBoardLogger(self.tensorboard, name=self.name, version="")
        if self.mlflow:
            self._open["mlflow"] = _mlflow(self.mlflow, self.name)
        for key, logger in self._open.items():
            with _writing(key):
                logger.log_hyperparams(dict(self.parameters))

    def add(self, row: Mapping[str, Any]) -> None:
        """One row of history."""
        numbers = {_plain(name): value for name, value in flat(row, "/").items() if value is not None}
        for key, logger in self._open.items():
            with _writing(key):
                logger.log_metrics(numbers, step=row["step"])
                logger.save()


@contextmanager
def _writing(key: str) -> Iterator[None]:
    """Loggers hide what the disk or the server said behind errors of their own."""
    try:
        yield
    except Exception as error:
        cause = error.__context__ or error
        todo = "check that it can be written to, or leave the key out; the same command goes on from here"
        what = "the training cannot be noted where it is to be followed"
        raise MachineError.of(cause, what=what, where=f"train.{key}", todo=todo) from error


def _mlflow(uri: str, name: str) -> Logger:
    try:
        return MLFlowLogger(experiment_name="factory", run_name=name, tracking_uri=uri)
    except ModuleNotFoundError as error:
        todo = "pip install label-factory[mlflow]"
        raise MachineError.of(error, what="MLflow is not installed", where="train.mlflow", todo=todo) from error


def _plain(name: str) -> str:
    """A name that both tools take."""
    return re.sub(r"[^\w./ -]", "_", name)
