"""How far a returned mask is a person's word: scope, what is in no mask, and what came back as proposed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from factory.core.classes import IGNORE
from factory.core.errors import ArtefactError, ConfigError
from factory.core.sample import Origin, Supervision
from factory.review.corrections import (
    CHOICES,
    Asked,
    Known,
    Rules,
    apply,
    changed_regions,
    left_alone,
    mislabelled_regions,
)
from tests import artefacts
from tests.review.merging import COINS, HALF, SIZE, merged, only, reasons, xml

MAPS = hnp.arrays(np.uint8, SIZE, elements=st.sampled_from([0, 1, 2, IGNORE]))
RULES = st.builds(
    Rules,
    scope=st.sampled_from(["touched", "regions", "image"]),
    unstated=st.sampled_from(["keep", "ignore", "background"]),
    unchanged=st.sampled_from(["skip", "image", "confirm"]),
)


@given(
    mask=MAPS,
    stated=MAPS,
    proposal=MAPS,
    origin=MAPS,
    regions=hnp.arrays(np.uint16, SIZE, elements=st.integers(0, 2)),
    rules=RULES,
)
def test_whatever_the_rules_people_win_and_stay(
    mask: np.ndarray, stated: np.ndarray, proposal: np.ndarray, origin: np.ndarray, regions: np.ndarray, rules: Rules
) -> None:
    """Earlier human pixels change only to what a person states now; every pixel taken over is marked human.

    Who drew whole masks meant every pixel of them, also those that were proposed so.
    """
    earlier = origin == 2
    known = Known(mask, np.full(SIZE, 99, np.uint8), np.where(earlier, Origin.HUMAN, Origin.PSEUDO).astype(np.uint8))
    after = apply(known, stated, Asked(regions, proposal), rules)
    kept = earlier & ~after.human_hw
    assert np.array_equal(mask[kept], after.maps.mask_hw[kept])
    assert (after.maps.source_hw[earlier | after.human_hw] == Origin.HUMAN).all()
    assert (after.maps.confidence_hw[after.human_hw] == 255).all()
    said = after.human_hw & (stated != IGNORE)
    assert np.array_equal(stated[said], after.maps.mask_hw[said])
    if rules.scope != "image":
        left_alone = earlier & (stated == proposal) & (stated != IGNORE)
        assert np.array_equal(mask[left_alone], after.maps.mask_hw[left_alone])
    else:
        assert np.array_equal(after.human_hw, stated != IGNORE)
    if rules.unstated == "keep":
        untouched = ~after.human_hw
        assert np.array_equal(mask[untouched], after.maps.mask_hw[untouched])


@given(
    known=MAPS,
    stated=MAPS,
    proposal=MAPS,
    human=hnp.arrays(bool, SIZE),
    regions=hnp.arrays(np.uint16, SIZE, elements=st.integers(0, 3)),
    rules=RULES,
)
def test_regions_are_counted_one_by_one(
    known: np.ndarray,
    stated: np.ndarray,
    proposal: np.ndarray,
    human: np.ndarray,
    regions: np.ndarray,
    rules: Rules,
) -> None:
    """Answered where a pixel is a person's or changed, changed where one differs, mislabelled where most labels do."""
    asked, differs = Asked(regions, proposal), stated != proposal
    if rules.unstated == "keep":
        differs &= stated != IGNORE
    here = {int(number): regions == number for number in np.unique(regions) if number}
    answered, changed = changed_regions(stated, human, asked, rules)
    assert answered == [number for number, inside in here.items() if ((human | differs) & inside).any()]
    assert changed == [number for number, inside in here.items() if (differs & inside).any()]
    both = (known != IGNORE) & (stated != IGNORE)
    wrong = [
        number
        for number, inside in here.items()
        if 2 * (both & inside & (known != stated)).sum() > (both & inside).sum()
    ]
    assert mislabelled_regions(known, stated, asked) == len(wrong)


def test_two_people_who_each_correct_a_region_of_one_picture_keep_each_others_work(tmp_path: Path) -> None:
    """Each leaves the other's region as it was proposed, and so does a later round that asks about more."""
    source = artefacts.dataset(tmp_path / "source", {"a": np.zeros(SIZE, np.uint8)})
    regions, proposal = np.repeat([[1, 2]], 4, axis=1) * np.ones((6, 1), int), np.zeros(SIZE, np.uint8)
    asked = artefacts.queue(tmp_path / "queue", {"a": (regions.astype(np.uint16), proposal)})
    anna, ben = proposal.copy(), proposal.copy()
    anna[:, :4], ben[:, 4:] = 1, 2
    one = merged(source, xml(tmp_path, {"a.png": anna}), queue=asked, name="one")
    both = merged(one, xml(tmp_path, {"a.png": ben}), queue=asked, name="both")
    assert np.array_equal(np.where(anna, 1, 2), both.mask(only(both, "a")))
    assert [made.figures["regions_changed"] for made in (one, both)] == [1, 1]
    assert both.figures["regions_returned"] == both.figures["regions_mislabelled"] == 1
    assert both.figures["regions_again"] == 0
    again = merged(both, xml(tmp_path, {"a.png": 2 * anna}), queue=asked, name="again")
    assert (again.figures["regions_returned"], again.figures["regions_again"]) == (1, 1)


def test_a_picture_that_comes_back_empty_answers_nothing(tmp_path: Path) -> None:
    """As CVAT exports those that nobody opened where people draw from scratch: the queue is not judged by them."""
    source = artefacts.dataset(tmp_path / "source", {"a": COINS, "b": COINS})
    asked = artefacts.queue(tmp_path / "queue", {name: (HALF, np.zeros(SIZE, np.uint8)) for name in "ab"})
    drawn = {"a.png": np.ones(SIZE, np.uint8), "b.png": np.full(SIZE, IGNORE, np.uint8)}
    after = merged(source, xml(tmp_path, drawn), queue=asked)
    figures = after.figures
    assert (figures["regions_returned"], figures["queue_precision"]) == (1, None), "what is right does not come back"
    assert (figures["regions_left_alone"], ["b"]) == (0, [reason[0] for reason in reasons(after)]), "nor as proposed"


@pytest.mark.parametrize(("unchanged", "returned", "left_alone"), [("skip", 1, 1), ("confirm", 2, 0)])
def test_what_is_in_no_mask_because_it_is_background_is_compared_as_background(
    unchanged: str, returned: int, left_alone: int, tmp_path: Path
) -> None:
    """Where the proposal was background too it is unchanged, and so is a label; so is a whole picture."""
    source = artefacts.dataset(tmp_path / "source", {name: np.array([[0, 0, 0, 0]], np.uint8) for name in "ab"})
    regions, proposal = np.array([[1, 1, 2, 2]], np.uint16), np.array([[0, 0, 1, 1]], np.uint8)
    asked = artefacts.queue(tmp_path / "queue", {"a": (regions, proposal), "b": (regions, 0 * proposal)})
    nothing = np.full((1, 4), IGNORE, np.uint8)
    drawn = {"a.png": nothing, "b.png": nothing}
    figures = merged(source, xml(tmp_path, drawn), queue=asked, unstated="background", unchanged=unchanged).figures
    also = 0 if unchanged == "skip" else 2
    assert (figures["regions_returned"], figures["regions_changed"]) == (returned + also, 1)
    assert (figures["regions_left_alone"], figures["images_unchanged"]) == (left_alone, 1)
    assert figures["queue_precision"] == (None if unchanged == "skip" else 1 / 4)
    assert figures["regions_mislabelled"] == 0


@pytest.mark.parametrize(
    ("scope", "expected"),
    [("regions", "2....... 1111...."), ("touched", "2......2 11112222"), ("image", "20000002 11112222")],
)
def test_the_scope_says_how_far_a_whole_proposal_counts(scope: str, expected: str, tmp_path: Path) -> None:
    """Queued regions; those and what a person must have changed; or everything that came back."""
    mask = np.full((2, 8), IGNORE, np.uint8)
    source = artefacts.dataset(tmp_path / "source", {"a": mask})
    regions = np.array([[5, 0, 0, 0, 0, 0, 0, 0], [6, 6, 6, 6, 0, 0, 0, 0]], np.uint16)
    proposal = np.array([[0] * 8, [1] * 8], np.uint8)
    asked = artefacts.queue(tmp_path / "queue", {"a": (regions, proposal)})
    stated = proposal.copy()
    stated[0, [0, 7]], stated[1, 4:] = 2, 2
    after = merged(source, xml(tmp_path, {"a.png": stated}), queue=asked, scope=scope, unchanged="image")
    shown = ["".join("." if i == IGNORE else str(i) for i in row) for row in after.mask(only(after, "a"))]
    assert " ".join(shown) == expected
    assert after.figures["queue_precision"] == 0.5


@pytest.mark.parametrize(
    ("unstated", "expected", "precision"),
    [("keep", [1, 1], None), ("ignore", [IGNORE, 1], 1.0), ("background", [0, 1], 1.0), ("void", [IGNORE, 1], 0.0)],
)
def test_pixels_in_no_mask_follow_the_rule(
    unstated: str, expected: list[int], precision: float | None, tmp_path: Path
) -> None:
    """Inside a queued region whose mask was erased; pixels outside keep what they were."""
    source = artefacts.dataset(tmp_path / "source", {"a": np.array([[1, 1]], np.uint8)})
    asked = artefacts.queue(tmp_path / "queue", {"a": (np.array([[1, 0]], np.uint16), np.array([[1, 1]], np.uint8))})
    after = merged(
        source,
        xml(tmp_path, {"a.png": np.array([[IGNORE, 1]], np.uint8)}),
        queue=asked,
        scope="regions",
        unstated=unstated,
        unchanged="image",
    )
    assert [expected] == after.mask(only(after, "a")).tolist()
    assert after.figures["queue_precision"] == precision
    assert after.map(only(after, "a"), "confidence")[0, 0] == {"keep": 150, "background": 255}.get(unstated, 0)
    settled = unstated in ("background", "void")
    assert (after.map(only(after, "a"), "source")[0, 0] == Origin.HUMAN) == settled, "void is never asked about again"


def test_a_queue_is_judged_by_the_labels_it_doubted_too(tmp_path: Path) -> None:
    """A region counts if most of the pixels that both name were labelled otherwise; a proposal is no label."""
    known = np.array([[1, 1, 1, 0, 0, 0, IGNORE, IGNORE]], np.uint8)
    regions = np.array([[1, 1, 1, 2, 2, 2, 3, 3]], np.uint16)
    source = artefacts.dataset(tmp_path / "source", {"a": known})
    asked = artefacts.queue(tmp_path / "queue", {"a": (regions, np.full((1, 8), 2, np.uint8))})
    stated = np.array([[1, 2, 2, 0, 0, 2, 2, 2]], np.uint8)
    after = merged(source, xml(tmp_path, {"a.png": stated}), queue=asked, unchanged="image")
    assert (after.figures["label_precision"], after.figures["regions_returned"]) == (pytest.approx(1 / 3), 3)


@pytest.mark.parametrize(("unchanged", "corrected"), [("confirm", 1), ("skip", 0)])
def test_an_unchanged_proposal_is_confirmed_or_skipped(unchanged: str, corrected: int, tmp_path: Path) -> None:
    """It is counted either way."""
    source = artefacts.dataset(tmp_path / "source", {"a": COINS})
    proposal = np.zeros(SIZE, np.uint8)
    asked = artefacts.queue(tmp_path / "queue", {"a": (HALF, proposal)})
    after = merged(source, xml(tmp_path, {"a.png": proposal}), queue=asked, unchanged=unchanged)
    assert (after.figures["images_unchanged"], after.figures["images_corrected"]) == (1, corrected)
    assert len(reasons(after)) == 1 - corrected


@pytest.mark.parametrize(
    ("unchanged", "vouched", "precision"),
    [("skip", "1002", None), ("image", "1112", 1 / 2), ("confirm", "1112", 1 / 2)],
)
@pytest.mark.parametrize("scope", ["regions", "touched"])
def test_a_region_that_came_back_as_proposed_is_a_persons_only_if_the_rules_say_so(
    scope: str, unchanged: str, vouched: str, precision: float | None, tmp_path: Path
) -> None:
    """Whoever corrects one region of an image and stops there says nothing of the model's guesses in the others."""
    source = artefacts.dataset(tmp_path / "source", {"a": np.array([[0, 0, 0, 0]], np.uint8)})
    proposal = np.array([[1, 1, 1, 1]], np.uint8)
    asked = artefacts.queue(tmp_path / "queue", {"a": (np.array([[1, 2, 2, 1]], np.uint16), proposal)})
    stated = np.array([[1, 1, 1, 2]], np.uint8)
    after = merged(source, xml(tmp_path, {"a.png": stated}), queue=asked, scope=scope, unchanged=unchanged)
    assert "".join(map(str, after.mask(only(after, "a"))[0])) == vouched
    human = after.map(only(after, "a"), "source")[0] == Origin.HUMAN
    assert human.tolist() == [True, unchanged != "skip", unchanged != "skip", True]
    assert after.figures["queue_precision"] == precision
    assert after.figures["regions_left_alone"] == (unchanged == "skip") == len(reasons(after))


def test_images_outside_the_queue_are_left_out(tmp_path: Path) -> None:
    """Nobody was asked about them; with scope=image they count."""
    source = artefacts.dataset(tmp_path / "source", {"a": COINS, "b": COINS})
    asked = artefacts.queue(tmp_path / "queue", {"a": (HALF, np.zeros(SIZE, np.uint8))})
    path = xml(tmp_path, dict.fromkeys(("a.png", "b.png"), np.full(SIZE, 1, np.uint8)))
    assert "not in the queue" in reasons(merged(source, path, queue=asked))[0]
    assert merged(source, path, queue=asked, name="whole", scope="image").figures["images_corrected"] == 2


def test_a_scope_that_needs_a_queue_says_so(tmp_path: Path) -> None:
    """As does a queue of other images."""
    source = artefacts.dataset(tmp_path / "source", {"a": COINS})
    with pytest.raises(ConfigError, match="needs the queue"):
        merged(source, xml(tmp_path, {}), scope="regions")
    asked = artefacts.queue(tmp_path / "queue", {"a": (HALF[:2], np.zeros((2, 8), np.uint8))})
    with pytest.raises(ArtefactError, match="size"):
        merged(source, xml(tmp_path, {"a.png": COINS}), queue=asked)


@pytest.mark.parametrize(("unstated", "alone"), [("keep", [1, 3]), ("ignore", [3]), ("void", [3])])
def test_an_erased_pixel_is_a_change_unless_it_says_nothing(unstated: str, alone: list[int]) -> None:
    """Of three regions one came back in part, one not at all, one whole."""
    regions = np.array([[1, 1, 2, 2, 3, 3]], np.uint16)
    stated = np.array([[1, IGNORE, IGNORE, IGNORE, 1, 1]], np.uint8)
    asked = Asked(regions, np.ones((1, 6), np.uint8))
    assert left_alone(stated, asked, Rules(scope="touched", unstated=unstated)) == alone
    assert left_alone(stated, asked, Rules(scope="touched", unstated=unstated, unchanged="image")) == []
    assert left_alone(stated, asked, Rules(scope="image", unstated=unstated)) == []


@pytest.mark.parametrize("key", ["scope", "unstated", "unchanged"])
def test_a_rule_that_is_none_is_refused_by_name(key: str) -> None:
    """With the choices that there are."""
    with pytest.raises(ConfigError, match=rf"unknown rules\.{key}") as caught:
        Rules(**{key: "forget"})
    assert CHOICES[key][0] in str(caught.value)


@pytest.mark.parametrize(
    ("supervision", "origin"),
    [("exact", Origin.EXACT), ("human", Origin.HUMAN), ("masks", Origin.HINT), ("points", Origin.PSEUDO)],
)
def test_a_mask_without_an_origin_map_is_as_sure_as_its_sample_says(
    supervision: str, origin: Origin, tmp_path: Path
) -> None:
    """What people painted stands against a proposal that came back as it was; ignored pixels are nobody's."""
    source = artefacts.dataset(tmp_path / "source", {"a": np.array([[1, IGNORE]], np.uint8)})
    sample = only(source, "a").replace(source=None, confidence=None, supervision=Supervision(supervision))
    known = Known.of(source, sample)
    assert (known.source_hw.tolist(), known.confidence_hw.tolist()) == ([[origin, Origin.NONE]], [[255, 0]])
