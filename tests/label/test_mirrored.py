"""A picture asked about as it is and mirrored."""

import numpy as np
import pytest

from factory.calibrate.settings import space_of
from factory.core.errors import ConfigError
from factory.core.picture import mirrored
from factory.label.mirrored import Mirrored
from factory.label.mixed import Mixed, Weighed
from factory.label.scribbles import Scribbles
from factory.refine.argmax import Argmax
from tests.label.test_scribbles import SETTINGS, scribbled, three_bands

GIVEN = scribbled(three_bands(), at5=0, at25=1, at50=2)


def test_both_looks_count_alike() -> None:
    """The geometric mean of two labelings, and the mirror image's labeling is the mirror image."""
    alone, both = Scribbles(**SETTINGS), Mirrored(labeler=Scribbles(**SETTINGS))
    looks = np.stack([alone(GIVEN, 3), alone(mirrored(GIVEN), 3)[:, :, ::-1]]).clip(1e-6)
    product = np.sqrt(looks[0] * looks[1])
    np.testing.assert_allclose(both(GIVEN, 3), product / product.sum(axis=0), atol=1e-6)
    np.testing.assert_allclose(both(mirrored(GIVEN), 3)[:, :, ::-1], both(GIVEN, 3), atol=1e-6)


def test_a_calibration_varies_what_is_mirrored() -> None:
    """Its settings, one level down."""
    alone = space_of(None, Scribbles(**SETTINGS), Argmax())
    varied = space_of(None, Mirrored(labeler=Scribbles(**SETTINGS)), Argmax())
    assert {key.replace("labeler.", "labeler.labeler.", 1) for key in alone} == set(varied)


def test_a_labeler_that_learns_is_refused() -> None:
    """Its networks have their say of each picture ready: of the mirror image there is none."""
    with pytest.raises(ConfigError, match=r"(?s)mirror images.*Mixed.*tta=flip"):
        Mirrored(labeler=Mixed(members={"one": Weighed(labeler=Scribbles(**SETTINGS), weight=1.0)}))
