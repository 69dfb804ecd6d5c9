"""Seeds, class lists, masks, manifest rows and errors keep their promises."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from factory.core import digests, manifest, masks
from factory.core.classes import IGNORE, ClassList
from factory.core.errors import ConfigError, FactoryError, InputError
from factory.core.sample import Domain, Hints, Sample, Split, Supervision
from factory.core.seeds import derive, generator

ids = arrays.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.sampled_from([0, 1, 2, 255]))
points = st.lists(st.tuples(*[st.integers(0, 500)] * 2, st.integers(0, 9)), max_size=4).map(tuple)
boxes = st.lists(st.tuples(*[st.integers(0, 500)] * 4, st.integers(0, 9)), max_size=3).map(tuple)
tags = st.lists(st.integers(0, 9), unique=True, max_size=3).map(tuple)
hints = st.builds(Hints, points=points, boxes=boxes, tags=tags, absent=tags, scribbles=st.none() | st.just("s.png"))


def test_a_stream_depends_on_its_keys_and_nothing_else() -> None:
    """Drawing from one stream does not shift another; an integer key is not its text."""
    first = generator(3, "scene", 7, "lights").random(4)
    generator(3, "scene", 7, "camera").random(100)
    np.testing.assert_array_equal(first, generator(3, "scene", 7, "lights").random(4))
    assert len({derive(0, "a", 1), derive(0, "a", "1"), derive(1, "a", 1), derive(0, "a1"), derive(0, "a")}) == 5
    assert len({derive(0, *keys) for keys in (("a", "b"), ("a/s:b",), ("a/q:b",), ("q", "a/s:b"), ("a/", "b"))}) == 5
    assert derive(3, "rare", "real", 7) == 491069837892276583, "published figures hang on these streams"


def test_seed_zero_is_a_seed() -> None:
    """It is not taken for "no seed"."""
    assert derive(0, "x") != derive(1, "x")


@given(ids)
def test_png_keeps_every_pixel(mask_hw) -> None:
    """In 8 and in 16 bits, and equal arrays give equal bytes."""
    for array in (mask_hw, mask_hw.astype(np.uint16) * 257, np.stack([mask_hw] * 3, axis=2)):
        data = masks.encode_png(array)
        assert data == masks.encode_png(array.copy())


def test_sixteen_bit_maps_come_back_whole(tmp_path) -> None:
    """Instance ids above 255 are not folded."""
    instances = np.array([[0, 255, 256, 65535]], np.uint16)
    (tmp_path / "i.png").write_bytes(masks.encode_png(instances))
    np.testing.assert_array_equal(instances, masks.read_png(tmp_path / "i.png"))


def test_a_mask_with_strangers_or_of_another_size_is_refused() -> None:
    """The ignore index is no stranger."""
    classes = ClassList.of(["a", "b"])
    masks.check_mask(np.array([[0, 1, IGNORE]], np.uint8), classes, (1, 3), "m")
    with pytest.raises(InputError, match="outside the class list"):
        masks.check_mask(np.array([[0, 2]], np.uint8), classes, (1, 2), "m")
    with pytest.raises(InputError, match="size"):
        masks.check_mask(np.array([[0, 1]], np.uint8), classes, (2, 1), "m")


@given(hints)
def test_hints_survive_the_manifest(said) -> None:
    """Every kind of hint, through a Parquet row."""
    sample = Sample(
        id="a", image="images/a.png", width=3, height=2, split=Split.VAL, group="g", domain=Domain.REAL,
        supervision=Supervision.POINTS, image_sha256="0", hints=said, provenance={"seed": 0, "plan": {"x": [1, 2]}},
    )  # fmt: skip
    assert sample == manifest.from_record(manifest.to_record(sample))


@pytest.mark.parametrize("names", [[], ["a", "a"], [str(i) for i in range(256)]])
def test_class_lists_that_cannot_work_are_refused(names) -> None:
    """Empty, doubled, or reaching the ignore index."""
    with pytest.raises(ConfigError):
        ClassList.of(names)


@pytest.mark.parametrize("colour", [[1, 2], [1, 2, 3, 4], [0, 0, 256], [-1, 0, 0]])
def test_a_class_colour_that_is_none_is_refused(colour: list[int]) -> None:
    """By what was given, before anything is drawn in it."""
    with pytest.raises(ConfigError, match="three whole numbers 0-255") as caught:
        ClassList.of(["a", "b"], [[0, 0, 0], colour])
    assert caught.value.got == colour


def test_every_possible_class_has_its_own_colour() -> None:
    """Up to the 255 a mask can hold."""
    assert len(set(ClassList.of([str(i) for i in range(255)]).colours)) == 255


def test_a_class_is_found_by_name_or_number_and_a_stranger_is_named() -> None:
    """A number beyond the list is no class."""
    classes = ClassList.of(["sky", "car"])
    assert [classes.id_of(word) for word in ("car", "0", 1, " sky ")] == [1, 0, 1, 0]
    with pytest.raises(InputError, match="unknown class"):
        classes.id_of("2")


def test_capital_letters_do_not_matter_unless_they_tell_classes_apart() -> None:
    """People type Car for car; where both are classes, another spelling of them is none."""
    classes = ClassList.of(["sky", "car", "CAR", "Äcker"])
    assert [classes.id_of(word) for word in ("Sky", "car", "CAR", "äcker")] == [0, 1, 2, 3]
    with pytest.raises(InputError, match="unknown class"):
        classes.id_of("Car")


def test_errors_come_back_whole_from_a_worker_process() -> None:
    """With every part of the message."""
    error = ConfigError("what", where="here", got=3, expected=4, todo="that")
    back = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (type(back), str(back)) == (ConfigError, str(error))
    assert isinstance(back, FactoryError)


def test_a_folder_digest_ignores_place_and_time_but_not_names_or_bytes(tmp_path) -> None:
    """Copying a folder keeps its digest; renaming a file or changing a byte does not."""
    found = []
    for folder, name, data in (("a", "x", b"1"), ("b", "x", b"1"), ("c", "y", b"1"), ("d", "x", b"2")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_bytes(data)
        found.append(digests.of_path(tmp_path / folder))
    assert found[0] == found[1]
    assert len(set(found)) == 3
