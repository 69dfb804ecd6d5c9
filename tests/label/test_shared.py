"""What classifiers learnt is kept under a name of all that they saw, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from factory.core.cache import Cache
from factory.core.classes import ClassList
from factory.core.picture import Picture
from factory.core.sample import Hints
from factory.label.cam.shared import digest_of, learnt_once
from factory.label.cam.statements import statements_of
from factory.label.corpus import Corpus

LEARNT = {"a.pt", "b.npz", "c.npy"}


def test_what_was_learnt_is_there_the_next_time_and_nothing_else(tmp_path: Path) -> None:
    """In another folder: the models, without what is half written or of one use; under another name nothing."""
    cache, first, second = Cache(folder=tmp_path / "cache"), tmp_path / "first", tmp_path / "second"
    with learnt_once(cache, "one", first):
        for name in (*LEARNT, "levels.json", ".d.pt.123"):
            (first / name).write_text(name)
    with learnt_once(cache, "one", second):
        assert {path.name for path in second.iterdir()} == LEARNT
        assert (second / "a.pt").read_text() == "a.pt"
        assert (second / "a.pt").samefile(first / "a.pt"), "it takes room once"
    with learnt_once(cache, "two", tmp_path / "third"):
        assert not list((tmp_path / "third").iterdir())


def test_what_was_not_learnt_to_the_end_is_not_kept(tmp_path: Path) -> None:
    """It stays in its own folder, where the same command goes on, and what that ends with is kept."""
    cache = Cache(folder=tmp_path / "cache")

    def killed() -> None:
        with learnt_once(cache, "one", tmp_path / "first"):
            (tmp_path / "first/a.pt").write_text("half of it")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        killed()
    with learnt_once(cache, "one", tmp_path / "other"):
        assert not list((tmp_path / "other").iterdir())
        (tmp_path / "other/a.pt").write_text("whole")
    with learnt_once(cache, "one", tmp_path / "first"):
        assert (tmp_path / "first/a.pt").read_text() == "half of it", "what a run has of its own comes first"


def corpus(names: str = "sky,car", grey: int = 90, tags: tuple[int, ...] = (1,), ids: str = "ab") -> Corpus:
    """Grey pictures with the same tags."""
    image = np.full((4, 6, 3), grey, np.uint8)
    return Corpus(
        classes=ClassList.of(names.split(",")), ids=tuple(ids), aside=(),
        picture=lambda name: Picture(id=name, image=image, hints=Hints(tags=tags)),
    )  # fmt: skip


def test_a_name_is_of_all_that_a_classifier_may_see() -> None:
    """Pictures and what is said of them, the names of classes and pictures; equal ones have equal names."""
    seen = [corpus(), corpus("sky,bus"), corpus(grey=91), corpus(tags=(0,)), corpus(tags=()), corpus(ids="abc")]
    found = [digest_of(one, statements_of(one)) for one in seen]
    assert len(set(found)) == len(seen)
    assert digest_of(corpus(), statements_of(corpus())) == found[0]
