"""Ids are made of names, whatever these are written in."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.ingest import ids


@given(st.lists(st.text(st.characters(max_codepoint=127), min_size=1), max_size=5))
def test_ascii_names_give_the_ids_that_they_always_gave(names: list[str]) -> None:
    """Data sets are named by them."""
    given_alone = [re.sub(r"[^A-Za-z0-9._-]+", "_", name.replace("/", "__")).lstrip(".") or "image" for name in names]
    assert [ids.unique([name])[0] for name in names] == given_alone


@given(st.lists(st.text(min_size=1, max_size=100), max_size=5))
def test_any_name_gives_an_id_of_its_own_that_any_system_can_write(names: list[str]) -> None:
    """No folder, blank or sign that is forbidden somewhere, nor a form that macOS writes otherwise."""
    found = ids.unique(names)
    assert len({*found}) == len(names)
    for one in found:
        assert not re.search(r'[\s/\\:*?"<>|\x00-\x1f]', one)
        assert one[0] != "."
        assert unicodedata.is_normalized("NFC", one)
        assert one.isascii() or len(one.encode()) < 210


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["猫", "犬"], ["猫", "犬"]),
        (["Köln/Bär 1", "Ko\u0308ln/Ba\u0308r 1"], ["Köln__Bär_1", "Köln__Bär_1-2"]),
        (["किताब", "कुताब", "٣"], ["किताब", "कुताब", "٣"]),
        (["写真（１）", "写真、２"], ["写真_１_", "写真_２"]),
        (["🐱", "🐶"], ["_", "_-2"]),
        (["猫" * 84], ["猫" * 66]),
    ],
    ids=["kanji", "accents", "marks and digits", "signs", "no letters", "long"],
)
def test_letters_and_digits_of_every_script_are_kept(names: list[str], expected: list[str]) -> None:
    """And told apart."""
    assert ids.unique(names) == expected
