"""How often a queue finds a wrong label, beside chance: ``python -m tests.benchmarks.queues MODEL SOURCE TRUTH OUT``.

The model asks about the labels of ``SOURCE`` by one way of choosing after the other; a simulated person answers from
``TRUTH``, and what is merged says how many regions had been labelled otherwise. Every other word goes to ``factory
select``. Prints the table that BENCHMARKS.md keeps.
"""

import json
import sys
from pathlib import Path
from typing import Any

from factory.__main__ import main

WAYS = (
    ("random", "entropy"),
    ("class_random", "entropy"),
    ("top_regions", "entropy"),
    ("top_regions", "margin"),
    ("top_regions", "region_impurity"),
    ("top_regions", "label_issue"),
    ("stratified", "entropy"),
    ("stratified", "label_issue"),
)
"""Acquisition and uncertainty; the first is chance."""


def made(folder: Path, stage: str, *words: str) -> dict[str, Any]:
    """The figures of what a stage makes."""
    if main([stage, *words, f"out={folder}"]):
        raise SystemExit(1)
    figures: dict[str, Any] = json.loads((folder / "artefact.json").read_text())["figures"]
    return figures


def asked(model: str, source: str, truth: str, out: Path, words: list[str]) -> dict[str, Any]:
    """One queue, answered and merged."""
    queue = made(
        out / "select", "select", f"model={model}", f"source={source}", "committee=single", "examples=0", *words
    )
    made(out / "answer", "answer", f"queue={out / 'select'}", f"truth={truth}")
    meant = ("rules.scope=regions", "rules.unstated=void", "rules.unchanged=confirm")
    inputs = (f"source={source}", f"queue={out / 'select'}", f"corrections={out / 'answer'}")
    return queue | made(out / "merge", "merge", *inputs, *meant)


def measure(model: str, source: str, truth: str, out: Path, words: list[str]) -> None:
    """Every way in turn."""
    print("| acquisition | uncertainty | label wrong | beside chance | proposal changed | estimated minutes |")
    print("|---|---|---|---|---|---|")
    chance: float | None = None
    for acquisition, uncertainty in WAYS:
        way = [f"acquisition={acquisition}", f"uncertainty={uncertainty}", *words]
        found = asked(model, source, truth, out / f"{acquisition}-{uncertainty}", way)
        wrong = found["label_precision"]
        chance = wrong if chance is None else chance
        beside = f"{wrong / chance:.1f}" if chance else "-"
        changed, minutes = f"{100 * found['queue_precision']:.0f} %", f"{found['seconds'] / 60:.0f}"
        print(f"| {acquisition} | {uncertainty} | {100 * wrong:.1f} % | {beside} | {changed} | {minutes} |", flush=True)


if __name__ == "__main__":
    model, source, truth, out = sys.argv[1:5]
    measure(model, source, truth, Path(out), sys.argv[5:])
