"""One property suite over every acquisition of the configuration tree, and what each of them promises."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.acquire.acquisition import ClassLikely, ClassRandom, Stratified, TopRegions, class_of
from factory.acquire.candidates import Candidate
from factory.acquire.diversity import KCenter
from factory.acquire.embeddings import unit
from factory.command import tree
from factory.command.bind import make_part
from factory.core.errors import ConfigError
from tests.command.composing import composed


def configured(choice: str):
    """The acquisition as its YAML file sets it up."""
    ((config, _),) = composed("select", f"acquisition={choice}")
    return make_part("acquisition", config["acquisition"])


ACQUISITIONS = {choice: configured(choice) for choice in tree.choices("acquisition")}
every_acquisition = pytest.mark.parametrize("acquisition", ACQUISITIONS.values(), ids=ACQUISITIONS.keys())
NOTHING = np.empty((0, 0), np.float32)
CAPS = {"budget": 60, "unit": "regions", "per_image": 100, "min_pixels": 1, "max_overlap": 1.0, "max_likeness": None}


def pool(count: int, classes: int, seed: int) -> list[Candidate]:
    """Regions of a few images, many with equal scores, some too small, most of them of class 0."""
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.linspace(8, 0.5, classes), count)
    return [
        Candidate(
            sample_id=f"image {rng.integers(max(count // 6, 1))}", place=(f"picture {number % 3}", 0, 0), region=number,
            box=(0, 0, 5, 5), pixels=int(rng.integers(10, 60)), probabilities=tuple(weights[number]),
            score=float(rng.integers(0, 4)) / 3, scores={},
            embedding=unit(rng.normal(size=(1, 4)).astype(np.float32))[0],
        )
        for number in range(count)
    ]  # fmt: skip


def names(chosen) -> list[tuple[str, int]]:
    """Which regions, in order."""
    return [(candidate.sample_id, candidate.region) for candidate in chosen]


@every_acquisition
@given(st.integers(0, 60), st.integers(1, 5), st.integers(0, 999), st.integers(1, 30), st.integers(1, 5))
@settings(deadline=None, max_examples=40)
def test_caps_hold_and_the_order_of_the_pool_does_not_matter(acquisition, count, classes, seed, budget, per_image):
    """A pool smaller than the budget, an empty one, one class, ties: as many as the caps allow, each once."""
    acquisition = replace(acquisition, budget=budget, per_image=per_image, max_overlap=1.0)
    candidates = pool(count, classes, seed)
    chosen = acquisition(candidates, seed=seed, known_nc=NOTHING)
    assert len(set(names(chosen))) == len(chosen) <= budget
    assert all(candidate.pixels >= acquisition.min_pixels for candidate in chosen)
    assert max(Counter(candidate.sample_id for candidate in chosen).values(), default=0) <= per_image
    room = Counter(candidate.sample_id for candidate in candidates if candidate.pixels >= acquisition.min_pixels)
    assert len(chosen) == min(budget, sum(min(regions, per_image) for regions in room.values()))
    assert names(acquisition(candidates[::-1], seed=seed, known_nc=NOTHING)) == names(chosen)


@every_acquisition
def test_another_seed_draws_others_and_a_region_keeps_its_draw_whatever_stands_beside_it(acquisition) -> None:
    """But for the one that draws nothing."""
    acquisition = replace(acquisition, budget=10, per_image=100, min_pixels=1, max_overlap=1.0)
    candidates = pool(60, 3, 0)
    drawn = {tuple(names(acquisition(candidates, seed=seed, known_nc=NOTHING))) for seed in range(4)}
    assert len(drawn) == (1 if isinstance(acquisition, TopRegions | KCenter) else 4)


def test_what_looks_like_known_pixels_is_asked_about_last() -> None:
    """However doubtful; without known pixels the most doubtful is the first."""
    acquisition = KCenter(**CAPS | {"budget": 4}, pool=10)
    turns = np.deg2rad([0, 10, 90, 180]).astype(np.float32)
    vectors = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    candidates = [
        replace(one, embedding=vector, score=score)
        for one, vector, score in zip(pool(4, 2, 0), vectors, (1.0, 0.9, 0.1, 0.2), strict=True)
    ]
    assert names(acquisition(candidates, seed=0, known_nc=NOTHING))[0] == names(candidates)[0]
    assert names(acquisition(candidates, seed=0, known_nc=vectors[:1])) == names([candidates[n] for n in (3, 2, 1, 0)])


def test_classes_are_asked_about_in_turn() -> None:
    """The rare ones too: as evenly as there are regions of each."""
    candidates = pool(60, 4, 1)
    there = Counter(map(class_of, candidates))
    chosen = ClassRandom(**CAPS | {"budget": 12})(candidates, seed=0, known_nc=NOTHING)
    found = Counter(map(class_of, chosen))
    assert set(found) == set(there)
    fair = 12 // len(there)
    assert all(found[class_id] >= min(fair, there[class_id]) for class_id in there)


def test_a_class_that_is_predicted_nowhere_has_its_turn_where_it_is_likely() -> None:
    """Drawn in proportion: of two regions, the one that is three times as likely to be rare comes first so often."""
    two = [replace(one, probabilities=p) for one, p in zip(pool(2, 2, 0), ((0.9, 0.1), (0.7, 0.3)), strict=True)]
    first = [ClassLikely(**CAPS)(two, seed=seed, known_nc=NOTHING)[0].probabilities[1] for seed in range(600)]
    np.testing.assert_allclose(np.mean(np.array(first) == 0.3), 0.75, atol=0.05)
    candidates = [
        replace(one, pixels=50, probabilities=(0.5, 0.3, 0.2) if number < 6 else (0.7, 0.3, 0.0))
        for number, one in enumerate(pool(60, 3, 0))
    ]
    chosen = ClassLikely(**CAPS | {"budget": 12})(candidates, seed=0, known_nc=NOTHING)
    assert sum(one.probabilities[2] > 0 for one in chosen) >= 4


def test_without_noise_the_most_doubtful_of_each_class_come_first() -> None:
    """Share 1: strata alone; share 0: the scores alone, as the top is."""
    candidates = [replace(one, score=one.score + 1e-3 * one.region) for one in pool(60, 3, 2)]
    quiet = {"noise": 0.0, "decay": 1.0, "round": 0}
    strata = Stratified(**CAPS | {"budget": 6}, share=1.0, **quiet)(candidates, seed=0, known_nc=NOTHING)
    best = {k: max(c.score for c in candidates if class_of(c) == k) for k in set(map(class_of, candidates))}
    assert {class_of(c): c.score for c in strata[: len(best)]} == best
    plain = TopRegions(**CAPS | {"budget": 9})(candidates, seed=0, known_nc=NOTHING)
    assert names(Stratified(**CAPS | {"budget": 9}, share=0.0, **quiet)(candidates, seed=0, known_nc=NOTHING)) == names(
        plain
    )
    half = Stratified(**CAPS | {"budget": 10}, share=0.5, **quiet)(candidates, seed=0, known_nc=NOTHING)
    assert set(names(half[::2])) <= set(
        names(Stratified(**CAPS, share=1.0, **quiet)(candidates, seed=0, known_nc=NOTHING)[:12])
    )


def test_noise_draws_in_proportion_to_scores_and_decays() -> None:
    """Of two regions, one three times as doubtful, it comes first three times in four; later on, nearly always."""
    two = [replace(one, score=score) for one, score in zip(pool(2, 2, 0), (1.0, 3.0), strict=True)]
    for turn, expected in ((0, 0.75), (12, 1.0)):
        noisy = Stratified(**CAPS, share=0.0, noise=1.0, decay=0.7, round=turn)
        first = [noisy(two, seed=seed, known_nc=NOTHING)[0].score for seed in range(600)]
        np.testing.assert_allclose(np.mean(np.array(first) == 3.0), expected, atol=0.05)


@pytest.mark.parametrize("broken", [{"share": 1.5}, {"noise": -1.0}, {"decay": 2.0}, {"round": -1}, {"budget": 0}])
def test_settings_that_cannot_work_are_refused(broken) -> None:
    """By name."""
    with pytest.raises(ConfigError, match=next(iter(broken))):
        Stratified(**CAPS | {"share": 0.5, "noise": 1.0, "decay": 0.7, "round": 0} | broken)


def test_k_center_asks_about_what_differs_among_the_doubtful() -> None:
    """Three clusters of doubtful regions, and one of sure ones: one of each doubtful cluster comes first."""
    rng = np.random.default_rng(0)
    candidates = pool(40, 2, 0)
    looks = unit((np.eye(4)[np.arange(40) % 4] + 0.01 * rng.normal(size=(40, 4))).astype(np.float32))
    candidates = [
        replace(one, embedding=look, score=0.1 if number % 4 == 3 else 0.5 + number / 100)
        for number, (one, look) in enumerate(zip(candidates, looks, strict=True))
    ]
    chosen = KCenter(**CAPS | {"budget": 3}, pool=10.0)(candidates, seed=0, known_nc=NOTHING)
    assert chosen[0].score == max(one.score for one in candidates)
    assert sorted(one.region % 4 for one in chosen) == [0, 1, 2]


@every_acquisition
def test_a_pool_of_duplicates_is_asked_about_once_where_that_is_wished(acquisition) -> None:
    """All alike and equally doubtful: any of them, or one of them."""
    twins = [replace(one, embedding=np.ones(4, np.float32) / 2, score=0.5, pixels=50) for one in pool(20, 3, 0)]
    free = replace(acquisition, **CAPS | {"budget": 5})(twins, seed=0, known_nc=NOTHING)
    once = replace(acquisition, **CAPS | {"budget": 5, "max_likeness": 0.99})(twins, seed=0, known_nc=NOTHING)
    assert (len(free), len(once)) == (5, 1)
