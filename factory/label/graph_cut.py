"""Labels of least energy on a graph whose neighbours would rather agree: cuts, and expansion moves for many classes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]

UNIT = 1000
"""Capacities are whole numbers: energies to three decimals."""

MOST = 2**28
"""Largest capacity: sums of many stay within 32 bits, and no cut is worth it."""


def potts(unary_sk: Floats, edges_2e: Index, weight_e: Floats, *, rounds: int = 5) -> Index:
    """Labels x that (for two classes exactly) minimise sum_s unary[s, x_s] + sum_e weight_e [x_i != x_j].

    Expansion moves (Boykov, Veksler & Zabih 2001, section 5) with the graph of Kolmogorov & Zabih (2004), until a
    round over all classes finds nothing better or ``rounds`` are over. Infinite unaries forbid a label; every node
    needs one that is finite. Weights are 0 or more.
    """
    finite_sk = np.where(np.isfinite(unary_sk), unary_sk, 4 * MOST / UNIT)
    labels_s: Index = finite_sk.argmin(axis=1)
    best = energy(finite_sk, edges_2e, weight_e, labels_s)
    for _ in range(rounds if unary_sk.shape[1] > 2 else 1):
        before = best
        for class_id in range(1 if unary_sk.shape[1] == 2 else 0, unary_sk.shape[1]):
            moved_s = _expanded(finite_sk, edges_2e, weight_e, labels_s, class_id)
            if (found := energy(finite_sk, edges_2e, weight_e, moved_s)) < best - 0.5 / UNIT:
                labels_s, best = moved_s, found
        if best >= before:
            break
    return labels_s


def energy(unary_sk: Floats, edges_2e: Index, weight_e: Floats, labels_s: Index) -> float:
    """What `potts` minimises."""
    first, second = edges_2e
    cut = weight_e[labels_s[first] != labels_s[second]].sum()
    return float(unary_sk[np.arange(len(labels_s)), labels_s].sum() + cut)


def _expanded(unary_sk: Floats, edges_2e: Index, weight_e: Floats, labels_s: Index, class_id: int) -> Index:
    """The best labels among those where each node keeps its own or takes ``class_id``.

    For two classes and ``class_id`` 1 every node may choose freely, as if it had had 0.
    """
    start_s = np.zeros_like(labels_s) if unary_sk.shape[1] == 2 else labels_s
    first, second = edges_2e
    both_stay = weight_e * (start_s[first] != start_s[second])
    second_moves = weight_e * (start_s[first] != class_id)
    first_moves = weight_e * (start_s[second] != class_id)
    gain_s = unary_sk[:, class_id] - unary_sk[np.arange(len(start_s)), start_s]
    np.add.at(gain_s, first, first_moves - both_stay)
    np.add.at(gain_s, second, -first_moves)
    moves_s = _cut(gain_s, edges_2e, second_moves + first_moves - both_stay)
    return np.where(moves_s, class_id, start_s)


def _cut(gain_s: Floats, edges_2e: Index, weight_e: Floats) -> npt.NDArray[np.bool_]:
    """Which nodes move in the minimum of sum_s gain_s x_s + sum_e weight_e (1 - x_i) x_j."""
    nodes = len(gain_s)
    source, sink = nodes, nodes + 1
    every = np.arange(nodes)
    rows = np.concatenate([np.full(nodes, source), every, edges_2e[1]])
    columns = np.concatenate([every, np.full(nodes, sink), edges_2e[0]])
    energies = np.concatenate([np.maximum(-gain_s, 0), np.maximum(gain_s, 0), weight_e])
    capacity = np.minimum(np.rint(energies * UNIT), MOST).astype(np.int32)
    graph = coo_array((capacity, (rows, columns)), shape=(nodes + 2, nodes + 2)).tocsr()
    left = graph - maximum_flow(graph, source, sink).flow
    left.data = np.maximum(left.data, 0)
    left.eliminate_zeros()
    moves = np.zeros(nodes + 2, bool)
    moves[breadth_first_order(left, source, return_predecessors=False)] = True
    return moves[:nodes]
