"""Regions are described and ranked fairly, and no spot is asked about twice."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.acquire.acquisition import TopRegions, class_of
from factory.acquire.candidates import Candidate, describe, pooled, ranked, reason
from factory.acquire.caps import shared
from factory.acquire.embeddings import unit
from factory.acquire.tiles import best_seen, margin
from factory.core.classes import ClassList
from factory.core.errors import ConfigError
from factory.measure.cost import Cost

COST = Cost(image=5.0, region=2.0, border=0.1, trust=10)
CLASSES = ClassList.of(["background", "coin", "wood"])


def test_a_region_is_described_by_its_means_and_asked_only_if_half_of_it_is_open() -> None:
    """Vouched-for pixels are no reason to ask again."""
    regions = np.array([[1, 1, 2, 2], [1, 1, 2, 2]])
    probability = np.zeros((3, 2, 4), np.float32)
    probability[1] = [[1, 0, 0.5, 0.5], [1, 0, 0.5, 0.5]]
    probability[0] = 1 - probability[1]
    score = np.arange(8, dtype=np.float32).reshape(2, 4)
    askable = np.array([[1, 1, 1, 0], [0, 0, 0, 0]], bool)
    found = describe("a", ("a", 0, 0), regions, askable, probability, score, {"entropy": score}, COST)
    assert [(c.region, c.box, c.pixels, c.score) for c in found] == [(1, (0, 0, 2, 2), 4, 2.5)]
    assert found[0].probabilities == (0.5, 0.5, 0.0)
    said = reason(found[0], CLASSES)
    assert all(word in said for word in ("background (50%)", "coin (50%)", "entropy 2.500"))


def candidate(
    sample: str, region: int, score: float, place=None, box=(0, 0, 10, 10), pixels=50, clicks=1, seconds=0.0,
    embedding=None,
) -> Candidate:  # fmt: skip
    """A region with only what ranking looks at."""
    return Candidate(
        sample_id=sample, place=place or (sample, 0, 0), region=region, box=box, pixels=pixels,
        probabilities=(1.0,), score=score, scores={}, clicks=clicks, seconds=seconds, opening=5.0,
        embedding=embedding,
    )  # fmt: skip


def picked(candidates, **changes) -> list[tuple[str, int]]:
    """What is chosen, by sample and region."""
    settings = {"budget": 3, "unit": "regions", "per_image": 2, "min_pixels": 10, "max_overlap": 0.3,
                "max_likeness": None} | changes  # fmt: skip
    return [
        (c.sample_id, c.region)
        for c in TopRegions(**settings)(list(candidates), seed=0, known_nc=np.empty((0, 0), np.float32))
    ]


def test_the_highest_scores_come_first_under_budget_cap_and_size() -> None:
    """Ties go by name and number, so that the queue is the same every time."""
    pool = [candidate("a", 1, 0.9), candidate("a", 2, 0.8), candidate("a", 3, 0.7), candidate("b", 1, 0.5),
            candidate("b", 2, 0.95, pixels=9), candidate("c", 1, 0.5)]  # fmt: skip
    assert picked(pool) == [("a", 1), ("a", 2), ("b", 1)]
    assert picked(reversed(pool)) == picked(pool)
    assert picked(pool, budget=99) == [("a", 1), ("a", 2), ("b", 1), ("c", 1)]
    assert picked([]) == []


def test_the_annotator_is_told_the_two_likeliest_classes_first_the_likeliest() -> None:
    """And how much the model doubts; of a single class there is no other."""
    doubted = replace(candidate("a", 1, 0.5), probabilities=(0.1, 0.3, 0.6), scores={"mutual_information": 0.25})
    told = "the model wavers between wood (60%) and coin (30%): mutual information 0.250 nats"
    assert reason(doubted, CLASSES) == told
    tied = replace(doubted, probabilities=(0.2, 0.4, 0.4))
    assert (class_of(tied), ranked(tied)) == (1, [1, 2, 0]), "what is predicted is told first, and is no alternative"
    assert "wavers between coin (40%) and wood (40%)" in reason(tied, CLASSES)
    assert reason(replace(doubted, probabilities=(1.0,)), CLASSES) == "background (100%): mutual information 0.250 nats"


def test_a_region_states_what_its_answer_takes() -> None:
    """By the prediction: border and parts within it, and seconds; borders between regions count nowhere."""
    regions = np.array([[1, 1, 1, 2, 2]] * 3)
    predicted = np.array([[0, 1, 0, 2, 2], [0, 1, 0, 2, 2], [0, 1, 1, 2, 2]])
    probability = (predicted == np.arange(3)[:, None, None]).astype(np.float32)
    score = np.zeros((3, 5), np.float32)
    found = describe("a", ("a", 0, 0), regions, score == 0, probability, score, {}, COST)
    assert [(c.border, c.clicks, c.seconds, c.opening) for c in found] == [(6, 3, 2.6, 5.0), (0, 1, 2.0, 5.0)]


def test_a_region_inside_another_is_boxed_and_its_parts_are_counted_within_it() -> None:
    """Three columns and two rows, one to the right and below the corner; corners that touch do not connect."""
    regions, predicted = np.ones((3, 5), int), np.full((3, 5), 2)
    regions[1:, 1:4], predicted[1:, 1:4] = 2, [[0, 2, 1], [2, 0, 1]]
    probability = (np.arange(3)[:, None, None] == predicted).astype(np.float32)
    score, open_hw = np.zeros((3, 5), np.float32), np.ones((3, 5), bool)
    outer, inner = describe("a", ("a", 0, 0), regions, open_hw, probability, score, {}, COST)
    assert (outer.box, inner.box) == ((0, 0, 5, 3), (1, 1, 4, 3))
    assert (outer.clicks, inner.clicks) == (1, 5)


def test_budgets_count_images_clicks_and_seconds() -> None:
    """What the rest does not pay for is passed over; opening an image is paid once."""
    pool = [candidate("a", 1, 0.9, clicks=2, seconds=3.0), candidate("b", 1, 0.8, clicks=4, seconds=9.0),
            candidate("a", 2, 0.7, clicks=1, seconds=2.0), candidate("c", 1, 0.6, clicks=1, seconds=1.0)]  # fmt: skip
    assert picked(pool, unit="images", budget=1) == [("a", 1), ("a", 2)]
    assert picked(pool, unit="images", budget=2, per_image=1) == [("a", 1), ("b", 1)]
    assert picked(pool, unit="clicks", budget=4) == [("a", 1), ("a", 2), ("c", 1)]
    assert picked(pool, unit="seconds", budget=10.0) == [("a", 1), ("a", 2)]
    assert picked(pool, unit="seconds", budget=16.0) == [("a", 1), ("a", 2), ("c", 1)]
    assert picked(pool, unit="seconds", budget=1.0) == []


def test_caps_allow_what_lies_at_their_limits() -> None:
    """A region of just the least size, boxes that share just what they may, a price that is just what is left."""
    boxes = [("p", 0, 0), ("p", 7, 0), ("p", 6, 0)]
    tiles = [candidate(name, 1, 0.9, place, pixels=10, seconds=3.0) for name, place in zip("abc", boxes, strict=True)]
    assert picked(tiles) == [("a", 1), ("b", 1)]
    assert picked(tiles, min_pixels=11) == []
    assert picked(tiles[:2], unit="seconds", budget=16.0) == [("a", 1), ("b", 1)]
    assert picked(tiles[:2], unit="seconds", budget=15.9) == [("a", 1)]


def test_near_duplicates_are_asked_about_once() -> None:
    """Whatever picture they are in; regions without embeddings are like nothing."""
    rng = np.random.default_rng(0)
    looks = unit(rng.normal(size=(70, 8)).astype(np.float32))
    pool = [candidate(f"{number:02}", 1, 1 - number / 100, embedding=vector) for number, vector in enumerate(looks)]
    twins = [candidate(f"{number:02} again", 1, 0.1, embedding=unit(vector[None] + 0.001)[0])
             for number, vector in enumerate(looks)]  # fmt: skip
    assert picked([*twins, *pool], budget=200, max_likeness=0.99) == [(one.sample_id, 1) for one in pool]
    assert len(picked([*twins, *pool], budget=200)) == 140
    same = [replace(one, sample_id=(name := f"{one.sample_id} again"), place=(name, 0, 0)) for one in pool]
    assert len(picked([*same, *pool], budget=200, max_likeness=1.0)) == 140, "nothing is more alike than that"
    assert len(picked([candidate("a", 1, 0.5), candidate("b", 1, 0.5)], max_likeness=0.5)) == 2


def test_a_regions_score_leaves_out_what_is_no_number_and_may_stress_the_highest() -> None:
    """Where nothing is a number there is no doubt."""
    regions, pixels = np.array([[1, 1, 2, 2, 3, 3]]), np.array([2, 2, 2])
    score = np.array([[0.2, 0.8, np.nan, 0.4, np.nan, np.nan]], np.float32)
    assert pooled(score, regions, pixels, None) == pytest.approx([0.5, 0.4, 0.0])
    weight = np.exp([2.0, 8.0])
    stressed = (weight / weight.sum()) @ [0.2, 0.8]
    assert pooled(score, regions, pixels, 0.1) == pytest.approx([stressed, 0.4, 0.0])


def test_a_region_of_low_scores_keeps_them_beside_one_of_high() -> None:
    """However strictly the highest count."""
    score = np.array([[1.0, 0.3, 0.2, 0.1, 0.1]], np.float32)
    assert pooled(score, np.array([[1, 2, 3, 4, 4]]), np.array([1, 1, 1, 2]), 0.005) == pytest.approx(
        [1, 0.3, 0.2, 0.1]
    )


@pytest.mark.parametrize("scores", [[0.2, 0.8], [-9.0, -8.4], [-30.0, -29.4], [0.2, np.nan, 0.8], [np.nan]])
def test_a_picture_as_one_region_is_pooled_as_part_of_one_is(scores) -> None:
    """All pixels in one region take a shorter way where floats allow; with a pixel outside, they do not."""
    score = np.array([scores], np.float32)
    pixels, whole = np.array([len(scores)]), np.ones(score.shape, np.intp)
    beside, outside = np.append(score, score[:, :1], axis=1), np.append(whole, [[0]], axis=1)
    assert pooled(score, whole, pixels, 0.1) == pytest.approx(pooled(beside, outside, pixels, 0.1), abs=1e-6)


def test_the_same_spot_in_two_tiles_is_asked_once() -> None:
    """Tiles of one picture overlap; regions within one tile, and other pictures, do not count as the same."""
    left = candidate("left", 1, 0.9, place=("photo", 0, 0), box=(20, 0, 30, 10))
    same = candidate("right", 7, 0.8, place=("photo", 20, 0), box=(1, 0, 11, 10))
    near = candidate("left", 2, 0.7, place=("photo", 0, 0), box=(22, 0, 32, 10))
    other = candidate("other", 1, 0.6, place=("elsewhere", 20, 0), box=(1, 0, 11, 10))
    assert picked([left, same, near, other]) == [("left", 1), ("left", 2), ("other", 1)]


def test_a_spot_is_judged_in_the_tile_that_sees_most_around_it() -> None:
    """Not where it is cut off, and not at an inner edge; the picture's own edge is no edge."""
    tiles = {
        "left": ("photo", (0, 0, 60, 40)),
        "right": ("photo", (40, 0, 100, 40)),
        "other": ("other", (0, 0, 60, 40)),
    }
    inner = candidate("left", 1, 0.9, place=("photo", 0, 0), box=(50, 10, 60, 20))
    better = candidate("right", 1, 0.5, place=("photo", 40, 0), box=(11, 10, 20, 20))
    corner = candidate("left", 2, 0.8, place=("photo", 0, 0), box=(0, 0, 10, 10))
    alone = candidate("other", 1, 0.7, box=(50, 10, 60, 20))
    assert best_seen([inner, better, corner, alone], tiles) == [better, corner, alone]
    assert best_seen([inner], {"left": tiles["left"]}) == [inner]


@given(st.tuples(*[st.integers(0, 20)] * 2), st.integers(1, 20), st.integers(1, 20))
def test_margins_are_those_of_inner_edges(corner, width, height) -> None:
    """A box inside a tile that is the whole picture is seen perfectly; one that sticks out is not."""
    box = (*corner, corner[0] + width, corner[1] + height)
    assert margin(box, (0, 0, 40, 40), (0, 0, 40, 40)) == float("inf")
    assert margin(box, (0, 0, 40, 40), (-9, -9, 99, 99)) == min(*corner, 40 - box[2], 40 - box[3])
    assert margin(box, (corner[0] + 1, 0, 60, 60), (0, 0, 60, 60)) == -1


def test_shares_of_boxes() -> None:
    """Of the smaller one."""
    assert shared((0, 0, 10, 10), (5, 0, 15, 10)) == 0.5
    assert shared((0, 0, 10, 10), (2, 2, 4, 4)) == 1
    assert shared((0, 0, 10, 10), (10, 0, 12, 10)) == 0


@pytest.mark.parametrize(
    "broken", [{"budget": 0}, {"unit": "hours"}, {"max_likeness": 0.0}, {"per_image": 0}, {"max_overlap": 1.5}]
)
def test_settings_that_cannot_work_are_refused(broken) -> None:
    """By name."""
    with pytest.raises(ConfigError, match=next(iter(broken))):
        picked([], **broken)
