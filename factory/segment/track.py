"""Following a training with other tools: TensorBoard's event files, an MLflow server."""

from __future__ import annotations

import re
from collections.abc import Mapping
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
    _open: list[Logger] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.tensorboard:
            self._open.append(TensorBoardLogger(self.tensorboard, name=self.name, version=""))
        if self.mlflow:
            self._open.append(_mlflow(self.mlflow, self.name))
        for logger in self._open:
            logger.log_hyperparams(dict(self.parameters))

    def add(self, row: Mapping[str, Any]) -> None:
        """One row of history."""
        numbers = {_plain(name): value for name, value in flat(row, "/").items() if value is not None}
        for logger in self._open:
            logger.log_metrics(numbers, step=row["step"])
            logger.save()


def _mlflow(uri: str, name: str) -> Logger:
    try:
        return MLFlowLogger(experiment_name="factory", run_name=name, tracking_uri=uri)
    except ModuleNotFoundError as error:
        todo = "pip install label-factory[mlflow]"
        raise MachineError.of(error, what="MLflow is not installed", where="train.mlflow", todo=todo) from error


def _plain(name: str) -> str:
    """A name that both tools take."""
    return re.sub(r"[^\w./ -]", "_", name)
