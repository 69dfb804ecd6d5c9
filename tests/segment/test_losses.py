"""Losses: values, and what the ignore index must never do."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.core.classes import IGNORE
from factory.core.errors import ConfigError
from factory.segment.losses import CrossEntropy, Dice, Mixture

LOSSES = [
    CrossEntropy(),
    CrossEntropy(class_weights=[1.0, 0.5, 2.0], label_smoothing=0.1),
    CrossEntropy(balance=0.5),
    Dice(),
    Mixture(terms=[CrossEntropy(), Dice()], weights=[1.0, 0.5]),
]


def drawn(seed: int, *, ignored: float = 0.3) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits (2, 3, 6, 7) that want a gradient, and a target with some pixels ignored."""
    source = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, 3, 6, 7, generator=source).requires_grad_()
    target = torch.randint(0, 3, (2, 6, 7), generator=source)
    target[torch.rand(target.shape, generator=source) < ignored] = IGNORE
    return logits, target


@pytest.mark.parametrize("loss", LOSSES)
def test_a_batch_that_nobody_vouches_for_gives_zero_and_zero_gradient(loss):
    """Never NaN: points can be cropped away."""
    logits, target = drawn(0, ignored=1.1)
    value = loss(logits, target)
    value.backward()
    assert value.item() == 0
    assert not logits.grad.any()


@pytest.mark.parametrize("loss", LOSSES)
@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**31))
def test_ignored_pixels_move_neither_loss_nor_gradient(loss, seed):
    """What the model says there is nobody's business."""
    logits, target = drawn(seed)
    hidden = (target == IGNORE).unsqueeze(1)
    other = torch.where(hidden, 7 * torch.randn_like(logits), logits.detach()).requires_grad_()
    one, two = loss(logits, target), loss(other, target)
    one.backward()
    assert one.item() == pytest.approx(two.item(), abs=1e-5)
    assert not logits.grad[hidden.expand_as(logits)].any()


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**31))
def test_dice_is_one_minus_the_mean_over_classes_that_are_there(seed):
    """Against the definition, class by class."""
    logits, target = drawn(seed)
    known, guess = target != IGNORE, logits.detach().softmax(dim=1)
    scores = []
    for class_id in sorted(set(target[known].tolist())):
        truth, share = (target == class_id).float(), guess[:, class_id] * known
        scores.append((2 * (truth * share).sum() + 1) / (truth.sum() + share.sum() + 1))
    expected = 1 - torch.stack(scores).mean() if scores else torch.zeros(())
    assert expected.item() == pytest.approx(Dice()(logits, target).item(), abs=1e-5)


def test_cross_entropy_is_torchs_mean_over_known_pixels():
    """With weights too."""
    logits, target = drawn(3)
    expected = torch.nn.functional.cross_entropy(logits, target, ignore_index=IGNORE)
    assert expected.item() == pytest.approx(CrossEntropy()(logits, target).item())
    weights = torch.tensor([1.0, 0.5, 2.0])
    expected = torch.nn.functional.cross_entropy(logits, target, weight=weights, ignore_index=IGNORE)
    assert expected.item() == pytest.approx(CrossEntropy(class_weights=weights.tolist())(logits, target).item())


def test_full_balance_is_the_mean_over_classes_of_the_mean_over_their_pixels():
    """A class of two pixels says as much as one of two thousand."""
    logits, target = drawn(4)
    each = torch.nn.functional.cross_entropy(logits, target, ignore_index=IGNORE, reduction="none")
    expected = torch.stack([each[target == class_id].mean() for class_id in range(3)]).mean()
    assert expected.item() == pytest.approx(CrossEntropy(balance=1.0)(logits, target).item())


def test_a_sure_and_right_prediction_costs_next_to_nothing():
    """All losses fall towards zero."""
    target = torch.randint(0, 3, (1, 8, 8), generator=torch.Generator().manual_seed(1))
    logits = 50 * torch.nn.functional.one_hot(target, 3).movedim(-1, 1).float()
    assert float(Mixture(terms=[CrossEntropy(), Dice()], weights=[1.0, 1.0])(logits, target)) < 1e-4


@pytest.mark.parametrize(
    "make",
    [
        lambda: CrossEntropy(label_smoothing=1.0),
        lambda: CrossEntropy(class_weights=[-1.0, 1.0]),
        lambda: CrossEntropy(balance=2.0),
        lambda: Dice(smooth=0.0),
        lambda: Mixture(terms=[Dice()], weights=[1.0, 1.0]),
        lambda: Mixture(terms=[Dice()], weights=[0.0]),
    ],
)
def test_impossible_values_are_refused_at_start_up(make):
    """Not at the first step."""
    with pytest.raises(ConfigError):
        make()


def test_class_weights_must_fit_the_classes():
    """One a class."""
    with pytest.raises(ConfigError, match="one a class"):
        CrossEntropy(class_weights=[1.0, 2.0])(*drawn(0))
