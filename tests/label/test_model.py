"""What a segmenter that is there already says of pictures, its classes matched by name."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from factory.command.bind import make_part
from factory.core.artefact import Model
from factory.core.classes import ClassList
from factory.core.errors import ConfigError
from factory.core.picture import Picture
from factory.core.sample import Hints
from factory.label.corpus import Corpus
from factory.label.model import KnownModel
from factory.segment import checkpoint
from factory.segment.models import build
from factory.segment.predict import Predictor
from factory.segment.working import Working
from tests.command.composing import composed
from tests.label.shops import shop
from tests.segment.test_checkpoint import SPEC

THEIRS = ClassList.of(["ground", "hole", "stain"])
PICTURE = Picture(id="p", image=np.random.default_rng(0).integers(0, 256, (40, 56, 3), np.uint8), hints=Hints())


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    """A checkpoint with random weights: what it says is as good as anything else."""
    trained = checkpoint.Trained(
        model=build(SPEC, THEIRS, weights=None, seed=0), working=Working(), tile_hw=(32, 32), step=0
    )
    path = tmp_path_factory.mktemp("model") / "best.ckpt"
    path.write_bytes(checkpoint.encode(trained))
    return path


def labeler(names: Mapping[str, str] | None = None, certainty: float = 1.0, apart: str | None = None) -> KnownModel:
    """As the YAML file sets it up, looking once."""
    ((config, _),) = composed("label", "labeler=model", "tta@labeler.tta=none")
    return replace(make_part("labeler", config["labeler"]), names=names or {}, certainty=certainty, apart=apart)


def asked(folder: Path, model: Model | Path | None, ours: list[str], told: list | None = None, **settings):
    """The scores of the picture for a data set of our classes."""
    corpus = Corpus(classes=ClassList.of(ours), ids=["p"], aside=[], picture={"p": PICTURE}.__getitem__)
    heard = [] if told is None else told
    place = shop(folder, model=model, tell=lambda where, reason: heard.append((where, reason)))
    return labeler(**settings).learnt(corpus, seed=0, shop=place)(PICTURE, len(ours))


def said(file: Path) -> np.ndarray:
    """The model's own probabilities."""
    return Predictor(trained=checkpoint.load(file))(PICTURE.image)


def test_the_same_classes_in_another_order_keep_their_probabilities(tmp_path: Path, file: Path) -> None:
    """Matched by name, not by number; sharpened on request."""
    one, two = said(file), asked(tmp_path, file, ["stain", "ground", "hole"])
    np.testing.assert_allclose(two, one[[2, 0, 1]], atol=1e-5)
    sharp = asked(tmp_path, file, ["stain", "ground", "hole"], certainty=3.0)
    np.testing.assert_allclose(sharp, one[[2, 0, 1]] ** 3 / (one**3).sum(axis=0), atol=1e-5)
    certain = asked(tmp_path, file, ["stain", "ground", "hole"], certainty=1e4)
    np.testing.assert_array_equal(certain.argmax(axis=0), two.argmax(axis=0), "no power is too high for it")
    assert (certain.max(axis=0) >= two.max(axis=0)).all()


def test_other_names_are_given_and_classes_may_share_one(tmp_path: Path, file: Path) -> None:
    """Between classes that look the same to the model, other evidence decides; its own order stays."""
    one = said(file)
    found = asked(
        tmp_path, file, ["tile", "uneven", "pit", "stain"], names={"tile": "ground", "uneven": "ground", "pit": "hole"}
    )
    np.testing.assert_array_equal(found[0], found[1])
    total = 2 * one[0] + one[1] + one[2]
    np.testing.assert_allclose(found, np.stack([one[0], one[0], one[1], one[2]]) / total, atol=1e-5)
    np.testing.assert_array_equal(found[1:].argmax(axis=0), one.argmax(axis=0))


def test_what_either_side_lacks_says_nothing(tmp_path: Path, file: Path) -> None:
    """A class that the model never learnt keeps an even share, and the report hears of it."""
    told: list = []
    one, found = said(file), asked(tmp_path, file, ["ground", "hole", "dust"], told)
    np.testing.assert_allclose(found[2], 1 / 3, atol=1e-6)
    share = one[:2] / one[:2].sum(axis=0)
    np.testing.assert_allclose(found[:2], (1 - one[2]) * 2 / 3 * share + one[2] / 3, atol=1e-5)
    assert [where for where, _ in told] == ["dust"]


def test_told_apart_is_one_class_from_everything_else(tmp_path: Path, file: Path) -> None:
    """Whatever else the model sees, or takes for a class that is not ours, counts for all others alike."""
    one = said(file)
    found = asked(tmp_path, file, ["tile", "pit", "uneven", "dust"], apart="tile",
                  names={"tile": "ground", "pit": "hole", "uneven": "ground", "dust": "stain"})  # fmt: skip
    np.testing.assert_array_equal(found[0], found[2])
    np.testing.assert_array_equal(found[1], found[3])
    np.testing.assert_allclose(found[1] / found[0], (1 - one[0]) / one[0], rtol=1e-4)
    fewer = asked(tmp_path, file, ["ground", "hole"], apart="ground")
    np.testing.assert_allclose(fewer[0], one[0], atol=1e-5)
    with pytest.raises(ConfigError, match=r"(?s)labeler\.apart.*dirt.*ground, hole"):
        asked(tmp_path, file, ["ground", "hole", "dirt"], apart="dirt")


@pytest.mark.parametrize(
    ("given", "ours", "names", "reason"),
    [
        (False, ["ground"], {}, "(?s)needs a model.*model="),
        (True, ["tile"], {}, r"(?s)knows none.*ground, hole, stain.*labeler\.names"),
        (True, ["tile"], {"tile": "gruond"}, r"(?s)labeler\.names\.tile.*gruond.*ground, hole, stain"),
        (True, ["tile"], {"tle": "ground"}, r"(?s)labeler\.names\.tle.*tle.*tile"),
    ],
)
def test_a_model_that_cannot_speak_is_refused(tmp_path: Path, file: Path, given, ours, names, reason) -> None:
    """Before any picture is looked at."""
    with pytest.raises(ConfigError, match=reason):
        asked(tmp_path, file if given else None, ours, names=names)
