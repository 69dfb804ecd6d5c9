"""Whether masks may be taken for the truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from factory.core.sample import TRUSTED, Sample


def tell_of_guesses(rows: Sequence[Sample], where: str, report: Callable[[object, str], None]) -> None:
    """Say so where a labeler's masks stand in for the truth: agreement with them says little."""
    if guessed := [row for row in rows if row.supervision not in TRUSTED]:
        kinds = ", ".join(sorted({row.supervision.value for row in guessed}))
        said = f"{len(guessed)} of {len(rows)} masks are made from weaker labels ({kinds}): agreement, not accuracy"
        report(where, said)
