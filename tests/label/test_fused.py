"""What networks say of a picture and what its own clicks say, fused."""

from pathlib import Path

import numpy as np

from factory.command.bind import make_part
from factory.label.mixed import FLOOR
from tests.command.composing import composed
from tests.label.shops import shop
from tests.label.test_across import SMALL, corpus

MEMBER = "labeler.members.across."
WORDS = [word.replace("labeler.", f"{MEMBER}labeler.") for word in SMALL if word != "labeler=across"]


def test_both_have_their_say_with_their_weights(tmp_path: Path) -> None:
    """A product of powers, whatever the networks have learnt; points reach less far than where they stand alone."""
    ((config, _),) = composed("label", "labeler=fused", *WORDS, f"{MEMBER}labeler.training.recipe.steps=2")
    given, fused = corpus(), make_part("labeler", config["labeler"])
    ready = fused.learnt(given, seed=0, shop=shop(tmp_path))
    picture = given.picture("p1")
    networks, points = (ready.members[name].labeler(picture, 2) for name in ("across", "points"))
    product = np.maximum(networks, FLOOR) * np.maximum(points, FLOOR) ** 0.3
    np.testing.assert_allclose(ready(picture, 2), product / product.sum(axis=0), atol=1e-4)
    ((alone, _),) = composed("label", "labeler=points")
    assert fused.members["points"].labeler.place_sigma < alone["labeler"]["place_sigma"]
