"""The distances between rendered and real layouts are distances, and a table comes out."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.benchmarks.street_layout import jensen_shannon, layout, main, total_variation

ALIKE = np.array([0.2, 0.3, 0.5])


@pytest.mark.parametrize("distance", [total_variation, jensen_shannon])
def test_a_distribution_is_at_no_distance_from_itself_and_at_one_from_a_disjoint_one(distance) -> None:
    """Both distances range from 0 to 1 and do not mind the order."""
    assert distance(ALIKE, ALIKE) == 0
    assert distance(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == pytest.approx(1.0)
    assert distance(ALIKE, ALIKE[::-1]) == pytest.approx(distance(ALIKE[::-1], ALIKE))


def test_total_variation_is_the_share_that_would_have_to_change() -> None:
    """A tenth moved from one class to another is 0.1."""
    assert total_variation(ALIKE, np.array([0.3, 0.2, 0.5])) == pytest.approx(0.1)


def test_a_layout_counts_every_picture_alike_and_leaves_void_out() -> None:
    """A small and a large picture weigh the same; id 11 is no class."""
    top, bottom = np.zeros((12, 4), np.uint8), np.full((24, 8), 3, np.uint8)
    top[6:] = 11
    found = layout([top, bottom], classes=11)
    assert found.sum() == pytest.approx(1.0)
    assert found[:, 0].sum() == found[:, 3].sum() == pytest.approx(0.5)
    assert found[6:, 0].sum() == 0


def test_no_masks_are_said_to_be_missing() -> None:
    """An empty folder is a mistake, not a distance."""
    with pytest.raises(ValueError, match="expected label PNGs"):
        layout([], classes=11)


def test_two_folders_make_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Alike folders are at distance 0."""
    Image.fromarray(np.zeros((24, 24), np.uint8)).save(tmp_path / "a.png")
    main(str(tmp_path), str(tmp_path))
    shown = capsys.readouterr().out
    assert "| sky | 100.00 | 100.00 |" in shown
    assert "| distance of shares (total variation) | 0.000 | |" in shown
