"""What a loss may look at: what the network said, and what is known of the pixels it was shown."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from factory.core.classes import IGNORE


class Evidence(NamedTuple):
    """A batch after augmentation.

    ``images_nchw`` is RGB in [0, 1]; ``target_nhw`` class ids and ignore (int64); ``weight_nhw`` how much each pixel
    counts (0 or more; 0 wherever the target is ignore); ``confidence_nhw`` the probability that its class is right
    (0 to 1); ``counts_k`` the labelled pixels of each class in all that is trained on.
    """

    images_nchw: Tensor
    target_nhw: Tensor
    weight_nhw: Tensor
    confidence_nhw: Tensor
    counts_k: Tensor

    @property
    def known_nhw(self) -> Tensor:
        """Pixels that count."""
        return self.weight_nhw > 0

    @property
    def ids_nhw(self) -> Tensor:
        """Class ids with 0 in place of ignore: safe to look up; what stands there counts nothing."""
        return self.target_nhw.masked_fill(self.target_nhw == IGNORE, 0)
