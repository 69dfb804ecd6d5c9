"""One message for each failure, wherever it happened."""

import pickle

from factory.core.errors import ConfigError, FactoryError


def test_what_is_said_since_an_error_was_made_comes_back_from_a_worker() -> None:
    """A stage names the place of what a part refused; the way back from another process lost it."""
    error: FactoryError = ConfigError("too small", got=3)
    error.where, error.todo = "labeler.area", "raise it"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301  # our own bytes


def test_a_message_on_one_line_has_no_columns() -> None:
    """They line up what stands on lines of its own."""
    error = ConfigError("too small", where="area", got=3, todo="raise it")
    assert error.one_line() == "too small; where: area; got: 3; do: raise it"


def test_further_lines_of_a_value_stand_below_its_first() -> None:
    """Of several reasons, or of a library's own words."""
    error = FactoryError("nothing", got="one\ntwo", todo="see")
    assert str(error).splitlines() == ["nothing", "  got:      one", "            two", "  do:       see"]
    assert error.one_line() == "nothing; got: one; two; do: see"
