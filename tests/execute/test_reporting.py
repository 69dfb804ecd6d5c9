"""Figures on the way to whoever listens."""

import pytest

from factory.execute.reporting import Pruned, listening, report


def test_a_report_reaches_the_innermost_listener_and_nobody_else() -> None:
    """Outside, it is nothing."""
    heard: list[tuple[str, int, float]] = []
    report(1, 0.1)
    with listening(lambda step, value: heard.append(("outer", step, value))):
        with listening(lambda step, value: heard.append(("inner", step, value))):
            report(2, 0.2)
        report(3, 0.3)
    report(4, 0.4)
    assert heard == [("inner", 2, 0.2), ("outer", 3, 0.3)]


def test_a_listener_may_end_the_work() -> None:
    """What it raises goes through, and nobody listens afterwards."""

    def enough(step: int, value: float) -> None:
        raise Pruned

    with pytest.raises(Pruned), listening(enough):
        report(1, 0.1)
    report(2, 0.2)
