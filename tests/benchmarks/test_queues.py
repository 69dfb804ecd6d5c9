"""Every way of choosing is held against the first, which is chance."""

from pathlib import Path

import pytest

from tests.benchmarks import queues


@pytest.mark.parametrize(
    ("wrong", "beside"),
    [((0.1, 0.2, 0.05), ["1.0", "2.0", "0.5"]), ((0.0, 0.05, 0.1), ["-", "-", "-"])],
    ids=["found", "found nothing"],
)
def test_chance_is_the_first_way_and_no_other(
    wrong: tuple[float, ...], beside: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where it found nothing: nothing is so many times that."""
    figures = iter([{"label_precision": share, "queue_precision": 0.9, "seconds": 120.0} for share in wrong])
    monkeypatch.setattr(queues, "WAYS", queues.WAYS[: len(wrong)])
    monkeypatch.setattr(queues, "asked", lambda *_: next(figures))
    queues.measure("model", "source", "truth", Path("out"), [])
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines()[2:]]
    assert [row[3] for row in rows] == beside
