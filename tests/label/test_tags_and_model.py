"""What tags show where, and what a segmenter that is there already sees, fused."""

from pathlib import Path

import numpy as np

from factory.command.bind import make_part
from factory.core.classes import ClassList
from factory.label import learnt
from factory.label.mixed import FLOOR
from factory.segment import checkpoint
from factory.segment.models import build
from factory.segment.working import Working
from tests.command.composing import composed
from tests.label.shops import shop
from tests.label.tagged import corpus_of, squares
from tests.segment.test_checkpoint import SPEC

TAGS, MODEL = "labeler.members.tags.labeler", "labeler.members.model.labeler"


def test_both_have_their_say_with_their_weights(tmp_path: Path) -> None:
    """A product of powers, whatever either has learnt; the model tells the ground from the rest, tags say what."""
    file = tmp_path / "best.ckpt"
    model = build(SPEC, ClassList.of(["ground", "thing"]), weights=None, seed=0)
    file.write_bytes(checkpoint.encode(checkpoint.Trained(model=model, working=Working(), tile_hw=(64, 64), step=0)))
    words = [
        f"{TAGS}.classifier.encoder_weights=null", f"{TAGS}.training.steps=2", f"{TAGS}.views.scales=[1.0]",
        "labeler.members.model.weight=0.5", f"{MODEL}.names.red=thing", f"{MODEL}.names.blue=thing",
        f"{MODEL}.apart=ground",
    ]  # fmt: skip
    ((config, _),) = composed("label", "labeler=tags_and_model", *words)
    given = corpus_of(squares(2))
    place = shop(tmp_path, model=file, tell=lambda *_: None)
    ready = learnt(make_part("labeler", config["labeler"]), given, seed=0, shop=place)
    picture = given.picture("red0")
    shown, seen = (ready.members[name].labeler(picture, 3) for name in ("tags", "model"))
    np.testing.assert_array_equal(seen[1], seen[2])
    product = np.maximum(shown, FLOOR) * np.maximum(seen, FLOOR) ** 0.5
    np.testing.assert_allclose(ready(picture, 3), product / product.sum(axis=0), atol=1e-4)
