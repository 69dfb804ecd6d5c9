"""A small trained model and its export, made once for all tests that run models."""

import pytest

from factory.core.artefact import Kind, Report
from factory.stages import export
from tests.artefacts import written
from tests.segment.training import bright_squares, trained


@pytest.fixture(scope="session")
def bright(tmp_path_factory):
    """Pictures with a bright square each."""
    return bright_squares(tmp_path_factory.mktemp("ship") / "squares", 12)


@pytest.fixture(scope="session")
def small_model(bright, tmp_path_factory):
    """A model that saw them for a few steps."""
    return trained(tmp_path_factory.mktemp("ship") / "model", real=bright, steps=12, validate_every=6)


@pytest.fixture(scope="session")
def small_export(small_model, bright, tmp_path_factory):
    """All files that can be made of the model."""
    with written(tmp_path_factory.mktemp("ship") / "export", Kind.REPORT) as out:
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
    return Report.open(out.target)
