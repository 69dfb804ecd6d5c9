"""Many settings instead of one that somebody chose."""

import numpy as np
import pytest

from factory.calibrate.settings import space_of
from factory.core import parts
from factory.core.errors import ConfigError
from factory.core.ranges import ranges
from factory.label.committee import Committee
from factory.label.scribbles import Scribbles
from factory.refine.argmax import Argmax
from tests.label.test_scribbles import SETTINGS, scribbled, three_bands

GIVEN = scribbled(three_bands(), at5=0, at25=1, at50=2)


def committee(members: int = 6, draw: int = 0, certainty: float = 1.0, areas: tuple[int, ...] = (12, 20)) -> Committee:
    """Of small superpixels, without features."""
    return Committee(labeler=Scribbles(**SETTINGS), areas=areas, members=members, draw=draw, certainty=certainty)


def test_votes_are_pooled_by_their_geometric_mean() -> None:
    """Of members that differ, each as it would be alone."""
    small = committee(3, certainty=0.5)
    each = np.stack([member(GIVEN, 3) for member in small._members]).clip(1e-6)
    assert len({repr(member) for member in small._members}) == 3
    product = np.exp(0.5 * np.log(each).mean(axis=0))
    np.testing.assert_allclose(small(GIVEN, 3), product / product.sum(axis=0), atol=1e-5)


def test_settings_are_drawn_from_the_recommended_ranges_and_nothing_else_changes() -> None:
    """The number of members does not change those before; another draw changes all."""
    few, many, others = (committee(count, draw)._members for count, draw in ((4, 0), (9, 0), (4, 1)))
    assert few == many[:4]
    assert not set(map(repr, few)) & set(map(repr, others))
    space = space_of(None, Scribbles(**SETTINGS), Argmax())
    assert [member.area for member in few] == [12, 20, 12, 20]
    for member in many:
        for key, _ in ranges(member):
            assert space[f"labeler.{key}"].holds(parts.setting(member, key))
        assert (member.rounds, member.features) == (SETTINGS["rounds"], SETTINGS["features"])


def test_a_committee_finds_what_one_of_good_settings_finds() -> None:
    """Three bands, a stroke each."""
    truth = np.select([np.arange(60) < 15, np.arange(60) < 40], [0, 1], 2)
    assert (committee(12)(GIVEN, 3).argmax(axis=0) == truth).mean() > 0.97


def test_a_calibration_varies_nothing_within_a_committee() -> None:
    """Its members' settings are drawn; that would have no effect."""
    assert list(space_of(None, committee(), Argmax())) == ["labeler.certainty"]


@pytest.mark.parametrize("change", [{"members": 1}, {"certainty": 0.0}, {"areas": ()}])
def test_impossible_settings_are_refused(change) -> None:
    """By name."""
    with pytest.raises(ConfigError, match=next(iter(change))):
        committee(**change)
