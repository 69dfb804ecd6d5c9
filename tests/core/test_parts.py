"""Settings of parts by their keys."""

from dataclasses import dataclass
from typing import Any

import pytest

from factory.core import parts
from factory.core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Inner:
    """A part within a part."""

    width: float = 1.0
    name: str | None = None

    def __post_init__(self) -> None:
        if self.width < 0:
            raise ConfigError("width is negative")


@dataclass(frozen=True, kw_only=True)
class Outer:
    """A part with parts."""

    inner: Inner
    members: dict[str, Any]
    count: int = 3


OUTER = Outer(inner=Inner(), members={"a": Inner(width=2.0)})


def test_one_setting_changes_however_deep_and_the_part_stays_as_it_was() -> None:
    """Through parts and mappings; whole numbers become fractions where fractions are meant."""
    found = parts.changed({"labeler": OUTER}, "labeler.members.a.width", 5)["labeler"]
    assert found.members["a"].width == 5.0
    assert isinstance(found.members["a"].width, float)
    assert OUTER.members["a"].width == 2.0
    assert parts.setting(found, "members.a.width") == 5.0
    assert parts.changed(OUTER, "inner.name", "x").inner.name == "x"


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("inner.widht", 1.0, "did you mean width"),
        ("members.b.width", 1.0, "no such setting"),
        ("count.x", 1, "no such setting"),
        ("count", 1.5, "wrong type"),
        ("inner.width", -1.0, "negative"),
    ],
)
def test_what_cannot_be_set_is_said(key, value, message) -> None:
    """Slips, other types, and what the part itself refuses."""
    with pytest.raises(ConfigError, match=message):
        parts.changed(OUTER, key, value)
