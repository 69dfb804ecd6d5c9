"""Tree energy loss: what is known of a pixel spreads along the picture's minimum spanning tree to pixels like it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree
from torch import Tensor
from torch.nn import functional

from factory.segment.evidence import Evidence
from factory.segment.losses.term import Term, check_range
from factory.segment.models import Outputs

Floats = npt.NDArray[np.float32]


class Tree(NamedTuple):
    """A rooted spanning tree of P pixels: its nodes by depth, each node's parent, and squared distance to it."""

    levels: list[npt.NDArray[np.int64]]
    parent_p: npt.NDArray[np.int64]
    length_p: Floats


@dataclass(frozen=True, kw_only=True)
class TreeEnergy(Term):
    """Mean absolute difference between prediction and its smoothing along two trees, where nothing is known.

    The prediction is smoothed along the minimum spanning tree of the picture's colours (affinity exp(-d² / ``sigma``),
    d summed along the path), the result along that of the decoder's features (exp(-d²)); the outcome is the target, and
    no gradient flows through it. Both work on a grid whose longer side has at most ``side`` nodes. Source: Liang et
    al., Tree Energy Loss (2022), eq. 3-7.
    """

    weight: float = 0.4
    sigma: float = 0.02
    side: int = 60

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("sigma", self.sigma, 0, above=True)
        check_range("side", self.side, 4, 512)

    def __call__(self, outputs: Outputs, evidence: Evidence) -> Tensor:
        """See `Term`."""
        guess_nkhw = self._small(outputs.logits_nkhw.softmax(dim=1))
        open_nhw = self._small((~evidence.known_nhw).float().unsqueeze(1)).squeeze(1)
        target_nkhw = guess_nkhw.detach()
        features_nchw = functional.normalize(self._at_nodes(outputs, guess_nkhw), dim=1)
        for guides_nchw, sigma in ((self._small(evidence.images_nchw), self.sigma), (features_nchw, 1.0)):
            target_nkhw = _smoothed(target_nkhw, guides_nchw.detach(), sigma)
        gap_nhw = (guess_nkhw - target_nkhw).abs().sum(dim=1)
        return (gap_nhw * open_nhw).sum() / open_nhw.sum().clamp(min=1)

    def _small(self, maps_nchw: Tensor) -> Tensor:
        return functional.avg_pool2d(maps_nchw, self._stride(maps_nchw), ceil_mode=True)

    def _stride(self, maps_nchw: Tensor) -> int:
        return -(-max(maps_nchw.shape[-2:]) // self.side)

    def _at_nodes(self, outputs: Outputs, nodes_nkhw: Tensor) -> Tensor:
        """The features at the middles of the grid's cells; they cover the padded picture, the grid the picture."""
        stride, cells_hw = self._stride(outputs.logits_nkhw), outputs.features_nchw.shape[-2:]
        rows, columns = (
            ((torch.arange(nodes, device=nodes_nkhw.device) + 0.5) * stride * cells / covered)
            .long()
            .clamp(max=cells - 1)
            for nodes, cells, covered in zip(nodes_nkhw.shape[-2:], cells_hw, outputs.padded_hw, strict=True)
        )
        return outputs.features_nchw[:, :, rows[:, None], columns]


def _smoothed(maps_nkhw: Tensor, guides_nchw: Tensor, sigma: float) -> Tensor:
    """Each picture's maps, averaged with tree affinities of its guide."""
    guides, maps = guides_nchw.float().cpu().numpy(), maps_nkhw.float().cpu().numpy()
    done = [filter_along(spanning_tree(guide), one, sigma) for guide, one in zip(guides, maps, strict=True)]
    return torch.from_numpy(np.stack(done)).to(maps_nkhw)


def spanning_tree(guide_chw: Floats) -> Tree:
    """The minimum spanning tree of the 4-neighbourhood, by squared distance of the guide's values."""
    channels, height, width = guide_chw.shape
    flat_cp = guide_chw.reshape(channels, -1)
    index_hw = np.arange(height * width).reshape(height, width)
    start = np.concatenate([index_hw[:, :-1].ravel(), index_hw[:-1].ravel()])
    end = np.concatenate([index_hw[:, 1:].ravel(), index_hw[1:].ravel()])
    length = np.square(flat_cp[:, start] - flat_cp[:, end]).sum(axis=0)
    # scipy takes an edge of length 0 for none
    grid = coo_matrix((length.astype(np.float64) + 1e-9, (start, end)), shape=(index_hw.size, index_hw.size)).tocsr()
    order, parent_p = breadth_first_order(minimum_spanning_tree(grid), 0, directed=False)
    parent_p[0] = 0
    cuts = np.cumsum(np.bincount(_depths(parent_p)))[:-1]
    length_p = np.square(flat_cp - flat_cp[:, parent_p]).sum(axis=0)
    return Tree(np.split(order.astype(np.int64), cuts), parent_p.astype(np.int64), length_p.astype(np.float32))


def _depths(parent_p: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """Steps from each node up to node 0, which is its own parent: each look reaches twice as far up as the last."""
    depth_p, above_p = (np.arange(len(parent_p)) > 0).astype(np.int64), parent_p
    while above_p.any():
        depth_p, above_p = depth_p + depth_p[above_p], above_p[above_p]
    return depth_p


def filter_along(tree: Tree, maps_khw: Floats, sigma: float) -> Floats:
    """Each node's mean over all nodes, weighed by exp(-path / sigma): exact, in two passes (Yang 2012, eq. 4-6)."""
    classes, height, width = maps_khw.shape
    affinity_p = np.exp(-tree.length_p / sigma)
    values_pk = np.concatenate([maps_khw.reshape(classes, -1).T, np.ones((height * width, 1), np.float32)], axis=1)
    up_pk = values_pk.copy()
    for level in reversed(tree.levels[1:]):
        np.add.at(up_pk, tree.parent_p[level], affinity_p[level, None] * up_pk[level])
    all_pk = up_pk.copy()
    for level in tree.levels[1:]:
        near = affinity_p[level, None]
        all_pk[level] = near * all_pk[tree.parent_p[level]] + (1 - near**2) * up_pk[level]
    mean_pk: Floats = all_pk[:, :-1] / all_pk[:, -1:]
    return mean_pk.T.reshape(classes, height, width).astype(np.float32)
