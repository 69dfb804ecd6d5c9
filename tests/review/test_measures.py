"""What the page says of a method's confidence."""

import numpy as np

from factory.measure.calibration import Reliability
from factory.review.measures import trust


def test_confidence_is_drawn_where_there_is_any() -> None:
    """Two charts that end where the figures do; none for methods, or older measurements, that state none."""
    seen = Reliability()
    seen.add(np.zeros(8, np.uint8), np.array([0, 0, 0, 1, 1, 0, 0, 0]), np.array([0.9] * 4 + [0.5] * 4))
    right, wrong = trust({"confidence": seen.as_json()})
    assert right.names == ("right", "as stated")
    assert "right ends at 0.75" in right.summary
    assert wrong.summary == "by confidence ends at 0.25; at best ends at 0.25"
    assert trust({"confidence": Reliability().as_json()}) == ()
    assert trust({}) == ()
