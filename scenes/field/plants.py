"""From a plant's numbers to its leaves: one function a species. Plants stand on the origin, z up, in metres."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from scenes.field.leaves import GOLDEN, Foliage, leaf, stem, together

Grow = Callable[[dict[str, Any], np.random.Generator], list[Foliage]]


def foliage(plan: dict[str, Any]) -> Foliage:
    """The whole plant."""
    rng = np.random.default_rng(plan["seed"])
    parts = (
        _seedling(plan, rng) if plan["growth"] < 0.12 and plan["kind"] not in BLADED else GROWN[plan["kind"]](plan, rng)
    )
    return together(parts).turned(plan["lean"][0], "x").turned(plan["lean"][1], "y").turned(plan["turn"])


def _number(plan: dict[str, Any], least: int, most: int) -> int:
    return round(least + (most - least) * plan["growth"])


def _seedling(plan: dict[str, Any], rng: np.random.Generator) -> list[Foliage]:
    """Two seed leaves opposite each other, and the first true ones between them."""
    reach, shape = plan["reach"], {"beet": "oval", "thistle": "spoon", "vine": "heart"}.get(plan["kind"], "round")
    slim = rng.uniform(0.4, 0.65)
    pair = [(0.0, 1.0), (math.pi, 1.0), (math.pi / 2, 0.35), (-math.pi / 2, 0.3)]
    made = []
    for angle, share in pair:
        size = reach * share * rng.uniform(0.9, 1.1)
        form = {"width": slim * size, "rise": rng.uniform(0.1, 0.6), "droop": rng.uniform(0.0, 0.5), "stalk": 0.3}
        made.append(leaf(shape, length=size, **form).turned(angle + rng.normal(0, 0.1)).moved((0, 0, 0.15 * reach)))
    return made


def maize(plan: dict[str, Any], rng: np.random.Generator) -> list[Foliage]:
    """Long blades to either side of a stalk, in turns, arching over."""
    reach, number = plan["reach"], _number(plan, 2, 8)
    made = [stem(np.linspace((0, 0, 0), (0.004, 0.002, 0.28 * reach), 4), 0.022 * reach + 0.002)]
    for index in range(number):
        share = 0.45 + 0.55 * math.sin(math.pi * (index + 1.2) / (number + 1.2))
        length = 1.25 * reach * share * rng.uniform(0.9, 1.1)
        form = {
            "width": 0.11 * length + 0.1 * reach * share,
            "rise": rng.uniform(0.7, 1.15),
            "droop": rng.uniform(1.1, 2.2),
        }
        form |= {"fold": rng.uniform(0.1, 0.35), "ripple": rng.uniform(0, 0.25), "phase": rng.uniform(0, 6)}
        form |= {"sway": rng.normal(0, 0.3), "tone": rng.uniform(0.8, 1.2)}
        angle = math.pi * index + rng.normal(0, 0.22)
        made.append(
            leaf("blade", length=length, **form).turned(angle).moved((0, 0, 0.05 * reach + 0.03 * reach * index))
        )
    return made


def beet(plan: dict[str, Any], rng: np.random.Generator) -> list[Foliage]:
    """A rosette of broad, wavy leaves on strong stalks."""
    form = {"shape": "oval", "stalk": (0.28, 0.4), "slim": (0.42, 0.6), "ripple": (0.1, 0.35), "rise": (0.25, 1.0)}
    return _whorl(plan, rng, _number(plan, 3, 11), form)


def rosette(plan: dict[str, Any], rng: np.random.Generator) -> list[Foliage]:
    """Spoon-shaped leaves close to the ground."""
    form = {"shape": "spoon", "stalk": (0.1, 0.3), "slim": (0.32, 0.5), "ripple": (0.0, 0.15), "rise": (0.05, 0.4)}
    return _whorl(plan, rng, _number(plan, 4, 12), form)


def thistle(plan: dict[str, Any], rng: np.random.Generator) -> list[Foliage]:
    """Lobed leaves with teeth, flat on the ground."""
    form = {"shape": "lobed", "stalk": (0.02, 0.1), "slim": (0.28, 0.42), "ripple": (0.1, 0.4), "rise": (0.05, 0.45)}
    return _whorl(plan, rng, _number(plan, 4, 12), form)


def _whorl(plan: dict[str, Any], rng: np.random.Generator, number: int, form: dict[str, Any]) -> list[Foliage]:
    """Leaves around one point at golden angles, younger ones shorter and steeper."""
    slim, stalk = rng.uniform(*form["slim"]), rng.uniform(*form["stalk"])
    made = []
    for index in range(number):
        age = 1 - index / number
        length = plan["reach"] * (0.35 + 0.65 * age) * rng.uniform(0.85, 1.1)
        low, high = form["rise"]
        own = {
            "rise": high - (high - low) * age + rng.normal(0, 0.08),
            "droop": rng.uniform(0.2, 0.9),
            "stalk": stalk * age,
        }
        own |= {"ripple": rng.uniform(*form["ripple"]), "phase": rng.uniform(0, 6), "fold": rng.uniform(0.05, 0.3)}
        own |= {"tone": rng.uniform(0.85, 1.1) * (1.25 - 0.3 * age), "sway": rng.normal(0, 0.15)}
        one = leaf(form["shape"], length=length, width=slim * length * rng.uniform(0.9, 1.1), **own)
        made.append(one.turned(GOLDEN * index + rng.normal(0, 0.12)).moved((0, 0, 0.012 * plan["reach"] * index)))
    return made


def bean(plan: dict[str, Any], rng: np.random.Generator) -> list[Foliage]:
    """Leaves of three leaflets on stalks, opposite each other along an upright stem; a young one at its tip."""
    reach, levels = plan["reach"], _number(plan, 1, 4)
    tip = _trefoil(rng, 0.5 * reach, "oval", spread=1.5, stalk=0.0).turned(rng.uniform(0, 6.28))
    made = [tip.moved((0, 0, reach * (0.1 + 0.22 * levels)))]
    for level in range(levels):
        share, height = 1.0 - 0.17 * level, reach * (0.15 + 0.22 * level)
        for side in (0.0, math.pi):
            angle = side + level * math.pi / 2 + rng.normal(0, 0.2)
            made.append(_trefoil(rng, 0.95 * reach * share, "oval", spread=1.15).turned(angle).moved((0, 0, height)))
    return made


def clover(plan: dict[str, Any], rng: np.random.Generator) -> list[Foliage]:
    """Many small leaves of three round leaflets, each on a stalk of its own."""
    made = []
    for index in range(_number(plan, 3, 22)):
        out = plan["reach"] * math.sqrt(rng.uniform(0.02, 1.0))
        size = plan["reach"] * rng.uniform(0.26, 0.4) * (1.5 - plan["growth"])
        at = (out * math.cos(GOLDEN * index), out * math.sin(GOLDEN * index), plan["reach"] * rng.uniform(0.12, 0.4))
        made.append(_trefoil(rng, size, "round", spread=2.0, stalk=0.0).turned(rng.uniform(0, 6.28)).moved(at))
        if index % 2 == 0:
            made.append(stem(np.linspace((0, 0, 0.002), np.array(at), 4), 0.0012))
    return made


def _trefoil(rng: np.random.Generator, size: float, shape: str, *, spread: float, stalk: float = 0.35) -> Foliage:
    """Three leaflets at the end of a stalk; ``size`` from the root to the tip."""
    tip, length = stalk * size, (1 - stalk) * size
    end = (tip * math.cos(0.5), 0.0, tip * math.sin(0.5))
    tone, made = rng.uniform(0.85, 1.15), []
    for angle in (-spread, 0.0, spread):
        form = {"width": (0.6 if shape == "oval" else 0.85) * length, "rise": rng.uniform(-0.1, 0.3), "droop": 0.4}
        one = leaf(shape, length=length * rng.uniform(0.85, 1.05), fold=rng.uniform(0.05, 0.3), tone=tone, **form)
        made.append(one.turned(angle + rng.normal(0, 0.08)).moved(end))
    return together([*made, stem(np.linspace((0, 0, 0), end, 3), 0.012 * size)] if stalk else made)


def grass(plan: dict[str, Any], rng: np.random.Generator) -> list[Foliage]:
    """A tuft of narrow blades in all directions."""
    made = []
    for _ in range(_number(plan, 3, 26)):
        length = plan["reach"] * rng.uniform(0.5, 1.35)
        form = {"width": 0.025 * length + 0.003, "rise": rng.uniform(0.3, 1.4), "droop": rng.uniform(0.4, 2.0)}
        form |= {"fold": rng.uniform(0.1, 0.4), "sway": rng.normal(0, 0.35), "tone": rng.uniform(0.75, 1.25)}
        root = rng.normal(0, 0.04, 2) * plan["reach"]
        made.append(leaf("blade", length=length, **form).turned(rng.uniform(0, 6.28)).moved((*root, 0.0)))
    return made


def vine(plan: dict[str, Any], rng: np.random.Generator) -> list[Foliage]:
    """Runners that creep over the soil, with heart-shaped leaves to either side."""
    made: list[Foliage] = []
    for _ in range(_number(plan, 1, 4)):
        number, step = _number(plan, 5, 14), plan["reach"] / _number(plan, 5, 14)
        heading = rng.uniform(0, 6.28) + np.cumsum(rng.normal(0, 0.32, number))
        path = np.cumsum(np.stack([np.cos(heading), np.sin(heading)], -1) * step, 0)
        points = np.c_[np.r_[[[0.0, 0.0]], path], 0.006 + 0.006 * rng.random(number + 1)]
        made.append(stem(points, 0.0018))
        for index, angle in enumerate(heading.tolist()):
            size = (0.018 + 0.12 * plan["reach"]) * rng.uniform(0.7, 1.15) * (1 - 0.5 * index / number)
            form = {"width": 0.72 * size, "rise": rng.uniform(0.1, 0.5), "droop": rng.uniform(0.1, 0.7), "stalk": 0.22}
            one = leaf("heart", length=size, tone=rng.uniform(0.85, 1.2), **form)
            side = angle + (1 if index % 2 else -1) * rng.uniform(0.6, 1.3)
            made.append(one.turned(side).moved(points[index + 1]))
    return made


BLADED = ("maize", "grass")
"""Species that sprout with one leaf, not two."""

GROWN: dict[str, Grow] = {
    "maize": maize,
    "beet": beet,
    "bean": bean,
    "rosette": rosette,
    "grass": grass,
    "thistle": thistle,
    "vine": vine,
    "clover": clover,
}
