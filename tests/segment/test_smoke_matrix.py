"""Every model with every loss: one step of each pair, as the configuration names them."""

import functools
from dataclasses import replace
from typing import Any

import pytest
import torch

from factory.command import tree
from factory.command.bind import bind
from factory.core.classes import IGNORE, ClassList
from factory.segment.architectures import ARCHITECTURES
from factory.segment.evidence import Evidence
from factory.segment.losses.term import Total
from factory.segment.models import build
from tests.command.composing import composed

CLASSES = ClassList.of(["ground", "coin", "rim"])


@functools.cache
def part(name: str, choice: str) -> Any:
    """A part of the train stage, chosen as a user would."""
    ((config, _),) = composed("train", f"{name}={choice}")
    return bind("train", config).parts[name]


def is_own(loss: str) -> bool:
    """Whether a choice is a loss of its own rather than a mixture or another's preset."""
    return list(part("loss", loss)) == [loss]


def known() -> Evidence:
    """Two pictures, a third of whose pixels nobody labelled, some of them less sure than others."""
    source = torch.Generator().manual_seed(0)
    target = torch.randint(0, 3, (2, 4, 6), generator=source).repeat_interleave(8, 1).repeat_interleave(8, 2)
    target[:, :10] = IGNORE
    return Evidence(
        images_nchw=torch.rand(2, 3, 32, 48, generator=source),
        target_nhw=target,
        weight_nhw=(target != IGNORE) * 0.5,
        confidence_nhw=torch.rand(2, 32, 48, generator=source),
        counts_k=torch.bincount(target[target != IGNORE], minlength=3).float(),
    )


@pytest.mark.parametrize("model", tree.choices("model"))
def test_every_model_learns_from_every_loss(model: str) -> None:
    """Finite values and finite gradients, some of them not zero."""
    spec = part("model", model)
    narrow = ARCHITECTURES[spec.architecture].width and ARCHITECTURES[spec.architecture].width_step
    spec = replace(spec, encoder_weights=None, decoder_channels=narrow, edge_head=True)
    network, evidence = build(spec, CLASSES, weights=None, seed=0).train(), known()
    for loss in filter(is_own, tree.choices("loss")):
        network.zero_grad()
        parts = Total(terms=part("loss", loss))(network.outputs(evidence.images_nchw), evidence)
        torch.stack(list(parts.values())).sum().backward()
        slopes = [parameter.grad.abs().sum() for parameter in network.parameters() if parameter.grad is not None]
        assert 0 < torch.stack(slopes).sum() < float("inf"), loss


def test_a_mixture_is_chosen_from_the_shell_by_its_names() -> None:
    """Each term under its own name, its numbers within reach."""
    ((config, _),) = composed("train", "loss=[ce_lovasz,boundary]", "loss.lovasz.weight=0.5")
    terms = bind("train", config).parts["loss"]
    assert list(terms) == ["ce", "lovasz", "boundary"]
    assert terms["lovasz"].weight == 0.5
    ((config, _),) = composed("run", "train.loss=[ce,dice]")
    assert list(config["train"]["loss"]) == ["ce", "dice"]
