"""What was found of an image comes back from its file as it was, or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from factory.acquire.candidates import Candidate
from factory.acquire.found import Doubt, Found
from factory.core.queue import Example
from factory.core.sample import Domain, Sample, Split, Supervision
from factory.measure.cost import Cost

COST = Cost(image=4.0, region=2.0, border=0.1, trust=1.0)
TILE = Sample(
    id="a", image="images/a.png", width=8, height=6, split=Split.TRAIN, group="a", domain=Domain.REAL,
    supervision=Supervision.NONE, image_sha256="0", provenance={"file": "whole.png", "offset": (5, 3)},
)  # fmt: skip


def found(*, looked: bool, regions: int) -> Found:
    """Maps, some regions, and two known pixels if anything was looked at."""
    rng = np.random.default_rng(0)
    eight_hw = rng.integers(0, 256, (2, 6, 8)).astype(np.uint8)
    candidates = [
        Candidate(
            sample_id="a", place=(TILE.photograph, 5, 3), region=number, box=(number, 1, number + 2, 5), pixels=9,
            probabilities=(0.1, 0.9), score=rng.random(), scores={"entropy": rng.random(), "vote": rng.random()},
            border=number, clicks=number + 1, seconds=2.0 + 0.1 * number, opening=4.0,
            embedding=rng.random(3, np.float32) if looked else None,
        )
        for number in range(1, regions + 1)
    ]  # fmt: skip
    doubt = Doubt(eight_hw[0], eight_hw[1], rng.integers(0, 70_000, (6, 8)).astype(np.int32))
    examples = [Example("a", 7, 5, 1), Example("a", 0, 2, 0)] if looked else []
    return Found(doubt=doubt, candidates=candidates, vectors_nc=np.eye(2, 3) if looked else None, examples=examples)


@pytest.mark.parametrize("regions", [0, 3])
@pytest.mark.parametrize("looked", [True, False])
def test_what_is_saved_is_loaded(tmp_path: Path, looked: bool, regions: int) -> None:
    """To the last digit; only the seconds are those of the cost by now."""
    made = found(looked=looked, regions=regions)
    made.save(tmp_path / "a.npz")
    held = Found.load(tmp_path / "a.npz", TILE, COST)
    assert held is not None
    assert (held.candidates, held.examples) == (made.candidates, made.examples)
    for mine, theirs in zip(vars(held.doubt).values(), vars(made.doubt).values(), strict=True):
        assert mine.dtype == theirs.dtype
        np.testing.assert_array_equal(mine, theirs)
    assert (held.vectors_nc is None) == (not looked)
    if looked:
        np.testing.assert_array_equal(held.vectors_nc, made.vectors_nc)
        for mine, theirs in zip(held.candidates, made.candidates, strict=True):
            np.testing.assert_array_equal(mine.embedding, theirs.embedding)
    dear = Found.load(tmp_path / "a.npz", TILE, Cost(image=9.0, region=5.0, border=1.0, trust=1.0))
    assert dear is not None
    assert [(one.seconds, one.opening) for one in dear.candidates] == [(5.0 + n, 9.0) for n in range(1, regions + 1)]


def test_a_damaged_file_holds_nothing(tmp_path: Path) -> None:
    """Wherever a byte of it is wrong: what it holds is found again, or was not touched by that."""
    found(looked=True, regions=3).save(tmp_path / "a.npz")
    whole = (tmp_path / "a.npz").read_bytes()
    lost = 0
    for place in range(0, len(whole), 5):
        (tmp_path / "a.npz").write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        lost += Found.load(tmp_path / "a.npz", TILE, COST) is None
    assert lost > 100
