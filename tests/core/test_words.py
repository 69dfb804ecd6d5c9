"""Words for people."""

import pytest

from factory.core.words import many


@pytest.mark.parametrize(("count", "said"), [(0, "0 pixels"), (1, "1 pixel"), (2, "2 pixels"), (1200, "1,200 pixels")])
def test_one_of_a_thing_is_not_several(count: int, said: str) -> None:
    """Large numbers can be read at a glance."""
    assert many(count, "pixel") == said
