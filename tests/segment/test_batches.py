"""Batches: which pictures, in which order, cut where."""

import itertools
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.core.cache import Cache
from factory.core.classes import IGNORE
from factory.core.errors import ConfigError, TrainingError
from factory.segment.batches import TrainingBatches, validation_batches
from factory.segment.cache import PixelCache
from factory.segment.data import CLASS, CONFIDENCE, PADDING, SOURCE, Row, training_rows
from factory.segment.feed import Feed, Validation
from factory.segment.rare import RareClasses
from tests.artefacts import dataset
from tests.segment.test_data import mask, mixed, small

__all__ = ["mixed", "small"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where decoded pictures go."""
    return tmp_path_factory.mktemp("cache")


def batches(*caches: PixelCache, share: float = 0.5, **about) -> TrainingBatches:
    """Batches of one cache, or of two with a share of the first."""
    names = ("synthetic", "real")[-len(caches) :]
    shares = (share, 1 - share) if len(caches) == 2 else (1.0,)
    settings = {"batch": 4, "crop_hw": (16, 16), "seed": 0} | about
    sources = dict(zip(names, caches, strict=True))
    return TrainingBatches(sources=sources, shares=dict(zip(names, shares, strict=True)), **settings)


@pytest.fixture(scope="module")
def cache(small, folder):
    """Of seven samples."""
    return PixelCache(rows=training_rows(small), size_hw=None, cache=Cache(folder=folder))


def test_a_test_row_cannot_be_trained_on_even_if_it_is_handed_in(mixed, folder):
    """The batches themselves refuse it, by name."""
    rows = [Row(mixed, sample) for sample in mixed.samples if sample.mask]
    with pytest.raises(TrainingError, match=r"(?s)train split.*test"):
        batches(PixelCache(rows=rows, size_hw=None, cache=Cache(folder=folder)))


def test_a_batch_is_a_function_of_seed_and_step(cache):
    """Asked again, in any order, it is the same; with another seed it is not."""
    one, two = (batches(cache) for _ in range(2))
    forward = [one[step] for step in range(6)]
    backward = [two[step] for step in reversed(range(6))][::-1]
    for ours, theirs in zip(forward, backward, strict=True):
        assert ours.ids == theirs.ids
        assert (ours.images_nchw == theirs.images_nchw).all()
        assert (ours.labels_nchw == theirs.labels_nchw).all()
    other = batches(cache, seed=1)
    assert [batch.ids for batch in forward] != [other[step].ids for step in range(6)]


@settings(deadline=None, max_examples=25)
@given(batch=st.integers(2, 9), seed=st.integers(0, 99))
def test_every_epoch_shows_every_sample_once(cache, batch, seed):
    """Whatever the batch size, also across batches."""
    drawn = batches(cache, batch=batch, seed=seed)
    stream = [sample_id for step in range(10) for sample_id in drawn[step].ids]
    for epoch in range(len(stream) // 7):
        assert sorted(stream[7 * epoch : 7 * epoch + 7]) == [f"s{i}" for i in range(7)]


@settings(deadline=None, max_examples=25)
@given(share=st.floats(0.01, 0.99), batch=st.integers(2, 9))
def test_the_mixture_keeps_its_ratio_within_one_picture(cache, mixed, folder, share, batch):
    """However odd the ratio, and every batch has its full size."""
    real = PixelCache(rows=training_rows(mixed), size_hw=None, cache=Cache(folder=folder))
    drawn = batches(cache, real, share=share, batch=batch)
    rendered = 0
    for step in range(12):
        shown = drawn.picks(step)
        rendered += sum(pick.source == "synthetic" for pick in shown)
        assert len(shown) == batch
        assert abs(rendered - share * batch * (step + 1)) <= 1


@settings(deadline=None, max_examples=50)
@given(rendered=st.floats(0.01, 0.99), unlabelled=st.floats(0.01, 0.99), batch=st.integers(2, 9))
def test_three_sources_fill_every_batch_however_small_their_shares(cache, rendered, unlabelled, batch):
    """None is asked to take a picture back, each shows its pictures in turn, and keeps its ratio within two."""
    shares = {
        "synthetic": (1 - unlabelled) * rendered,
        "real": (1 - unlabelled) * (1 - rendered),
        "unlabelled": unlabelled,
    }
    drawn = TrainingBatches(sources=dict.fromkeys(shares, cache), shares=shares, batch=batch, crop_hw=(16, 16), seed=0)
    shown = [drawn.picks(step) for step in range(40)]
    assert {len(picks) for picks in shown} == {batch}
    for name, share in shares.items():
        rows = [pick.row for picks in shown for pick in picks if pick.source == name]
        assert abs(len(rows) - share * 40 * batch) < 2
        for first in range(0, len(rows) - 6, 7):
            assert sorted(rows[first : first + 7]) == list(range(7))


def test_each_source_is_shuffled_by_itself_and_anew_at_each_epoch(cache):
    """Sources of as many pictures do not walk in step, nor are rare classes drawn in step."""
    drawn = batches(cache, cache, batch=14)
    rows = {
        name: [pick.row for step in range(3) for pick in drawn.picks(step) if pick.source == name]
        for name in drawn.shares
    }
    assert rows["synthetic"] != rows["real"]
    assert rows["real"][:7] != rows["real"][7:14]
    rare = batches(cache, cache, batch=40, rare=RareClasses(share=0.5)).picks(0)
    assert [pick.wanted for pick in rare[:20]] != [pick.wanted for pick in rare[20:]]


def test_crops_reach_every_edge_and_fall_elsewhere_at_each_step(cache):
    """A frame a pixel smaller has four places."""
    drawn = batches(cache, crop_hw=(23, 31), batch=2)
    whole = {row.sample.id: cache[index].image_hwc for index, row in enumerate(cache.rows)}
    seen = set()
    for step in range(30):
        for image_chw, sample_id in zip(drawn[step].images_nchw, drawn[step].ids, strict=True):
            seen |= {
                (top, left)
                for top in (0, 1)
                for left in (0, 1)
                if (whole[sample_id][top : top + 23, left : left + 31] == image_chw.permute(1, 2, 0).numpy()).all()
            }
    assert seen == {(0, 0), (0, 1), (1, 0), (1, 1)}
    alone = TrainingBatches(
        sources={"real": PixelCache(rows=cache.rows[:1], size_hw=None, cache=cache.cache)},
        shares={"real": 1.0}, batch=2, crop_hw=(8, 8), seed=0,
    )  # fmt: skip
    assert (alone[0].images_nchw != alone[1].images_nchw).any()


def test_labelled_pixels_are_counted_over_all_sources(cache):
    """Of each class, not of ignored ones."""
    labels = np.concatenate([cache[index].label_hwc[..., CLASS].ravel() for index in range(len(cache))])
    assert batches(cache, cache).counts(3).tolist() == [2.0 * (labels == class_id).sum() for class_id in range(3)]


def test_shares_that_do_not_add_up_are_refused(cache):
    """By name."""
    with pytest.raises(ConfigError, match="add up to 1"):
        TrainingBatches(sources={"real": cache}, shares={"real": 0.5}, batch=2, crop_hw=(8, 8), seed=0)


def test_small_pictures_are_padded_with_ignore_and_large_ones_cut(cache):
    """The frame is always full; nobody vouches for the margin."""
    padded = batches(cache, crop_hw=(30, 40))[0]
    assert tuple(padded.images_nchw.shape) == (4, 3, 30, 40)
    target = padded.labels_nchw[:, CLASS]
    assert (target[:, 24:] == IGNORE).all()
    assert (target[:, :, 32:] == IGNORE).all()
    assert (target[:, 1:24, :32] != IGNORE).all()
    assert not padded.labels_nchw[:, CONFIDENCE, 24:].any()
    assert (padded.labels_nchw[:, SOURCE, 24:] == PADDING).all()
    assert (padded.labels_nchw[:, SOURCE, :, 32:] == PADDING).all()
    assert (padded.labels_nchw[:, SOURCE, :24, :32] != PADDING).all()
    assert (padded.images_nchw[:, :, 24:] == padded.images_nchw[:, :, 23:24]).all(), "the edge goes on"
    assert tuple(batches(cache, crop_hw=(8, 8))[0].labels_nchw.shape) == (4, 3, 8, 8)


def test_validation_shows_every_picture_once_in_batches_of_one_size(tmp_path):
    """Neighbours of another size begin a new batch."""
    shapes = [(24, 32), (24, 32), (24, 32), (20, 20), (24, 32)]
    source = dataset(tmp_path / "val", {f"v{i}": mask(size_hw=shape) for i, shape in enumerate(shapes)})
    rows = [Row(source, sample) for sample in source.samples]
    cache = PixelCache(rows=rows, size_hw=None, cache=Cache(folder=tmp_path / "cache"))
    shown = [batch.ids for batch in validation_batches(cache, 2, (24, 32))]
    assert shown == [("v0", "v1"), ("v2",), ("v3",), ("v4",)]
    small = [batch.ids for batch in validation_batches(cache, 3, (24, 31))]
    assert small == [("v0", "v1"), ("v2",), ("v3",), ("v4",)], "no more pixels at a time than three tiles have"
    assert [len(batch.ids) for batch in validation_batches(cache, 3, (2, 2))] == [1] * 5
    parts = [list(Validation(cache, 2, (24, 32), rank=rank, world=3)) for rank in range(3)]
    assert [len(part) for part in parts] == [2, 2, 2]
    labelled = [batch.ids for part in parts for batch in part if (batch.labels_nchw[:, CLASS] != IGNORE).any()]
    assert sorted(labelled) == sorted(shown)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 4), st.integers(0, 5), st.sampled_from([1, 2]), st.sampled_from([1, 2]))
def test_a_feed_hands_out_every_picture_of_its_steps_once_in_parts_and_shares(cache, start, count, parts, world):
    """However many parts a batch is worked through in, and processes share it."""
    drawn = batches(cache, batch=8)
    feeds = [Feed(drawn, start, start + count, parts=parts, rank=rank, world=world) for rank in range(world)]
    handed = [list(feed) for feed in feeds]
    assert [len(one) for one in handed] == [len(feed) for feed in feeds] == [count * parts] * world
    for step in range(count):
        shown = [one_id for one in handed for batch in one[step * parts : (step + 1) * parts] for one_id in batch.ids]
        assert sorted(shown) == sorted(drawn[start + step].ids)


def test_a_feed_that_is_left_early_leaves_no_thread_waiting(cache):
    """As when training is stopped in the middle."""
    before = threading.active_count()
    feed = iter(Feed(batches(cache), 0, 1000))
    next(feed)
    assert threading.active_count() == before + 1
    feed.close()
    assert threading.active_count() == before


@pytest.fixture(scope="module")
def uneven(tmp_path_factory):
    """Nine pictures of one class, and a tenth with some of another."""
    pictures = {f"s{i}": np.zeros((24, 32), np.uint8) for i in range(10)}
    pictures["s9"][20:, 28:] = 2
    return dataset(tmp_path_factory.mktemp("data") / "uneven", pictures)


def test_rare_class_sampling_shows_the_class_hardly_any_picture_has(uneven, folder):
    """About as often as it is told to; the crop shows it too; and still a function of seed and step."""
    cache = PixelCache(rows=training_rows(uneven), size_hw=None, cache=Cache(folder=folder))
    plain, rare = (batches(cache, rare=rare, crop_hw=(20, 26)) for rare in (None, RareClasses(share=0.5)))

    def shown(drawn: TrainingBatches) -> float:
        return float(np.mean([bool((drawn[step].labels_nchw[:, CLASS] == 2).any()) for step in range(40)]))

    assert shown(plain) < 0.5 < shown(rare)
    picks = [pick for step in range(100) for pick in rare.picks(step)]
    wanted = [pick for pick in picks if pick.wanted == 2]
    assert all(pick.row == 9 for pick in wanted)
    shows = [
        bool((labels_chw[CLASS] == 2).any())
        for step in range(30)
        for pick, labels_chw in zip(rare.picks(step), rare[step].labels_nchw, strict=True)
        if pick.wanted == 2
    ]
    assert np.mean(shows) > 0.9, "of crops at random, less than half"
    odds = RareClasses(share=0.5).odds(cache.counts_nk)
    assert 0.5 * odds[2] == pytest.approx(len(wanted) / len(picks), abs=0.08)
    assert picks == [pick for step in range(100) for pick in rare.picks(step)]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=12), st.floats(0.005, 5.0))
def test_the_rarer_a_class_the_likelier_it_is_drawn_and_absent_ones_never_are(counts, temperature):
    """Probabilities, whatever the counts."""
    counts_nk = np.zeros((1, 256), np.int64)
    counts_nk[0, : len(counts)] = counts
    odds = RareClasses(temperature=temperature).odds(counts_nk)
    assert odds.sum() == pytest.approx(1.0 if any(counts) else 0.0)
    assert not odds[[i for i, count in enumerate(counts) if not count]].any()
    present = sorted((count, odds[i]) for i, count in enumerate(counts) if count)
    assert all(one[1] >= two[1] - 1e-12 for one, two in itertools.pairwise(present))


def test_rare_classes_are_drawn_as_the_paper_says_from_pictures_that_show_enough_of_them():
    """DAFormer, equations 6-7; a sliver of the class is not enough, and ignored pixels are of no class."""
    counts_nk = np.zeros((30, 256), np.int64)
    counts_nk[:3, 0], counts_nk[:3, 1], counts_nk[:, IGNORE] = (200, 200, 215), (100, 100, 5), 10**6
    odds = RareClasses(temperature=0.5).odds(counts_nk)
    odds_k = np.exp((1 - np.array([615, 205]) / 820) / 0.5)
    assert odds[:2] == pytest.approx(odds_k / odds_k.sum())
    draws = [RareClasses(share=1.0, temperature=0.5)(counts_nk, np.random.default_rng(seed)) for seed in range(60)]
    assert set(draws) == {(0, 0), (1, 0), (2, 0), (0, 1), (1, 1)}


def test_with_nothing_labelled_pictures_come_in_turn():
    """And a share of 0 leaves all as it is."""
    nothing = np.zeros((3, 256), np.int64)
    assert RareClasses(share=1.0)(nothing, np.random.default_rng(0)) is None
    assert RareClasses(share=0.0)(np.ones((3, 256), np.int64), np.random.default_rng(0)) is None


@pytest.mark.parametrize("change", [{"share": 1.5}, {"share": -0.1}, {"temperature": 0.0}])
def test_impossible_sampling_is_refused(change):
    """By name."""
    with pytest.raises(ConfigError, match=next(iter(change))):
        RareClasses(**change)
