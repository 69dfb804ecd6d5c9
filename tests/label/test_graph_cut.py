"""Cuts are held against every labelling there is."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.label.graph_cut import energy, potts


@st.composite
def problems(draw):
    """Small graphs with random energies, all in thousandths."""
    nodes, classes = draw(st.integers(1, 6)), draw(st.integers(2, 3))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    pairs = np.array(list(itertools.combinations(range(nodes), 2)), int).reshape(-1, 2)
    edges = pairs[rng.random(len(pairs)) < 0.6].T.reshape(2, -1)
    unary = rng.integers(0, 3000, (nodes, classes)) / 1000
    return unary, edges, rng.integers(0, 2000, edges.shape[1]) / 1000


def least(unary, edges, weight) -> float:
    """The least energy of all labellings."""
    nodes, classes = unary.shape
    every = itertools.product(range(classes), repeat=nodes)
    return min(energy(unary, edges, weight, np.array(labels)) for labels in every)


@given(problems())
@settings(deadline=None, max_examples=150)
def test_two_classes_are_cut_exactly_and_more_within_the_proven_bound(problem) -> None:
    """Expansion ends within twice the least energy (Boykov, Veksler & Zabih 2001, theorem 6.1), nearly always at it."""
    unary, edges, weight = problem
    found, best = energy(unary, edges, weight, potts(unary, edges, weight)), least(unary, edges, weight)
    if unary.shape[1] == 2:
        np.testing.assert_allclose(found, best, atol=1e-6)
    assert best - 1e-6 <= found <= 2 * best + 1e-6


def test_expansion_finds_the_best_of_three_classes_nearly_always() -> None:
    """In at least 95 of 100 random problems."""
    hits = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        unary = rng.integers(0, 3000, (6, 3)) / 1000
        edges = np.array([(i, i + 1) for i in range(5)] + [(0, 5), (1, 4)]).T
        weight = rng.integers(0, 2000, 7) / 1000
        hits += energy(unary, edges, weight, potts(unary, edges, weight)) <= least(unary, edges, weight) + 1e-6
    assert hits >= 95


def test_what_was_stated_is_never_cut_off() -> None:
    """An infinite energy forbids a label, however strongly the neighbours pull."""
    unary = np.array([[np.inf, 0.0], [0.0, 1.0], [0.0, np.inf]])
    labels = potts(unary, np.array([[0, 1], [1, 2]]), np.array([500.0, 400.0]))
    assert labels.tolist() == [1, 1, 0]


def test_thousandths_decide() -> None:
    """Two nodes that must agree, each for another class: the one that is surer wins."""
    for more, winner in ((1.004, 1), (0.996, 0)):
        unary = np.array([[0.0, 1.0], [more, 0.0]])
        assert potts(unary, np.array([[0], [1]]), np.array([5.0])).tolist() == [winner, winner]
