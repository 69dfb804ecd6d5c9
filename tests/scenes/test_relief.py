"""Struck faces and outlines: sane for any seed, not only for those that were looked at."""

import numpy as np
import pytest

from scenes.coins import relief

GRID = np.linspace(-1, 1, 12)
X, Y = np.meshgrid(GRID, GRID)


@pytest.mark.parametrize("border", ["rim", "dots", "letters", "none"])
@pytest.mark.parametrize("motif", relief.MOTIFS)
def test_every_motif_with_every_border_has_finite_heights(motif: str, border: str) -> None:
    """Between the field and a little above the highest stroke; worn coins are no higher than fresh ones."""
    for seed in range(150):
        fresh, worn = (relief.face(motif, seed, X, Y, border=border, wear=wear) for wear in (0.0, 1.0))
        for height in (fresh, worn):
            assert height.shape == X.shape
            assert np.isfinite(height).all()
            assert np.abs(height).max() < 4
        assert worn.max() <= fresh.max() + 1e-9


def test_outlines_stay_around_the_unit_circle() -> None:
    """However irregular."""
    angle = np.linspace(0, 2 * np.pi, 64)
    for seed in range(500):
        radius = relief.outline(angle, seed, irregularity=0.2)
        assert radius.min() >= 0.75
        assert radius.max() <= 1.2
