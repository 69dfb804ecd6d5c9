"""Mixing pictures of a batch: parts of one are laid over another, labels and all."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from factory.core.classes import IGNORE
from factory.core.errors import ConfigError
from factory.core.sample import Origin
from factory.segment.data import CLASS, SOURCE


@dataclass(frozen=True, kw_only=True)
class Mixing:
    """Class-mix and copy-paste, each on a share of the pictures of a batch.

    ``classmix``: half the classes of another picture of the batch are laid over this one, where they are (Olsson et
    al., ClassMix, 2021). ``paste``: all that another picture shows of the ``rare`` rarest classes is, the most frequent
    class never among them, or whole pictures would be; rendered pictures give before others, for their masks are exact
    (Ghiasi et al., Simple Copy-Paste, 2021). Draws come from torch's global stream.
    """

    classmix: float = 0.0
    paste: float = 0.0
    rare: int = 4

    def __post_init__(self) -> None:
        for name in ("classmix", "paste"):
            if not 0 <= (got := getattr(self, name)) <= 1:
                raise ConfigError(f"mixing.{name} is a probability", got=got, expected="0 to 1")
        if self.rare < 1:
            raise ConfigError("mixing.rare is a number of classes", got=self.rare, expected="1 or more")

    def __call__(self, images_nchw: Tensor, labels_nchw: Tensor, counts_k: Tensor) -> tuple[Tensor, Tensor]:
        """Both changed; ``counts_k`` says how often each class is labelled in all that is trained on."""
        mixed = (images_nchw, labels_nchw)
        if self.classmix:
            giver_n = torch.arange(len(images_nchw)).roll(_shift(len(images_nchw)))
            mixed = self._lay(*mixed, giver_n, self._half(mixed[1][giver_n], len(counts_k)), self.classmix)
        if self.paste:
            giver_n = self._givers(mixed[1])
            mixed = self._lay(*mixed, giver_n, self._rarest(mixed[1][giver_n], counts_k), self.paste)
        return mixed

    def _lay(
        self, images_nchw: Tensor, labels_nchw: Tensor, giver_n: Tensor, part_nhw: Tensor, share: float
    ) -> tuple[Tensor, Tensor]:
        chosen_n = (torch.rand(len(images_nchw)) < share).to(images_nchw.device)
        part_n1hw = (part_nhw & chosen_n.view(-1, 1, 1)).unsqueeze(1)
        images_nchw = torch.where(part_n1hw, images_nchw[giver_n], images_nchw)
        return images_nchw, torch.where(part_n1hw, labels_nchw[giver_n], labels_nchw)

    def _half(self, labels_nchw: Tensor, classes: int) -> Tensor:
        """Where a picture shows the half of its classes that is drawn; (N, H, W)."""
        ids_nhw = labels_nchw[:, CLASS].long()
        there_nk = torch.zeros(len(ids_nhw), IGNORE + 1, device=ids_nhw.device)
        there_nk.scatter_(1, ids_nhw.flatten(1), 1.0)
        there_nk = there_nk[:, :classes]
        score_nk = there_nk * torch.rand(len(ids_nhw), classes).to(there_nk)
        rank_nk = score_nk.argsort(dim=1, descending=True).argsort(dim=1)
        drawn_nk = torch.zeros(len(ids_nhw), IGNORE + 1, dtype=torch.bool, device=ids_nhw.device)
        drawn_nk[:, :classes] = (rank_nk < ((there_nk.sum(1, keepdim=True) + 1) // 2)) & (there_nk > 0)
        return drawn_nk.gather(1, ids_nhw.flatten(1)).view_as(ids_nhw)

    def _givers(self, labels_nchw: Tensor) -> Tensor:
        """For each picture the next rendered one in the batch, else the next one."""
        count = len(labels_nchw)
        rendered_n = (labels_nchw[:, SOURCE] == Origin.EXACT).flatten(1).any(dim=1)
        places = torch.nonzero(rendered_n).flatten().tolist() or list(range(count))
        return torch.tensor([next((p for p in reversed(places) if p < n), places[-1]) for n in range(count)])

    def _rarest(self, labels_nchw: Tensor, counts_k: Tensor) -> Tensor:
        """Where a picture shows a rare class; (N, H, W)."""
        there = torch.nonzero(counts_k > 0).flatten()
        rare = there[counts_k[there].argsort()[: min(self.rare, len(there) - 1)]]
        return torch.isin(labels_nchw[:, CLASS], rare.to(labels_nchw.dtype))


def _shift(count: int) -> int:
    """How far a picture's giver is away in the batch: never 0, or it would be itself."""
    return int(torch.randint(1, max(count, 2), ()))
