"""Things that may share a render of amodal masks are those whose boxes are apart."""

from hypothesis import given
from hypothesis import strategies as st

from scenes.kit.amodal import groups

corner = st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(1, 30), st.integers(1, 30))
boxes = st.dictionaries(
    st.integers(1, 99), corner.map(lambda b: (float(b[0]), float(b[1]), float(b[0] + b[2]), float(b[1] + b[3])))
)


@given(boxes)
def test_every_thing_is_in_one_group_and_no_two_of_a_group_overlap(given_boxes: dict) -> None:  # type: ignore[type-arg]
    """So that one render shows each of them whole."""
    found = groups(given_boxes)
    assert sorted(key for group in found for key in group) == sorted(given_boxes)
    for group in found:
        for place, key in enumerate(group):
            for other in group[:place]:
                a, b = given_boxes[key], given_boxes[other]
                assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
