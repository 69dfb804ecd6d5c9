"""The command: ``factory <stage> key=value …``."""

from __future__ import annotations

import difflib
import os
import signal
import sys
from pathlib import Path
from typing import Any

if __name__ == "__main__" and not sys.flags.safe_path and Path(sys.path[0]) != Path(__file__).resolve().parents[1]:
    sys.path.pop(0)  # `python -m` looks into the user's folder first: a conf or adapt there is not ours

from factory.command import already, artefacts, compose, show, tree
from factory.command.explain import explained
from factory.command.perform import line_of, perform, place_sweep, steps_of
from factory.core.errors import ConfigError
from factory.execute.ranks import rank

HELP, SWEEP = ("-h", "--help"), ("-m", "--multirun")


def main(words: list[str] | None = None) -> int:
    """Run the command line; returns the exit status: 0 done, 1 a failure explained in one message, 130 stopped.

    OpenMP threads are told to sleep while they wait, before torch loads them: where other processes share the cores,
    spinning threads keep each other from the work they wait for.
    """
    words = sys.argv[1:] if words is None else words
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    signal.signal(signal.SIGTERM, _stop)
    try:
        return command(words)
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return 130
    except Exception as error:
        return _say(error)


def command(words: list[str]) -> int:
    """Parse the words and do what they ask."""
    overrides = [word for word in words if "=" in word or word.startswith("~")]
    names = [word for word in words if not word.startswith("-") and word not in overrides]
    if not names:
        show.overview()
        return 0 if not words or set(words) & set(HELP) else 1
    stage = names[0]
    if stage == tree.SHOW:
        rest = words[words.index(stage) + 1 :]
        return show.usage() if set(words) & set(HELP) else artefacts.show(rest)
    _check(stage, words, names)
    if stage == tree.TUNE:
        return _tune(words, overrides)
    if set(words) & set(HELP):
        show.stage_help(stage, *compose.compose(stage, overrides))
        return 0
    sweep = bool(set(words) & set(SWEEP))
    if stage == tree.LOOP:
        from factory.command.looping.run import loop  # its page is loaded for nobody else

        return loop(overrides, sweep=sweep)
    return run(stage, overrides, sweep=sweep)


def run(stage: str, overrides: list[str], *, sweep: bool) -> int:
    """Run one stage or a line, once or for every point of a sweep; a point that fails does not stop the others."""
    statuses: list[int] = []
    points: list[tuple[dict[str, Any], list[str]]] = []

    def failed(error: Exception) -> None:
        statuses.append(_say(error))

    def job(config: dict[str, Any], swept: list[str]) -> None:
        points.append((config, swept))

    compose.run(stage, overrides, sweep=sweep, job=job, failed=failed)
    for config, (_, swept) in zip(place_sweep(stage, points), points, strict=True):
        if swept:
            print(f"\n{', '.join(swept)}", file=sys.stderr)
        try:
            _perform_all(stage, config)
        except Exception as error:  # a user never sees a traceback, and the other points go on
            failed(error)
    return max(statuses, default=0)


def _tune(words: list[str], overrides: list[str]) -> int:
    from factory.command.tuning import run  # Optuna is loaded for nobody else
    from factory.command.tuning import words as asked

    if set(words) & set(HELP):
        show.stage_help(tree.TUNE, *compose.compose(tree.TUNE, asked.sort(overrides)[0]))
        return 0
    if set(words) & set(SWEEP):
        raise ConfigError("a search is no sweep", got="-m", todo="let keys vary with space.<key>=…")
    run.tune(overrides)
    return 0


def _perform_all(stage: str, config: dict[str, Any]) -> None:
    line = line_of(stage, config)
    outcomes = already.beginning(line)
    there = len(outcomes)
    steps = steps_of(line)[there:] if there < len(line["line"]) else []
    try:
        for step in steps:
            if not rank():
                show.began(step.name)
            outcomes.append(perform(step))
    finally:
        if outcomes and not rank():
            show.summary(outcomes)


def _check(stage: str, words: list[str], names: list[str]) -> None:
    known = [*tree.stages(), *tree.LINES, tree.TUNE, tree.SHOW]
    if stage not in known:
        close = difflib.get_close_matches(stage, known, 1)
        guess = f"did you mean {close[0]}? " if close else ""
        raise ConfigError(
            "unknown stage", got=stage, expected=", ".join(known), todo=f"{guess}factory --help lists them"
        )
    strange = [word for word in words if word.startswith(("-", "=")) and word not in (*HELP, *SWEEP)] + names[1:]
    if strange:
        expected = "key=value, -m or --help"
        raise ConfigError(
            "words that mean nothing here", where=f"factory {stage}", got=" ".join(strange), expected=expected
        )


def _say(error: Exception) -> int:
    if os.environ.get("FACTORY_DEBUG"):
        raise error
    print(f"error: {explained(error)}", file=sys.stderr)
    return 1


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
