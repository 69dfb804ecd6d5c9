"""Defects drawn on pictures of sound tiles: settings are chosen on these, without a look at real masks."""

import cv2
import numpy as np

COUNTS = {"Blowhole": 28, "Break": 21, "Crack": 14, "Fray": 8, "Uneven": 25}
"""How many pictures get each defect, about half of the real ones."""


def rehearsal(sound: dict[str, np.ndarray], seed: int) -> list[tuple[str, str, np.ndarray, np.ndarray]]:
    """(name, class, grey picture, mask) of every picture; those left over stay sound, class Free, mask empty."""
    rng = np.random.default_rng(seed)
    names = [sorted(sound)[place] for place in rng.permutation(len(sound))]
    kinds = [kind for kind, count in COUNTS.items() for _ in range(count)]
    drawn = []
    for place, name in enumerate(names):
        kind = kinds[place] if place < len(kinds) else "Free"
        grey = sound[name]
        found = (grey, np.zeros(grey.shape, bool)) if kind == "Free" else painted(rng, grey, kind)
        drawn.append((name, kind, *found))
    return drawn


def painted(rng: np.random.Generator, grey: np.ndarray, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """The picture with one defect, and where it is."""
    size = (grey.shape[0], grey.shape[1])
    for _ in range(20):
        mask, factor, edge = SHAPES[kind](rng, *size)
        if 20 < mask.sum() < 0.6 * mask.size:
            break
    light = grey.astype(np.float32)
    alpha = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), edge)
    inside = light * factor * (1 + 0.06 * noise(rng, *size, 1.2))
    if kind == "Uneven":  # grinding marks of another strength
        smooth = cv2.GaussianBlur(light, (0, 0), 5)
        inside = smooth * factor + (light - smooth) * rng.uniform(1.2, 2.2)
    mixed = cv2.GaussianBlur(light * (1 - alpha) + alpha * inside, (0, 0), 0.4)
    return np.clip(np.where(alpha > 0.01, mixed, light), 0, 255).astype(np.uint8), mask


def noise(rng: np.random.Generator, height: int, width: int, sigma: float) -> np.ndarray:
    """Smooth noise of standard deviation 1."""
    field = cv2.GaussianBlur(rng.normal(size=(height, width)).astype(np.float32), (0, 0), sigma)
    return field / (field.std() + 1e-6)


def blowhole(rng: np.random.Generator, height: int, width: int) -> tuple[np.ndarray, float, float]:
    """A small dark pit."""
    mask = np.zeros((height, width), np.uint8)
    centre = (rng.uniform(0.08, 0.92) * width, rng.uniform(0.08, 0.92) * height)
    radius = rng.uniform(3, 10)
    turned = rng.uniform(0, 180) if rng.random() < 0.3 else rng.normal(0, 15)
    cv2.ellipse(mask, (centre, (2 * radius, 2 * radius * rng.uniform(0.35, 1)), turned), (1,), -1)
    return mask > 0, rng.uniform(0.4, 0.85), 0.8


def broken(rng: np.random.Generator, height: int, width: int) -> tuple[np.ndarray, float, float]:
    """A bite out of an edge."""
    along, deep, place = rng.uniform(6, 45), rng.uniform(5, 22), rng.uniform(0.05, 0.95)
    side = rng.integers(4)
    x, y = [(place * width, 0), (place * width, height), (0, place * height), (width, place * height)][side]
    wide, tall = (along, deep) if side < 2 else (deep, along)
    down, across = np.mgrid[:height, :width]
    mask = ((across - x) / wide) ** 2 + ((down - y) / tall) ** 2 + 0.35 * noise(rng, height, width, 6) < 1
    return mask, rng.uniform(0.25, 0.65) if rng.random() < 0.8 else rng.uniform(1.2, 1.5), 1.0


def crack(rng: np.random.Generator, height: int, width: int) -> tuple[np.ndarray, float, float]:
    """A thin dark line that wanders."""
    mask = np.zeros((height, width), np.uint8)
    angle, length = rng.normal(np.pi / 2, 0.44), rng.uniform(25, 160)
    place = np.array([rng.uniform(0.1, 0.9) * width, rng.uniform(0.1, 0.9) * height])
    line = [place]
    for _ in range(int(length / 5)):
        angle += rng.normal(0, 0.18)
        line.append(line[-1] + 5 * np.array([np.cos(angle), np.sin(angle)]))
    cv2.polylines(mask, [np.round(line).astype(np.int32)], False, (1,), int(rng.integers(1, 4)))
    return mask > 0, rng.uniform(0.45, 0.85), 0.6


def fray(rng: np.random.Generator, height: int, width: int) -> tuple[np.ndarray, float, float]:
    """A large dull spot."""
    x, y = rng.uniform(0.3, 0.7) * width, rng.uniform(0.3, 0.7) * height
    wide, tall = rng.uniform(0.1, 0.35) * width, rng.uniform(0.15, 0.5) * height
    down, across = np.mgrid[:height, :width]
    mask = ((across - x) / wide) ** 2 + ((down - y) / tall) ** 2 + 0.1 * noise(rng, height, width, 15) < 1
    return mask, rng.uniform(0.6, 0.92), 1.5


def uneven(rng: np.random.Generator, height: int, width: int) -> tuple[np.ndarray, float, float]:
    """A part of the tile that was ground differently."""
    down, across = np.mgrid[:height, :width]
    mask = down - rng.uniform(0.25, 0.75) * height - rng.normal(0, 0.15) * (across - width / 2) > 0
    mask = ~mask if rng.random() < 0.5 else mask
    left, right = sorted(rng.uniform(-0.3, 1.3, 2) * width)
    if right - left > 0.35 * width:
        mask &= (across > left) & (across < right)
    return mask, rng.uniform(0.78, 0.94) if rng.random() < 0.5 else rng.uniform(1.06, 1.35), 1.0


SHAPES = {"Blowhole": blowhole, "Break": broken, "Crack": crack, "Fray": fray, "Uneven": uneven}
