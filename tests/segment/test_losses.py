"""Every loss: what all of them promise, and each against its definition."""

import itertools
import math

import numpy as np
import pytest
import segmentation_models_pytorch as smp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import shortest_path
from torch.nn import functional

from factory.command import tree
from factory.command.bind import make_part
from factory.core.classes import IGNORE
from factory.core.errors import ConfigError
from factory.segment.evidence import Evidence
from factory.segment.losses.boundary import Boundary, borders
from factory.segment.losses.cross_entropy import (
    CollisionCrossEntropy,
    CrossEntropy,
    Focal,
    SoftCrossEntropy,
    weights_by_class,
)
from factory.segment.losses.gated_crf import GatedCrf
from factory.segment.losses.overlap import Dice, Lovasz, Tversky
from factory.segment.losses.term import Term, Total
from factory.segment.losses.tree_energy import TreeEnergy, filter_along, spanning_tree
from factory.segment.models import Outputs
from tests.command.composing import composed
from tests.segment.evidence import drawn, evidence, outputs


def configured() -> list[Term]:
    """Every term of the configuration tree, all in one mixture."""
    ((config, _),) = composed("train", f"loss=[{','.join(tree.choices('loss'))}]")
    return list(make_part("loss", config["loss"]).values())


OTHERS = [
    CrossEntropy(balance=1.0, class_weights="effective"),
    CrossEntropy(label_smoothing=0.1, class_weights=[1.0, 2.0, 0.5]),
    Focal(class_weights="inverse"),
    GatedCrf(stride=1, radius=2),
]
LOSSES = [*configured(), *OTHERS]
LABELLED = [loss for loss in LOSSES if not isinstance(loss, GatedCrf | TreeEnergy)]  # these two look at open pixels
seeds = given(seed=st.integers(0, 2**31))
few = settings(deadline=None, max_examples=25)


@pytest.mark.parametrize("loss", LABELLED, ids=repr)
def test_a_batch_that_nobody_vouches_for_gives_zero_and_zero_gradient(loss):
    """Never NaN: points can be cropped away."""
    said, known = drawn(0, ignored=1.1)
    value = loss(said, known)
    value.backward()
    assert value.item() == 0
    assert said.logits_nkhw.grad is None or not said.logits_nkhw.grad.any()
    assert said.edges_n1hw.grad is None or not said.edges_n1hw.grad.any()


@pytest.mark.parametrize("loss", LABELLED, ids=repr)
@few
@seeds
def test_pixels_without_a_label_move_neither_loss_nor_gradient(loss, seed):
    """What the model says there is nobody's business."""
    said, known = drawn(seed, weighted=True)
    hidden = (known.target_nhw == IGNORE).unsqueeze(1)
    other = torch.where(hidden, 7 * torch.randn_like(said.logits_nkhw), said.logits_nkhw.detach()).requires_grad_()
    one, two = loss(said, known), loss(said._replace(logits_nkhw=other), known)
    assert one.item() == pytest.approx(two.item(), abs=1e-5)
    if not isinstance(loss, Boundary):
        one.backward()
        assert not said.logits_nkhw.grad[hidden.expand_as(said.logits_nkhw)].any()


@pytest.mark.parametrize("loss", LABELLED, ids=repr)
@few
@seeds
def test_the_scale_of_all_weights_does_not_matter(loss, seed):
    """Weights are relative: twice as much of everything is the same."""
    if isinstance(loss, Dice | Tversky):
        loss = type(loss)(smooth=1e-6)
    said, known = drawn(seed, weighted=True)
    twice = known._replace(weight_nhw=2 * known.weight_nhw)
    assert loss(said, known).item() == pytest.approx(loss(said, twice).item(), rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_training_on_a_loss_lowers_it(loss):
    """Its gradient points downhill."""
    said, known = drawn(5, size_hw=(12, 14))
    leaves = [said.logits_nkhw, said.edges_n1hw]
    optimiser = torch.optim.SGD(leaves, lr=0.5)
    values = []
    for _ in range(20):
        optimiser.zero_grad()
        value = loss(said, known)
        value.backward()
        optimiser.step()
        values.append(value.item())
    assert np.isfinite(values).all()
    assert values[-1] < values[0]


@few
@seeds
def test_dice_is_one_minus_the_mean_over_classes_that_are_there(seed):
    """Against the definition, class by class."""
    said, known = drawn(seed)
    counted, guess = known.target_nhw != IGNORE, said.logits_nkhw.detach().softmax(dim=1)
    scores = []
    for class_id in sorted(set(known.target_nhw[counted].tolist())):
        truth, share = (known.target_nhw == class_id).float(), guess[:, class_id] * counted
        scores.append((2 * (truth * share).sum() + 1) / (truth.sum() + share.sum() + 1))
    expected = 1 - torch.stack(scores).mean() if scores else torch.zeros(())
    assert expected.item() == pytest.approx(Dice()(said, known).item(), abs=1e-5)


def test_overlap_is_counted_right_over_millions_of_pixels():
    """All are of one class and found with probability 0.9: hits over hits, half the misses, and no false alarm."""
    logits = torch.tensor([math.log(9.0), 0.0]).view(1, 2, 1, 1).expand(8, 2, 512, 512)
    ids, ones = torch.zeros(8, 512, 512, dtype=torch.long), torch.ones(8, 512, 512)
    known = Evidence(torch.rand(8, 3, 1, 1), ids, ones, ones, torch.tensor([ones.sum().item(), 0.0]))
    found = Dice()(Outputs(logits, logits, None, (512, 512)), known)
    assert found.item() == pytest.approx(1 - 0.9 / 0.95, abs=1e-5)


@few
@seeds
def test_a_tversky_index_of_equal_halves_is_dice(seed):
    """And more weight on misses costs more where much is missed."""
    said, known = drawn(seed)
    halves = Tversky(alpha=0.5, beta=0.5, smooth=0.5)
    assert Dice(smooth=1.0)(said, known).item() == pytest.approx(halves(said, known).item(), abs=1e-6)


@few
@seeds
def test_lovasz_with_equal_weights_is_what_smp_computes(seed):
    """The same classes, the same mean."""
    said, known = drawn(seed, ignored=0.2, size_hw=(9, 8))
    theirs = smp.losses.LovaszLoss(mode="multiclass", ignore_index=IGNORE)(said.logits_nkhw, known.target_nhw)
    assert theirs.item() == pytest.approx(Lovasz()(said, known).item(), abs=1e-5)


@few
@seeds
def test_lovasz_takes_a_pixel_of_weight_two_for_two_pixels(seed):
    """The weighted set function is that of repeated pixels."""
    said, known = drawn(seed, ignored=0.0, size_hw=(4, 4))
    double = torch.randint(1, 3, known.target_nhw.shape, generator=torch.Generator().manual_seed(seed))
    weighted = Lovasz()(said, known._replace(weight_nhw=double.float()))
    times = double.flatten()
    target = known.target_nhw.flatten().repeat_interleave(times)
    logits = said.logits_nkhw.movedim(1, -1).reshape(-1, 3).repeat_interleave(times, dim=0)
    repeated = Lovasz()(outputs(logits.T.view(1, 3, 1, -1)), evidence(target.view(1, 1, -1)))
    assert repeated.item() == pytest.approx(weighted.item(), abs=1e-5)


def test_cross_entropy_is_torchs_mean_over_known_pixels():
    """With class weights too."""
    said, known = drawn(3)
    arguments = {"input": said.logits_nkhw, "target": known.target_nhw, "ignore_index": IGNORE}
    expected = functional.cross_entropy(**arguments)
    assert expected.item() == pytest.approx(CrossEntropy()(said, known).item())
    weights = torch.tensor([1.0, 0.5, 2.0])
    expected = functional.cross_entropy(**arguments, weight=weights)
    assert expected.item() == pytest.approx(CrossEntropy(class_weights=weights.tolist())(said, known).item())


def test_full_balance_is_the_mean_over_classes_of_the_mean_over_their_pixels():
    """A class of two pixels says as much as one of two thousand."""
    said, known = drawn(4)
    each = functional.cross_entropy(said.logits_nkhw, known.target_nhw, ignore_index=IGNORE, reduction="none")
    expected = torch.stack([each[known.target_nhw == class_id].mean() for class_id in range(3)]).mean()
    assert expected.item() == pytest.approx(CrossEntropy(balance=1.0)(said, known).item())


def test_focal_without_focus_is_cross_entropy_and_with_it_forgives_what_is_right():
    """Gamma 0, and gamma 2 on a sure prediction."""
    said, known = drawn(6)
    assert CrossEntropy()(said, known).item() == pytest.approx(Focal(gamma=0.0)(said, known).item(), abs=1e-6)
    assert Focal(gamma=2.0)(said, known) < CrossEntropy()(said, known)


@few
@seeds
def test_soft_losses_are_those_of_the_whole_target_distribution(seed):
    """Written out over all classes, pixel by pixel."""
    said, known = drawn(seed, weighted=True)
    log_nkhw, target_nkhw = said.logits_nkhw.log_softmax(1), torch.zeros_like(said.logits_nkhw)
    share = known.confidence_nhw.clamp(min=1 / 3)
    for class_id in range(3):
        mine = known.target_nhw == class_id
        target_nkhw[:, class_id] = torch.where(mine, share, (1 - share) / 2)
    for loss, each in (
        (SoftCrossEntropy(), -(target_nkhw * log_nkhw).sum(1)),
        (CollisionCrossEntropy(), -(target_nkhw * log_nkhw.exp()).sum(1).log()),
    ):
        expected = (each * known.weight_nhw).sum() / known.weight_nhw.sum().clamp(min=1e-9)
        assert expected.item() == pytest.approx(loss(said, known).item(), rel=1e-4, abs=1e-6)


def test_collision_asks_nothing_where_nothing_is_known_and_soft_cross_entropy_asks_for_doubt():
    """At a confidence of one in three."""
    said, known = drawn(7, ignored=0.0)
    unsure = known._replace(confidence_nhw=torch.full_like(known.confidence_nhw, 1 / 3))
    CollisionCrossEntropy()(said, unsure).backward()
    assert said.logits_nkhw.grad.abs().max() < 1e-7
    SoftCrossEntropy()(said, unsure).backward()
    assert said.logits_nkhw.grad.abs().max() > 1e-4


def test_rarer_classes_weigh_more_the_average_class_one_and_absent_ones_no_more():
    """In all three ways; and a class seen twice does not rule."""
    counts = torch.tensor([1000.0, 100.0, 10.0, 0.0])
    for scheme in ("inverse", "root_inverse", "effective"):
        weight = weights_by_class(scheme, counts)
        assert weight[0] < weight[1] < weight[2] <= 10
        assert weight[3] == 1
        assert weight[:3].mean().item() == pytest.approx(1.0)
    for scheme in ("inverse", "root_inverse", "effective"):
        common = weights_by_class(scheme, torch.tensor([1e6] * 5 + [2.0]))
        assert common.isfinite().all()
        assert common[5] / common[0] <= 10.001
    assert (weights_by_class("inverse", torch.zeros(3)) == 1).all()


def test_effective_numbers_are_those_of_the_paper():
    """(1 - β) / (1 - βⁿ), n in pixels a million (Cui et al. 2019, eq. 5), beside each other."""
    counts = torch.tensor([700_000.0, 250_000.0, 50_000.0])
    n = counts.double()
    written_out = (1 - 0.9999) / (1 - 0.9999**n)
    torch.testing.assert_close(
        weights_by_class("effective", counts).double(), written_out / written_out.mean(), rtol=1e-4, atol=0
    )
    rare = torch.tensor([999_950.0, 40.0, 10.0])
    written_out = 1 / (1 - 0.9999 ** rare.double())
    found = weights_by_class("effective", rare)
    assert (found[2] / found[1]).item() == pytest.approx((written_out[2] / written_out[1]).item(), rel=1e-3)


def test_a_sure_label_that_is_far_from_the_prediction_still_teaches():
    """Collision cross-entropy pulls as hard at 40 logits as cross-entropy does."""
    logits = torch.tensor([0.0, 40.0]).view(1, 2, 1, 1).requires_grad_()
    known = evidence(torch.zeros(1, 1, 1, dtype=torch.long))
    CollisionCrossEntropy()(outputs(logits), known).backward()
    torch.testing.assert_close(logits.grad.flatten(), torch.tensor([-1.0, 1.0]))


def test_the_gated_crf_is_the_kernel_weighted_mean_of_unlike_pairs():
    """Against a loop over all pairs of pixels."""
    said, known = drawn(8, size_hw=(5, 6))
    loss = GatedCrf(xy=2.0, rgb=0.3, radius=2, stride=1)
    guess, images = said.logits_nkhw.detach().softmax(1), known.images_nchw
    energy = total = 0.0
    places = list(itertools.product(range(5), range(6)))
    for picture, (y, x), (v, u) in itertools.product(range(2), places, places):
        if (v, u) <= (y, x) or max(abs(y - v), abs(x - u)) > 2:
            continue
        colour = (images[picture, :, y, x] - images[picture, :, v, u]).square().sum()
        kernel = torch.exp(-((y - v) ** 2 + (x - u) ** 2) / 8 - colour / 0.18)
        energy += kernel * (1 - guess[picture, :, y, x] @ guess[picture, :, v, u])
        total += kernel
    assert (energy / total).item() == pytest.approx(loss(said, known).item(), rel=1e-4)


@few
@given(st.integers(0, 2**31), st.integers(1, 6), st.integers(2, 6), st.floats(0.05, 2.0))
def test_the_tree_filter_is_the_mean_over_all_nodes_by_path_length(seed, height, width, sigma):
    """Against all pairs of paths in the tree."""
    rng = np.random.default_rng(seed)
    guide = rng.random((3, height, width)).astype(np.float32)
    maps = rng.random((2, height, width)).astype(np.float32)
    tree = spanning_tree(guide)
    nodes = height * width
    assert sorted(np.concatenate(tree.levels).tolist()) == list(range(nodes))
    edges = np.full((nodes, nodes), np.inf)
    for node in range(1, nodes):
        edges[node, tree.parent_p[node]] = edges[tree.parent_p[node], node] = tree.length_p[node] + 1e-12
    affinity = np.exp(-shortest_path(edges, directed=False) / sigma)
    expected = (affinity @ maps.reshape(2, -1).T) / affinity.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(filter_along(tree, maps, sigma).reshape(2, -1).T, expected, atol=1e-4)


def test_tree_energy_pulls_open_pixels_towards_those_that_look_like_them():
    """Two flat halves: what is said in one corner spreads over its half alone."""
    images = torch.zeros(1, 3, 8, 8)
    images[..., 4:] = 1
    logits = torch.zeros(1, 2, 8, 8)
    logits[:, 0, :2, :2], logits[:, 1, :2, 6:] = 4.0, 4.0
    logits.requires_grad_()
    target = torch.full((1, 8, 8), IGNORE)
    known = evidence(target, images=images)._replace(counts_k=torch.ones(2))
    TreeEnergy(sigma=0.5)(Outputs(logits, images, None, images.shape[-2:]), known).backward()
    assert logits.grad[0, 0, 6, 1] < 0
    assert logits.grad[0, 1, 6, 6] < 0


def test_the_features_tree_lies_where_the_picture_does():
    """Features cover the picture padded to the stride: what lies beyond it changes nothing."""
    said, known = drawn(3, size_hw=(20, 28), ignored=0.6)
    features = torch.rand(2, 5, 20, 28, generator=torch.Generator().manual_seed(2))
    padded = functional.pad(features, (0, 4, 0, 12), mode="replicate")
    exact, wide = (
        TreeEnergy(side=14)(said._replace(features_nchw=map_nchw, padded_hw=map_nchw.shape[-2:]), known).item()
        for map_nchw in (features, padded)
    )
    assert wide == pytest.approx(exact, rel=1e-5)
    other = features.flip(3)
    assert TreeEnergy(side=14)(said._replace(features_nchw=other), known).item() != pytest.approx(exact, rel=1e-3)


@few
@given(st.integers(0, 2**31), st.integers(1, 2))
def test_borders_are_where_another_class_is_near_and_inside_is_sure(seed, radius):
    """Against a loop over windows."""
    rng = np.random.default_rng(seed)
    target = rng.choice([0, 0, 0, 1, IGNORE], (5, 7))
    border, known = borders(torch.from_numpy(target)[None], radius)
    for y, x in itertools.product(range(5), range(7)):
        window = target[max(y - radius, 0) : y + radius + 1, max(x - radius, 0) : x + radius + 1]
        classes = set(window[window != IGNORE].tolist())
        is_border = target[y, x] != IGNORE and len(classes) > 1
        assert bool(border[0, y, x]) == is_border
        assert bool(known[0, y, x]) == (is_border or bool((window != IGNORE).all()))


def test_a_sure_and_right_prediction_costs_next_to_nothing():
    """All losses of labels fall towards zero."""
    target = torch.randint(0, 3, (1, 8, 8), generator=torch.Generator().manual_seed(1))
    logits = 50 * functional.one_hot(target, 3).movedim(-1, 1).float()
    terms = {
        "a": CrossEntropy(),
        "b": Dice(),
        "c": Focal(),
        "d": Lovasz(),
        "e": Tversky(),
        "f": CollisionCrossEntropy(),
    }
    assert all(value < 1e-4 for value in Total(terms=terms)(outputs(logits), evidence(target)).values())


def test_the_total_weighs_its_terms_and_leaves_out_those_of_weight_zero():
    """Each under its name."""
    said, known = drawn(9)
    total = Total(terms={"ce": CrossEntropy(weight=2.0), "dice": Dice(weight=0.0), "edge": Boundary(weight=0.0)})
    parts = total(said, known)
    assert parts.keys() == {"ce"}
    assert parts["ce"].item() == pytest.approx(2 * CrossEntropy()(said, known).item())
    assert not total.needs_edges
    assert Total(terms={"edge": Boundary()}).needs_edges


@pytest.mark.parametrize(
    "make",
    [
        lambda: CrossEntropy(label_smoothing=1.0),
        lambda: CrossEntropy(class_weights=[-1.0, 1.0]),
        lambda: CrossEntropy(class_weights=[0.0, 0.0]),
        lambda: CrossEntropy(class_weights="rare"),
        lambda: CrossEntropy(balance=2.0),
        lambda: CrossEntropy(weight=-1.0),
        lambda: Focal(gamma=-1.0),
        lambda: Dice(smooth=0.0),
        lambda: Tversky(alpha=-0.1),
        lambda: GatedCrf(radius=0),
        lambda: TreeEnergy(sigma=0.0),
        lambda: Boundary(radius=0),
        lambda: Total(terms={}),
        lambda: Total(terms={"dice": Dice(weight=0.0)}),
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
