"""Quotas: what the configuration asks for, and how rounds of proposals get there."""

from typing import Any

import numpy as np
import pytest

from factory.core.classes import ClassList
from factory.core.errors import ConfigError
from factory.render.job import Job, Settings
from factory.render.quota import Wish, wishes
from factory.render.steering import ROUND, Steering
from scenes.coins.plan import Coins
from scenes.kit.tally import is_wanted, tally

CLASSES = ClassList.of(["background", "coin"])
SETTINGS = Settings(width=64, height=64, samples=1, denoise=False, outputs=(), device="cpu")
JOB = Job(scene=Coins(), seed=0, settings=SETTINGS)


def wish(**changes: Any) -> Wish:
    """Ten pictures with a coin, or something else."""
    return Wish(**{"class_id": 1, "class_name": "coin", "count": "images", "target": 10} | changes)


def story(*counts: int, seen: tuple[int, ...] = (0, 1)) -> dict[str, Any]:
    """What a worker says of a frame that was wanted if it counted towards anything."""
    return {"counts": list(counts), "accepted": any(counts), "seen": list(seen)}


def test_every_count_and_bin_is_a_wish_of_its_own() -> None:
    """The target is divided among the bins."""
    asked = wishes({"coin": {"instances": 9, "images": 4, "size": [0, 0.1, 1]}}, CLASSES)
    assert [(w.count, w.target, w.size) for w in asked] == [
        ("instances", 5, (0.0, 0.1)),
        ("instances", 5, (0.1, 1.1)),
        ("images", 2, (0.0, 0.1)),
        ("images", 2, (0.1, 1.1)),
    ]
    assert str(asked[0]) == "coin instances, size 0-0.1"


@pytest.mark.parametrize(
    ("quota", "words"),
    [
        ({"coln": {"images": 4}}, ["quota.coln", "did you mean coin?"]),
        ({"coin": {"size": [0, 1]}}, ["quota.coin", "quota.coin.images=40"]),
        ({"coin": 4}, ["quota.coin", "quota.coin.images=40"]),
        ({"coin": {"images": 0}}, ["quota.coin.images", "1 or more"]),
        ({"coin": {"images": 2.5}}, ["quota.coin.images", "2.5"]),
        ({"coin": {"images": 2, "sizes": [0, 1]}}, ["quota.coin.sizes", "size, occlusion"]),
        ({"coin": {"images": 2, "size": [0.5, 0.1]}}, ["quota.coin.size", "[0.5, 0.1]", "rising"]),
        ({"coin": {"images": 2, "occlusion": [0, 3]}}, ["quota.coin.occlusion"]),
    ],
)
def test_a_quota_that_makes_no_sense_is_named(quota: dict[str, Any], words: list[str]) -> None:
    """One message: the key, what was got, what was expected."""
    with pytest.raises(ConfigError) as caught:
        wishes(quota, CLASSES)
    assert [word for word in words if word not in str(caught.value)] == []


def test_things_are_counted_by_size_occlusion_and_visible_pixels() -> None:
    """Stuff counts as one thing; a thing of too few pixels does not count."""
    ids = np.zeros((10, 10), np.uint8)
    ids[:4] = 1
    rows = [{"class_id": 1, "area": 30, "visible_share": 0.5}, {"class_id": 1, "area": 10, "visible_share": 1.0}]
    asked = [
        wish(count="pixels", least=1),
        wish(count="instances", least=16),
        wish(count="instances", least=1, occlusion=(0.4, 1.0)),
        wish(count="images", least=1, size=(0.5, 1.0)),
        wish(class_id=0, count="pixels"),
    ]
    assert tally([w.to_json(1) for w in asked], ids, rows) == [40, 1, 1, 0, 60]


def test_a_thing_at_the_edge_of_two_bins_counts_in_one() -> None:
    """And one that fills the frame, or of which all is hidden but a pixel, counts in the last."""
    asked = wishes({"coin": {"instances": 4, "occlusion": [0, 0.5, 1], "size": [0, 0.25, 1], "least": 1}}, CLASSES)
    rows = [{"class_id": 1, "area": area, "visible_share": share} for area, share in ((25, 0.5), (100, 1.0), (1, 0.0))]
    counts = tally([w.to_json(1) for w in asked], np.ones((10, 10), np.uint8), rows)
    assert (counts, sum(counts)) == ([0, 1, 1, 1], len(rows))


def test_a_frame_is_wanted_for_what_is_missing_alone() -> None:
    """One that only adds to a quota already met is not."""
    full, open_ = wish().to_json(0), wish().to_json(3)
    assert not is_wanted([full], [5])
    assert is_wanted([full, open_], [5, 1])
    assert not is_wanted([full, open_], [5, 0])


def test_rounds_go_on_until_the_quota_is_met() -> None:
    """The first is small; the emphasis falls as the quota fills; in the end nothing is asked for."""
    steering = Steering(wishes=[wish()], patience=100)
    asked = steering.ask(JOB, 99)
    assert [request.index for request in asked] == list(range(ROUND[0]))
    first = asked[0].emphasis["coin"]
    for _ in asked:
        steering.learn(story(1))
    later = steering.ask(JOB, 99)
    assert 1 < later[0].emphasis["coin"] < first
    assert later[0].index == ROUND[0]
    for _ in range(6):
        steering.learn(story(1))
    assert steering.ask(JOB, 99) == []
    assert steering.shortfalls() == []
    assert steering.account()[0] | {"wish": ""} == {
        "wish": "",
        "class": "coin",
        "target": 10,
        "reached": 10,
        "met": True,
        "seen_in": 10,
    }


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (story(0, seen=(0,)), "never came into view"),
        (story(0), "in view in 5, never in the size"),
        (None, "never came"),
    ],
)
def test_a_wish_that_gains_nothing_is_given_up_and_says_why(told: dict[str, Any] | None, why: str) -> None:
    """After as many proposals as the patience allows."""
    steering = Steering(wishes=[wish()], patience=5)
    for _ in range(5):
        assert steering.ask(JOB, 99)
        steering.learn(told)
    assert steering.ask(JOB, 99) == []
    assert why in steering.shortfalls()[0]


def test_no_more_frames_are_asked_for_than_are_left() -> None:
    """The limit is the number of pictures."""
    assert len(Steering(wishes=[wish()], patience=9).ask(JOB, 2)) == 2
