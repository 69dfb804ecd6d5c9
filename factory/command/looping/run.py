"""``factory loop``: rounds carried out one after the other, and what each of them brought."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from factory.command import already, compose, tree
from factory.command import show as steps_shown
from factory.command.bind import bind, check_value
from factory.command.explain import explained
from factory.command.looping import places, results, times
from factory.command.looping.mistaken import require_own_queue
from factory.command.looping.returned import (
    LATE,
    RETURNED,
    Return,
    chained,
    gone_on,
    passed_over,
    require_in_time,
    returned,
)
from factory.command.looping.rounds import Loop, drawn_out, named
from factory.command.perform import perform
from factory.core import digests
from factory.core.errors import ConfigError
from factory.execute.process import Process
from factory.review.rounds import UNDER_WAY, Point, Row
from factory.tune.locks import holding

Config = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Course:
    """One point of a sweep: its loop, the words that set it apart, and what ends it early."""

    loop: Loop
    words: tuple[str, ...]
    seed: int
    root: Path
    budget: float | None
    least_precision: float
    several: bool = False

    @property
    def settings(self) -> dict[str, str]:
        """The words and the seed, by key."""
        return dict(word.split("=", 1) for word in (*self.words, f"seed={self.seed}"))


class Ended(Exception):  # noqa: N818  # not an error
    """No further round follows: all are done, something ran out, or people have their turn."""


def loop(overrides: list[str], *, sweep: bool) -> int:
    """Go round, once or for every point of a sweep; the exit status is 1 if any of them failed.

    All points are bound before the first step is made.
    """
    errors: list[Exception] = []
    found: list[tuple[Config, list[str]]] = []
    compose.run(tree.LOOP, overrides, sweep=sweep, job=lambda *point: found.append(point), failed=errors.append)
    for error in errors:
        raise error
    vain = [word for word in overrides if word.startswith("merge.rules.")]
    if vain and any(config["oracle"] for config, _ in found):
        print(
            f"{', '.join(vain)}: of no effect with oracle=true, which takes its person at their word", file=sys.stderr
        )
    courses = _placed([_course(config, swept) for config, swept in found])
    for course in courses:
        _check(course.loop.config)
    at_a_time = min(_side_by_side(found[0][0]), len(courses))
    executor = Process(count=at_a_time)
    points = list(executor.map(follow, courses, title="loop")) if at_a_time > 1 else [follow(one) for one in courses]
    steps_shown.rounds(points, courses[0].root / results.PAGE)
    return int(any(point.failed for point in points))


def _check(line: Config) -> None:
    """Bind every step of a loop of which not all is there: what is there was bound when it was made."""
    if len(already.beginning(line)) < len(line["line"]):
        for name in line["line"]:
            bind(name, line[name])


def _side_by_side(config: Config) -> int:
    count: int = config["side_by_side"]
    check_value("side_by_side", count, int)
    if count < 1:
        raise ConfigError("points that run at a time: 1 or more", where="side_by_side", got=count)
    return count


def _course(config: Config, swept: list[str]) -> Course:
    drawn = drawn_out(config)
    return Course(
        loop=drawn,
        words=tuple(sorted(word for word in swept if not word.startswith("seed="))),
        seed=config["seed"],
        root=Path(config["root"]),
        budget=config["budget"],
        least_precision=config["least_precision"],
    )


def _placed(courses: list[Course]) -> list[Course]:
    """Steps that several points make in the same way are made once, in folders named after what sets them apart."""
    loops = places.apart([course.loop.config for course in courses], [course.settings for course in courses])
    return [
        replace(course, loop=replace(course.loop, config=config), several=len(courses) > 1)
        for course, config in zip(courses, loops, strict=True)
    ]


def follow(course: Course) -> Point:
    """Carry out a point's rounds as far as they go; what went wrong is said, and the other points go on.

    After each round its figures are kept: a loop can be watched. A try that fails forgets no round of an earlier one.
    """
    point = Point(words=course.words, seed=course.seed, rows=(), ended=UNDER_WAY)
    earlier = next((one.rows for one in results.read(course.root) if one.key == point.key), ())
    try:
        for row in _rounds(course):
            point = replace(point, rows=(*point.rows, row))
            results.keep(course.root, point)
    except Ended as end:
        point = replace(point, ended=str(end))
    except Exception as error:
        if os.environ.get("FACTORY_DEBUG"):
            raise
        said, known = str(explained(error)), earlier[: len(point.rows)] == point.rows
        point = replace(point, rows=earlier if known else point.rows, ended=said, failed=True)
        print(f"error: {said}", file=sys.stderr)
    with suppress(OSError) if point.failed else nullcontext():  # the disk that is full is told already
        results.keep(course.root, point)
    return point


def _rounds(course: Course) -> Iterator[Row]:
    """Each round's figures; `Ended` says why no further one follows."""
    drawn = course.loop
    figures = {name: _made(course, name) for name in drawn.first}
    row = results.start(figures[drawn.judged], Path(drawn.config[drawn.rounds[0][0]]["inputs"]["source"]))
    yield row
    for number in range(1, len(drawn.rounds) + 1):
        if course.budget is not None and row.seconds >= course.budget:
            raise Ended(f"the budget of {course.budget:g} s is spent")
        row = _round(course, number, row)
        yield row
        if row.precision is not None and row.precision < course.least_precision:
            raise Ended(f"queue precision fell to {row.precision:.3f}, below {course.least_precision:g}")
    raise Ended("all rounds are done")


def _round(course: Course, number: int, before: Row) -> Row:
    """Ask, merge what comes back, make anew what hangs on it."""
    asking, *others = course.loop.rounds[number - 1]
    if not course.loop.oracle:
        times.hand_on(course.loop.config, number)
    queue = _made(course, asking)
    if not queue["queued"]:
        raise Ended("there is nothing left to ask")
    answering, merge, *again = others
    answered = _made(course, answering)
    if course.loop.oracle:
        merged, seconds = [_made(course, merge)], answered["seconds"]
    else:
        anew = not gone_on(course.loop.config, again)
        brought = _brought(course, number, anew=anew)
        names = chained(course.loop.config, number, brought, anew=anew)
        merged = [_made(course, name) for name in names]
        _require_some(brought, merged)
        if anew:
            require_own_queue(course.loop.config, number, names, brought)
        seconds = _spent(course, number, brought, merged)
    return results.row_of(
        number,
        seconds=seconds,
        merged=merged,
        judged={name: _made(course, name) for name in again}[named(course.loop.judged, number)],
        before=before,
    )


def _spent(course: Course, number: int, brought: list[Return], merged: list[dict[str, Any]]) -> float:
    """Seconds that a round's answers took: what people noted, and the estimate for regions without a time."""
    regions, seconds = times.noted(course.loop.config, number)
    asked = [_made(course, named("select", one.number)) for one in brought]
    came = [results.regions_added(figures) for figures in merged]
    estimated = sum(
        float(queue["seconds"]) * count / int(queue["queued"]) for queue, count in zip(asked, came, strict=True)
    )
    return seconds + estimated * max(0, sum(came) - regions) / max(1, sum(came))


def _require_some(brought: list[Return], merged: list[dict[str, Any]]) -> None:
    """`ConfigError` where nothing of what came back counts: nothing would be learnt, and the questions be gone."""
    if any(figures["pixels_human"] for figures in merged):
        return
    todo = (
        "see what is said above; merge.rules.unchanged=confirm takes what came back as proposed as right; then give "
        "the same command again"
    )
    where = ", ".join(str(one.path) for one in brought)
    raise ConfigError("nothing of what came back counts", where=where, expected="answers to this queue", todo=todo)


def _brought(course: Course, number: int, *, anew: bool) -> list[Return]:
    """People's answers to a round; `Ended` before there are any."""
    review = Path(course.loop.config[named("review", number)]["out"])
    found = returned(review.parent, number)
    if not anew:
        require_in_time(course.loop.config, number, found)
    if not any(one.number == number for one in found):
        others = f" (not {', '.join(wrong)})" if (wrong := passed_over(review.parent)) else ""
        late = f"; what comes late for an earlier round counts too, as {LATE}-1.zip" if number > 1 else ""
        raise Ended(
            f"round {number} waits for people: {review / 'annotate'} is what they start from (README.txt says how); "
            f"put what comes back to {review.parent / RETURNED}.zip{others} (.xml, or a folder; ZIPs and folders may "
            f"be of LabelMe or PNG files; of several people {RETURNED}-anna.zip, {RETURNED}-ben.zip){late}, and give "
            "the same command again; from a queue.csv with its column taken filled in, as "
            f"{review.parent / times.TIMES}.csv, the next round learns what answers cost"
        )
    if wrong := passed_over(review.parent):
        print(f"round {number}: not taken for answers or times: {', '.join(wrong)}", file=sys.stderr)
    return found


def _made(course: Course, name: str) -> dict[str, Any]:
    """A step's figures, the step made if it is not there; another process that makes it is waited for."""
    if not course.several:
        return _perform(course, name)
    locks = course.root / ".locks"
    locks.mkdir(parents=True, exist_ok=True)
    with holding(locks / digests.of_bytes(str(course.loop.config[name]["out"]).encode())):
        return _perform(course, name)


def _perform(course: Course, name: str) -> dict[str, Any]:
    seed = [f"seed={course.seed}"] if course.several else []
    print(" ".join([name, *course.words, *seed, "…"]), file=sys.stderr)
    config = course.loop.config[name]
    outcome = already.step_there(name, config) or perform(bind(name, config))
    if not outcome.skipped:
        steps_shown.issues(outcome)
    return dict(outcome.header.figures)
