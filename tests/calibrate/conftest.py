"""What the tests of calibrations share."""

from __future__ import annotations

from pathlib import Path

import pytest

from factory.core.artefact import Kind
from factory.core.sample import Domain, Origin, Split, Supervision
from tests.artefacts import add_sample, sealed
from tests.calibrate.scenes import CLASSES, scene


@pytest.fixture(scope="module")
def scenes(tmp_path_factory) -> Path:
    """Ten rendered scenes with exact masks, one of them kept for tests."""

    def fill(out) -> None:
        for number in range(10):
            image, mask = scene(number)
            add_sample(
                out, f"s{number}", mask, image=image, domain=Domain.SYNTHETIC, supervision=Supervision.EXACT,
                origin=Origin.EXACT, split=Split.TEST if number == 9 else Split.TRAIN,
            )  # fmt: skip

    return sealed(tmp_path_factory.mktemp("scenes") / "scenes", Kind.DATASET, fill, CLASSES)
