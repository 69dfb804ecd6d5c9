"""What the command line prints: help pages, one line a step, and the table at the end."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from factory.command import tree
from factory.command.perform import Outcome
from factory.review.beside_chance import HEAD as BESIDE_HEAD
from factory.review.beside_chance import beside_chance
from factory.review.rounds import HEAD, Point, table

LONGEST_VALUE = 40

USAGE = """\
factory <stage> key=value …          run one stage
factory run experiment=<name> …      run a whole line of stages; experiment=<file.yaml> is one of your own
factory loop experiment=<name> …     rounds of questions and training; oracle=true rehearses them
factory tune stage=<stage> …         search its settings: space.<key>=log:1e-4:1e-2 or space.<key>=a,b,c
factory show <folder> …              what an artefact is, or what lies in a folder; check=true: whether all is as sealed
  -m, --multirun                     sweep: key=a,b runs every combination
  --help                             this page; factory <stage> --help lists the stage's keys
"""

SHOW_USAGE = """\
factory show <folder> …      an artefact: what made it, of what, how, its figures, and all that it left out;
                             any other folder: the artefacts in it, finished or not. Without one: outputs
  check=true                 read every file, and say which are no longer what was sealed (exit status 1)
"""

TUNE_EXAMPLES = """\
factory tune stage=train inputs.real=… space.decoder_lr=log:1e-4:1e-2 space.loss=ce,ce_dice steps=200
factory tune stage=run experiment=camvid space.train.decoder_lr=log:1e-4:1e-2 space.label.min_confidence=float:0:0.9

Every other key is passed on to the stage. The same command again, after a kill or beside the first, goes on with the
same study. best.yaml is an experiment: factory train experiment=outputs/tune/best.yaml out=…
"""


def paper() -> Console:
    """As wide as the terminal; files and pipes get room for whole paths."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=150)


def overview() -> None:
    """The page behind ``factory --help``."""
    console = paper()
    console.print("[bold]factory[/]: from photographs without masks to a trained segmenter and a correction queue\n")
    console.print(USAGE, markup=False)
    listing(console, "Stages", [(name, tree.first_line(name)) for name in [*tree.stages(), *tree.LINES, tree.TUNE]])
    pairs = [(f"experiment={name}", tree.first_line("experiment", name)) for name in tree.choices("experiment")]
    listing(console, "Experiments", pairs)


def usage() -> int:
    """The page behind ``factory show --help``."""
    paper().print(SHOW_USAGE, markup=False)
    return 0


def stage_help(stage: str, config: dict[str, Any], chosen: dict[str, Any]) -> None:
    """The page behind ``factory <stage> --help``: every key with its default, its choices and what it does."""
    console = paper()
    console.print(f"[bold]factory {stage}[/]: {tree.first_line(stage)}\n")
    rows = [row for key, value in config.items() for row in _rows(stage, key, value, chosen)]
    listing(console, "Keys", rows)
    groups = [key for key in config if key in tree.groups()]
    if to_choose := [(f"{key}={name}", tree.first_line(key, name)) for key in groups for name in tree.choices(key)]:
        listing(console, "Choices", to_choose)
    if stage == tree.TUNE:
        console.print(TUNE_EXAMPLES, markup=False)
    else:
        console.print("key=a,b with -m sweeps. Inputs are artefact folders (or files where it says so).")
    if short := tree.short_inputs(stage):
        console.print(f"inputs. may be left out: {', '.join(f'{name}=…' for name in short)}", markup=False)


def _rows(stage: str, key: str, value: Any, chosen: dict[str, Any]) -> list[tuple[str, str]]:
    said = tree.comments(stage)
    if stage in tree.LINES and isinstance(value, dict):
        return [(f"{key}.…", f"factory {tree.stage_of(value)} --help lists its keys")]
    if key in tree.groups():
        several = isinstance(value, dict) and bool(value) and "_target_" not in value
        kind = f"choices, one or several as {key}=[a,b]: " if several else "choices: "
        picked = list(value) if several else chosen.get(key)
        choice = (f"{key}={_show(picked)}", kind + ", ".join(tree.choices(key)))
        within = {place: (group, name) for word, name in chosen.items() for group, _, place in [word.partition("@")]}
        return [choice, *_part_rows(key, value, picked, within)]
    return [(f"{name}={_show(child)}", said.get(name, "")) for name, child in _flat(key, value)]


def _part_rows(
    group: str, value: Any, choice: str | list[str] | None, within: dict[str, tuple[str, Any]]
) -> list[tuple[str, str]]:
    """The keys of a part, and before those of each part that was chosen ``within`` it what else there is to choose."""
    names = [choice] if isinstance(choice, str) else [name for name in choice or [] if name in tree.choices(group)]
    said = {key: text for name in names for key, text in tree.comments(group, name).items()}
    rows: dict[str, tuple[str, str]] = {}
    for name, child in _flat(group, value) if isinstance(value, dict) else []:
        above = [name[:end] for end, letter in enumerate(name) if letter == "."]
        for place in [place for place in (*above, name) if place in within and place not in rows]:
            inner, picked = within[place]
            called = place if place != group else f"{inner}@{place}"
            rows[place] = (f"  {called}={_show(picked)}", "choices: " + ", ".join(tree.choices(inner)))
        if not name.endswith("_target_") and name not in rows:
            rows[name] = (f"  {name}={_show(child)}", said.get(name.partition(".")[2], ""))
    return list(rows.values())


def _flat(key: str, value: Any) -> list[tuple[str, Any]]:
    if not isinstance(value, dict) or not value:
        return [] if key == "_target_" or (key, value) == ("inputs", {}) else [(key, value)]
    return [pair for name, child in value.items() for pair in _flat(f"{key}.{name}", child)]


def _show(value: Any) -> str:
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return f"[{', '.join(item['_target_'].rpartition('.')[2] for item in value)}]"
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    text = text.replace("'", "")
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def listing(console: Console, title: str, rows: list[tuple[str, str]]) -> None:
    """Names and what they mean, in two columns."""
    table = Table(title=title, title_justify="left", title_style="bold", show_header=False, box=None, pad_edge=False)
    table.add_column(no_wrap=True, style="cyan")
    table.add_column()
    for name, text in rows:
        table.add_row(Text(name), Text(text))
    console.print(table)
    console.print()


def began(step: str) -> None:
    """One line as a step begins."""
    print(f"{step} …", file=sys.stderr, flush=True)


def summary(outcomes: list[Outcome]) -> None:
    """The table a run ends with."""
    table = Table(title="Artefacts", title_justify="left", title_style="bold")
    for column, justify in (("step", "left"), ("seconds", "right"), ("artefact", "left"), ("figures", "left")):
        table.add_column(column, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for outcome in outcomes:
        seconds = "there" if outcome.skipped else f"{outcome.seconds:.1f}"
        table.add_row(Text(outcome.step), seconds, Text(str(outcome.out)), Text(figures_of(outcome.header.figures)))
    paper().print(table)
    for outcome in outcomes:
        issues(outcome)


def issues(outcome: Outcome) -> None:
    """What a step left out, or has to be looked at: the first of it, and where the rest stands."""
    if found := outcome.header.issues:
        print(f"{outcome.step}: {len(found)} left out or to look at, first: {found[0]['where']}: {found[0]['reason']}")
        if len(found) > 1:
            print(f"  all of them: factory show {quote(str(outcome.out))}")


def rounds(points: Sequence[Point], page: Path) -> None:
    """The table a loop ends with, and why each of its points did."""
    if rows := table(points):
        _printed("Rounds", HEAD, [tuple(map(_short, row)) for row in rows])
    if beside := beside_chance(points):
        _printed(f"Beside chance: {beside[0].chance}", BESIDE_HEAD, [one.row for one in beside])
    for ended in dict.fromkeys(point.ended for point in points if len(points) > 1 or not point.failed):
        print(ended)
    if rows and page.exists():
        print(f"{page} shows the curves")


def _printed(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    drawn = Table(title=title, title_justify="left", title_style="bold")
    for number, column in enumerate(head):
        drawn.add_column(column, justify="right" if number else "left")
    for row in rows:
        drawn.add_row(*map(Text, row))
    paper().print(drawn)


def _short(value: str | int | float | None) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def figures_of(figures: dict[str, Any]) -> str:
    """The plain ones of an artefact in one line."""
    plain = ((name, value) for name, value in figures.items() if isinstance(value, int | float | str))
    return ", ".join(f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in plain)
