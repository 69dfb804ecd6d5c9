"""A folder of things that can be made again."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from factory.core.cache import Cache
from factory.core.errors import ConfigError, MachineError


def keep(cache: Cache, name: str, size: int = 100) -> bool:
    """Make a thing unless it is there; whether it had to be made."""
    with cache.kept(name) as place:
        if place.exists():
            return False
        place.mkdir()
        (place / "content").write_bytes(bytes(size))
        return True


def names(folder: Path) -> list[str]:
    """What is kept."""
    return sorted(path.stem for path in folder.glob("*.kept"))


def test_many_who_want_a_thing_at_once_make_it_once(tmp_path: Path) -> None:
    """They wait for the first."""
    cache = Cache(folder=tmp_path)
    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(lambda _: keep(cache, "one"), range(6))) == 1


def test_what_was_used_longest_ago_makes_room(tmp_path: Path) -> None:
    """Of three that fit only by two; to ask for a thing is to use it."""
    cache = Cache(folder=tmp_path, limit=250)
    for number, name in enumerate(("old", "older", "new")):
        keep(cache, name)
        os.utime(tmp_path / f"{name}.kept", (number + 1, number + 1))
    assert names(tmp_path) == ["new", "older"]
    keep(cache, "older")
    keep(cache, "newest")
    assert names(tmp_path) == ["newest", "older"]


def test_what_somebody_is_making_is_left_to_them(tmp_path: Path) -> None:
    """Though it is the oldest, and there is no room at all."""
    cache = Cache(folder=tmp_path, limit=0)
    with cache.kept("mine") as place:
        half = place.with_name(f"{place.name}.partial")
        half.mkdir()
        (half / "state").write_bytes(bytes(10))
        os.utime(half, (1, 1))
        keep(cache, "other")
        assert half.exists()
    keep(cache, "third")
    assert [path.name for path in tmp_path.glob("*.kept*")] == ["third.kept"]


def test_what_is_not_ours_is_never_deleted(tmp_path: Path) -> None:
    """A folder of photographs was given by mistake."""
    (tmp_path / "holiday.jpg").write_bytes(bytes(1000))
    keep(Cache(folder=tmp_path, limit=0), "one")
    assert (tmp_path / "holiday.jpg").exists()


def test_a_folder_that_cannot_be_made_is_said_with_the_key_that_cures_it(tmp_path: Path) -> None:
    """A file stands in its place."""
    (tmp_path / "taken").write_text("")
    with pytest.raises(MachineError, match=r"(?s)nothing can be kept.*cache="):
        keep(Cache(folder=tmp_path / "taken"), "one")
    with pytest.raises(ConfigError, match="cache_gib"):
        Cache.of("somewhere", -1)


def test_no_folder_is_not_the_one_that_one_stands_in_and_no_bound_is_too_high() -> None:
    """A variable of the shell that is empty filled the project's folder; 1e300 was called a fault of the factory."""
    with pytest.raises(ConfigError, match=r"(?s)path is empty.*cache"):
        Cache.of(" ", 1)
    assert Cache.of("somewhere", 1e300).limit >= 1 << 60
