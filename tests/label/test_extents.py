"""How much of its pictures a class takes: told by what stands out in them beside pictures that hold nothing."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from factory.label.cam.background import Extent
from factory.label.cam.extents import SURELY, Surprises, standing_out, surprises
from factory.label.cam.frames import reduced
from factory.label.cam.normal import Normal
from factory.label.cam.statements import ABSENT, OPEN, PRESENT, Statements, statements_of
from tests.label.tagged import Heard, corpus_of, learnt, squares

NORMAL = Normal(contrast=1.0, texture=0.5, surroundings=21, blur=1.0, side="both")
EACH = 40


def pictures(extra: dict[int, tuple[float, float]], each: int = EACH) -> tuple[Statements, np.ndarray, np.ndarray]:
    """Normal ones and ``each`` of every class: surprise over .003 of the pixels, and of the body.

    What a class adds to the former alone, and to all.
    """
    rng = np.random.default_rng(0)
    said, tops, bodies = [], [], []
    for class_id in (0, *extra):
        more_top, more = extra.get(class_id, (0, 0))
        body = rng.normal(1, 0.3, (EACH if class_id == 0 else each, 2)) + more
        tops.append(body @ [0.5, 1.5] + 1 + rng.normal(0, 0.2, len(body)) + more_top)
        bodies.append(body)
        said.append(np.where(np.arange(1 + len(extra)) == class_id, PRESENT, ABSENT)[None].repeat(len(body), axis=0))
    said_nk = np.concatenate(said).astype(np.int8)
    said_nk[:, 0] = OPEN
    ids = [str(n) for n in range(len(said_nk))]
    return Statements(ids=ids, said_nk=said_nk), np.concatenate(tops), np.concatenate(bodies)


def taken(statements: Statements, shares: list[float], columns: list[np.ndarray], body_nq: np.ndarray) -> list[float]:
    """The share that each class takes but the first, of which nobody speaks."""
    return Surprises(shares=shares, top_ns=np.stack(columns, axis=1), body_nq=body_nq).extents(statements)[1:]


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_a_few_strong_pixels_are_small_and_what_raises_all_of_them_is_large(order: list[int]) -> None:
    """Whatever the order of the shares, and however much all pictures of the class differ from others."""
    statements, top_n, body_nq = pictures({1: (0.5, 0.0), 2: (0.0, 0.5), 3: (0.5, 0.8), 4: (-0.5, 0.0)})
    columns, shares = [top_n, 9 * top_n], [0.003, 0.3]
    found = taken(statements, [shares[n] for n in order], [columns[n] for n in order], body_nq)
    assert found == [0.003, 0.3, 0.003, 0.3]


def test_of_several_shares_the_least_that_stands_out_counts() -> None:
    """And of a share that reaches into the body nothing can stand out."""
    statements, top_n, body_nq = pictures({1: (0.5, 0.0), 2: (0.0, 0.0)})
    noise_n = np.random.default_rng(1).normal(0, 0.2, len(top_n))
    columns = [body_nq[:, 0], body_nq[:, 0] + noise_n, top_n, top_n]
    assert taken(statements, [0.3, 0.003, 0.03, 0.05], columns, body_nq) == [0.03, 0.3]
    assert taken(statements, [0.3, 0.1], columns[1:3], body_nq) == [0.3, 0.3]


def test_the_statistic_is_that_of_a_known_example() -> None:
    """Welch's t of what lies beyond a line that fits the normal pictures."""
    statements = Statements(ids=list("abcdefg"), said_nk=np.array([[1]] * 3 + [[0]] * 4, np.int8))
    body_nq = np.array([[1], [2], [3], [0], [1], [2], [3]], np.float32)
    top_n = np.array([3, 5, 4, 0, 2, 2, 4], np.float32)  # the line of the last four: 0.2 + 1.2 x
    beyond, beside = np.array([1.6, 2.4, 0.2]), np.array([-0.2, 0.6, -0.6, 0.2])
    error = np.sqrt(beyond.var(ddof=1) / 3 + beside.var(ddof=1) / 4)
    assert standing_out(statements, top_n, body_nq)[0] == pytest.approx((beyond.mean() - beside.mean()) / error)


def test_too_few_pictures_say_nothing() -> None:
    """However far two of them stand out; nor do pictures that are all alike."""
    statements, top_n, body_nq = pictures({1: (9.0, 0.0)}, each=2)
    shares, same_n = [0.003, 0.3], np.ones_like(top_n)
    assert taken(statements, shares, [top_n, top_n], body_nq) == [0.3]
    assert taken(statements, shares, [same_n, same_n], np.ones_like(body_nq)) == [0.3]
    three, top_n, body_nq = pictures({1: (9.0, 0.0)}, each=3)
    assert taken(three, shares, [top_n, top_n], body_nq) == [0.003]


def test_what_is_normal_stands_out_once_in_twenty_times() -> None:
    """The chance of taking a class for small that is like everything else."""
    rng, found = np.random.default_rng(2), []
    statements = Statements(ids=[str(n) for n in range(60)], said_nk=np.array([[n < 20] for n in range(60)], np.int8))
    for _ in range(400):
        body_nq = rng.normal(1, 0.3, (60, 2)).astype(np.float32)
        top_n = (2 * body_nq.sum(axis=1) + rng.normal(0, 0.2, 60)).astype(np.float32)
        found.append(standing_out(statements, top_n, body_nq)[0] > SURELY)
    assert 0.02 < np.mean(found) < 0.09


def test_surprise_is_pooled_as_logits_are(tmp_path: Path) -> None:
    """The mean over the highest share of the pixels; what was found once is read again, and decides."""
    told: Heard = []
    seen, shares = squares(), [0.05, 0.4]
    evidence = {"background": Extent(gain=3.0, softness=0.5), "normal": NORMAL, "shares": shares}
    labeler = learnt(seen, tmp_path, heard=told, **evidence)
    corpus, shelf = corpus_of(seen), labeler.maker.shelf
    statements = statements_of(corpus)
    fold_of = {name: models[0] for name, models in labeler.models_of.items()}
    found = surprises(statements, fold_of, shelf, NORMAL, _never, 64)
    for row in (0, 7, 17):
        image = reduced(corpus.picture(statements.ids[row]).image, 64)
        surprise_hw = shelf.known(fold_of[statements.ids[row]], NORMAL)(image, shelf.first())
        tops = [np.sort(surprise_hw.ravel())[-round(share * surprise_hw.size) :].mean() for share in shares]
        np.testing.assert_allclose(found.top_ns[row], tops, rtol=1e-5)
        np.testing.assert_allclose(found.body_nq[row], np.quantile(surprise_hw, [0.5, 0.9]), rtol=1e-5)
    extents = found.extents(statements)
    assert [what.split()[1] for _, what in told] == [f"{extents[class_id]:g}" for class_id in statements.learnable]


def test_where_every_share_is_wide_the_head_that_tells_best_decides(tmp_path: Path) -> None:
    """No picture is looked at for what stands out."""
    told: Heard = []
    wide: dict[str, Any] = {"background": Extent(gain=3.0, softness=0.5), "normal": NORMAL, "shares": [0.1, 0.4]}
    maker = learnt(squares(), tmp_path, heard=told, **wide).maker
    assert [what.split()[1] for _, what in told] == [f"{wide['shares'][head]:g}" for head in maker.heads_k[1:]]
    assert not (maker.shelf.folder / "surprises.npy").exists()


def _never(sample_id: str) -> np.ndarray:
    raise AssertionError(sample_id)
