"""A small trained model and its export, made once for all tests that run models, whichever process runs them."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from factory.core.artefact import HEADER, Kind, Model, Report
from factory.stages import export
from tests.artefacts import written
from tests.segment.training import bright_squares, trained


@pytest.fixture(scope="session")
def shipyard(tmp_path_factory) -> Path:
    """A folder of all processes that share the tests."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shipyard"
    folder.mkdir(exist_ok=True)
    return folder


@contextmanager
def alone(place: Path) -> Iterator[bool]:
    """Whether it is still to be made, while no other process makes it."""
    with place.with_suffix(".lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield not (place / HEADER).is_file()


@pytest.fixture(scope="session")
def bright(tmp_path_factory):
    """Pictures with a bright square each."""
    return bright_squares(tmp_path_factory.mktemp("ship") / "squares", 12)


@pytest.fixture(scope="session")
def small_model(bright, shipyard):
    """A model that saw them for a few steps."""
    with alone(shipyard / "model") as missing:
        if missing:
            trained(shipyard / "model", real=bright, steps=12, validate_every=6)
    return Model.open(shipyard / "model")


@pytest.fixture(scope="session")
def small_export(small_model, bright, shipyard):
    """All files that can be made of the model."""
    with alone(shipyard / "export") as missing:
        if missing:
            make_export(small_model, bright, shipyard / "export")
    return Report.open(shipyard / "export")


def make_export(small_model, bright, target: Path) -> None:
    """As the stage does it."""
    with written(target, Kind.REPORT) as out:
        export.run(
            model=small_model,
            source=bright,
            calibration=bright,
            out=out,
            seed=0,
            checkpoint="best",
            int8=True,
            calibration_pictures=8,
            split="val",
            tolerance=1e-4,
            footprints=False,
        )
