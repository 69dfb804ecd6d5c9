"""Answers put to another round than they answer are told where they belong; those that are in place are not doubted."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from factory.command.looping.mistaken import require_own_queue
from factory.command.looping.returned import Return
from factory.core.classes import IGNORE
from factory.core.errors import ConfigError
from tests import artefacts
from tests.review.merging import merged, xml

SECOND = np.ones((20, 20), np.uint8)
"""What the second round proposes; the first one takes the lower half for background."""
FIRST = np.where(np.arange(20)[:, None] < 10, SECOND, 0).astype(np.uint8)
REGIONS = np.zeros((20, 20), np.uint16)
REGIONS[:4, :5] = 1
LOWER = np.zeros((20, 20), np.uint16)
LOWER[10:15] = 1
Regions = tuple[np.ndarray, np.ndarray]
ASKED: Regions = (REGIONS, REGIONS.T.copy())


@pytest.fixture
def judged(tmp_path: Path):
    """A check of whole masks that came back to round 2, as an answer to the queue of round ``claimed``."""
    clear_hw = np.zeros((20, 20), np.uint8)
    known = artefacts.dataset(tmp_path / "known", {"a": clear_hw, "b": clear_hw})
    source = merged(known, xml(tmp_path, {"b.png": np.where(REGIONS > 0, 1, IGNORE).astype(np.uint8)}), name="label")
    numbers = itertools.count()

    def check(mask_hw: np.ndarray, claimed: int, first_hw: np.ndarray = FIRST, regions: Regions = ASKED) -> None:
        number = next(numbers)
        asked = {1: (regions[0], first_hw), 2: (regions[1], SECOND)}
        queues = {
            one: artefacts.queue(tmp_path / f"{number}-{one}", {"a": asked[one], "b": asked[one]}) for one in asked
        }
        answered = (regions[claimed - 1] > 0) & (regions is ASKED)
        path = xml(tmp_path, {"a.png": np.where(answered, 2, mask_hw).astype(np.uint8)})
        data = merged(source, path, queue=queues[claimed], name=f"merged-{number}")
        config = {f"select-{one}": {"out": str(queue.root)} for one, queue in queues.items()}
        config["merge-2"] = {"inputs": {"source": str(source.root)}, "out": str(data.root)}
        require_own_queue(config, 2, ["merge-2"], [Return(path, claimed)])

    return check


@pytest.mark.parametrize(("mask_hw", "claimed", "name"), [(FIRST, 2, "late-1.xml"), (SECOND, 1, "corrections.xml")])
def test_what_another_round_proposed_is_no_persons_word(mask_hw, claimed: int, name: str, judged) -> None:
    """Not of round 1 where round 2 was asked, nor the other way round; a person's touches beside it change nothing."""
    touched_hw = mask_hw.copy()
    touched_hw[12, :15] = 2
    for stated_hw in (mask_hw, touched_hw):
        with pytest.raises(ConfigError, match="another round's queue") as caught:
            judged(stated_hw, claimed)
        assert name in str(caught.value)


def test_answers_to_what_was_asked_have_no_say(judged) -> None:
    """Neither those to the other round's questions, nor those to this one's that are as the other had proposed."""
    with pytest.raises(ConfigError, match="another round's queue"):
        judged(np.where(LOWER > 0, 2, FIRST), 2, regions=(LOWER, REGIONS))
    near_hw = np.where(LOWER > 0, 0, SECOND).astype(np.uint8)
    judged(near_hw, 2, near_hw, regions=(REGIONS, LOWER))


def test_answers_in_their_place_are_not_doubted(judged) -> None:
    """Left as it was proposed, repaired in part as the other round had it, or of rounds that hardly differ."""
    judged(SECOND, 2)
    judged(FIRST, 1)
    repaired_hw = SECOND.copy()
    repaired_hw[10:18] = 0
    judged(repaired_hw, 2)
    nearly_hw = SECOND.copy()
    nearly_hw[18:] = 0
    judged(nearly_hw, 2, nearly_hw)
