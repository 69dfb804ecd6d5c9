"""One property suite over every codec of the configuration tree: what is written is read back, pixel for pixel."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from factory.command import tree
from factory.command.bind import make_part
from factory.core.classes import IGNORE, ClassList
from factory.core.errors import InputError
from factory.exchange import Codec
from tests.command.composing import composed


def configured(choice: str) -> Codec:
    """The codec as its YAML file sets it up."""
    ((config, _),) = composed("merge", f"codec={choice}")
    return make_part("codec", config["codec"])


CODECS = {choice: configured(choice) for choice in tree.choices("codec")}
every_codec = pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS.keys())
CLASSES = ClassList.of(["background", "coin", "old cloth"])
SIZES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12)
MASKS = hnp.arrays(np.uint8, SIZES, elements=st.sampled_from([0, 1, 2, IGNORE]))


@every_codec
@given(masks=st.dictionaries(st.sampled_from(["a.png", "deep/b c.JPG", "c.d.png"]), MASKS, min_size=1))
@settings(deadline=None, max_examples=25)
def test_pixels_written_are_pixels_read(codec: Codec, masks: dict[str, np.ndarray], tmp_path_factory) -> None:
    """Ignored ones too, under the pictures' names; equal masks are equal bytes, and another size is refused."""
    folder = tmp_path_factory.mktemp("written")
    files = dict(codec.write(masks.items(), CLASSES))
    assert files == dict(codec.write(masks.items(), CLASSES))
    for name, data in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    found = {entry.name.rsplit(".", 1)[0]: entry for entry in codec.read(folder)}
    assert found.keys() == {name.rsplit(".", 1)[0] for name in masks}
    for name, mask_hw in masks.items():
        entry = found[name.rsplit(".", 1)[0]]
        assert not entry.notes
        np.testing.assert_array_equal(entry.mask(CLASSES, mask_hw.shape), mask_hw)
        with pytest.raises(InputError, match="another size"):
            entry.mask(CLASSES, (mask_hw.shape[0], 99))


@every_codec
def test_a_class_that_is_not_in_the_list_is_refused(codec: Codec, tmp_path: Path) -> None:
    """By the picture's name, never matched to another."""
    (((name, data),)) = codec.write([("a.png", np.full((3, 4), 2, np.uint8))], CLASSES)
    (tmp_path / name).write_bytes(data)
    (entry,) = codec.read(tmp_path)
    with pytest.raises(InputError, match=r"a\."):
        entry.mask(ClassList.of(CLASSES.names[:2]), (3, 4))


@every_codec
def test_a_folder_of_something_else_is_one_message(codec: Codec, tmp_path: Path) -> None:
    """Before anything is asked of it."""
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(InputError):
        list(codec.read(tmp_path))
