"""A network for prediction alone: convolutions take over the normalisation behind them."""

from __future__ import annotations

import copy
import itertools
from typing import TypeVar

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

Module = TypeVar("Module", bound=nn.Module)


def folded(network: Module) -> Module:
    """A copy that gives what ``network`` gives in evaluation mode, but for rounding, with fewer passes over its maps.

    Normalisation with statistics that no longer change is a factor and a shift a channel, which a convolution just
    before it can have in its weights (Jacob et al. 2018, section 3.2). That is known where one follows the other in a
    plain sequence, and done there alone.
    """
    network = copy.deepcopy(network).eval()
    for sequence in [module for module in network.modules() if isinstance(module, nn.Sequential)]:
        for (name, first), (next_name, second) in itertools.pairwise(list(sequence.named_children())):
            if type(first) is nn.Conv2d and type(second) is nn.BatchNorm2d:
                setattr(sequence, name, fuse_conv_bn_eval(first, second))
                setattr(sequence, next_name, nn.Identity())
    return network
