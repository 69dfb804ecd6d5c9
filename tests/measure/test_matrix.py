"""The confusion picture."""

import numpy as np
import pytest
from PIL import ImageFont

from factory.core.classes import ClassList
from factory.measure import matrix

GREEN, RED = np.array(matrix.RIGHT), np.array(matrix.WRONG)


def drawn(counts: list[list[int]], names: list[str] | None = None) -> np.ndarray:
    """The picture of a small matrix."""
    return matrix.draw(np.array(counts, np.int64), ClassList.of(names or [f"c{k}" for k in range(len(counts))]))


def shows(picture: np.ndarray, colour: np.ndarray) -> bool:
    """Whether some pixels have a colour, or nearly."""
    return bool((np.abs(picture.astype(int) - colour).max(axis=2) <= 3).sum() > 200)


def test_right_classes_are_green_and_confusions_red():
    """One look tells."""
    perfect, swapped = drawn([[9, 0], [0, 9]]), drawn([[0, 9], [9, 0]])
    assert (shows(perfect, GREEN), shows(perfect, RED)) == (True, False)
    assert (shows(swapped, GREEN), shows(swapped, RED)) == (False, True)


def test_rows_are_normalised():
    """A rare class is as easy to read as a frequent one."""
    header = slice(0, 40)
    once, often = drawn([[5, 5], [0, 1]]), drawn([[500, 500], [0, 1]])
    counts_column = matrix.CELL * 2 + 50
    assert (once[header] == often[header]).all()
    assert (once[:, :counts_column] == often[:, :counts_column]).all()


def cells(counts: list[list[int]]) -> tuple[np.ndarray, list[list[np.ndarray]]]:
    """The picture of a small matrix, and its cells [truth][prediction] cut out of it."""
    picture, count = drawn(counts), len(counts)
    down, across = np.nonzero((drawn(np.eye(count, dtype=int).tolist()) == GREEN).all(axis=2))
    rows, columns = ([start + matrix.CELL * k for k in range(count)] for start in (down.min(), across.min()))
    side = matrix.CELL - 1
    return picture, [[picture[row : row + side, column : column + side] for column in columns] for row in rows]


def test_cells_stand_beside_the_names_of_their_classes_and_numbers_behind_them():
    """A row a true class, with its own number of pixels; a column a prediction, whose name ends at the matrix."""
    counts = [[1, 0, 0], [0, 1, 0], [0, 1, 0]]
    picture, found = cells(counts)
    assert shows(found[2][1], RED)
    assert [shows(cell, RED) for row in found for cell in row].count(True) == 1
    left, top = (np.nonzero((picture == RED).all(axis=2))[axis].min() - matrix.CELL * k for axis, k in ((1, 1), (0, 2)))
    for number, colour in enumerate(ClassList.of([f"c{k}" for k in range(3)]).colours):
        margins = (picture[top:, :left], picture[:top, left:])
        row, column = (np.nonzero((margin == colour).all(axis=2)) for margin in margins)
        middle = matrix.CELL * (number + 0.5)
        assert abs(row[0].mean() - middle) < 4
        assert abs(column[1].mean() - middle) < 4
        assert top - column[0].max() < 2 * matrix.GAP
    behind = picture[top:, left + matrix.CELL * 3 :][: matrix.CELL * 3].reshape(3, matrix.CELL, -1)
    assert (behind[0] == behind[1]).all(), "as many true pixels, the same number"
    assert (behind[0] != matrix.PAPER[0]).any()


def test_the_more_the_stronger_and_what_is_little_is_seen_and_can_be_read():
    """Nothing is bare, one in twenty is tinted under dark writing, all is full under light writing."""
    _, found = cells([[19, 1, 0], [0, 1, 0], [0, 0, 0]])
    for bare in (found[0][2], found[1][0], *found[2]):
        assert (bare == matrix.EMPTY).all()
    little, much = found[0][1], found[1][1]
    assert np.abs(little[2, 2].astype(int) - matrix.EMPTY).max() > 10
    assert little.min() < 60
    assert (much.reshape(-1, 3).max(axis=0) > 230).all()
    assert much.min() >= min(matrix.RIGHT)


def test_a_class_without_truth_has_an_empty_row():
    """Nothing can be said of it."""
    picture = drawn([[0, 0], [0, 0]])
    assert not shows(picture, GREEN)
    assert not shows(picture, RED)


@pytest.mark.parametrize("count", [1, 2, 11, 40])
@pytest.mark.parametrize("name", ["a", "a name that is far too long to stand beside a matrix of classes"])
def test_there_is_room_for_every_name_and_number(count, name):
    """The longest number fits a cell, the longest name its margin; both margins are as wide as the longest name."""
    picture = drawn((np.eye(count, dtype=int) * 10**9).tolist(), [f"{k} {name}" for k in range(count)])
    assert min(picture.shape[:2]) >= count * matrix.CELL
    font = ImageFont.load_default(13)
    assert all(font.getlength(text) < matrix.CELL - 4 for text in ("100", ">99", "<1"))
    border = np.concatenate([picture[:2].reshape(-1, 3), picture[-2:].reshape(-1, 3), picture[:, :2].reshape(-1, 3)])
    assert (border == matrix.PAPER).all()
    assert (picture[:, -8:] == matrix.PAPER).all()


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.001, "<1"),
        (0.005, "<1"),
        (0.006, "1"),
        (0.5, "50"),
        (0.994, "99"),
        (0.995, ">99"),
        (0.9999, ">99"),
        (1.0, "100"),
    ],
)
def test_a_little_is_never_nothing_nor_nearly_all_everything(share, said):
    """Whole per cent, honestly rounded."""
    assert matrix.percent(share) == said
