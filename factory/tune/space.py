"""What a search may vary: ranges of numbers and lists of choices, each written as one word of the command line."""

from __future__ import annotations

import math
from dataclasses import dataclass

import optuna

from factory.core.errors import ConfigError

FORMS = ("log:lo:hi", "float:lo:hi", "float:lo:hi:step", "int:lo:hi", "int:lo:hi:step", "logint:lo:hi", "a,b,c")
DIGITS = 6
"""Significant digits of what is tried: more cannot matter, and fewer can be read."""

COUNTED = 10_000
"""Values of one key that can be gone through one by one; more are never used up."""
LARGEST = 2**53
"""Up to here whole numbers and steps can be told apart."""


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """The numbers from ``low`` to ``high``, both included, evenly or (``log``) by their logarithms.

    ``step`` leaves only ``low`` plus whole steps; ``whole`` leaves whole numbers.
    """

    low: float
    high: float
    step: float | None = None
    log: bool = False
    whole: bool = False

    def __post_init__(self) -> None:
        if not all(math.isfinite(end) for end in (self.low, self.high)) or self.low >= self.high:
            raise ConfigError("a range goes from a lower to a higher number", got=f"{self.low:g} to {self.high:g}")
        if self.log and self.low <= 0:
            raise ConfigError("a logarithmic range begins above 0", got=f"{self.low:g}", todo="raise lo, or leave log")
        if self.whole and not all(float(number).is_integer() for number in (self.low, self.high, self.step or 1)):
            raise ConfigError("a range of whole numbers has whole ends", got=f"{self.low:g} to {self.high:g}")
        if self.whole and max(abs(self.low), abs(self.high)) > LARGEST:
            got = f"{self.low:g} to {self.high:g}"
            raise ConfigError("whole numbers are too large to be told apart", got=got, expected=f"up to {LARGEST:,}")
        if self.step is not None:
            self._check_step(self.step)

    def _check_step(self, step: float) -> None:
        steps = (self.high - self.low) / step if step > 0 else 0.0
        if round(steps) < 1 or abs(steps - round(steps)) > 1e-9:
            ends = f"{self.low:g} to {self.high:g} by {step:g}"
            raise ConfigError("hi must be lo plus whole steps", got=ends, todo="change hi or the step")
        if steps > LARGEST:
            ends = f"{self.low:g} to {self.high:g} by {step:g}"
            raise ConfigError("steps are too small to be told apart", got=ends, todo="leave out the step")

    def __str__(self) -> str:
        """As it is written on a command line."""
        form = f"{'log' * self.log}{'int' * self.whole}" or "float"
        step = () if self.step is None else (self.word(self.step) if self.whole else repr(self.step),)
        return ":".join((form, *self.corners, *step))

    @property
    def corners(self) -> tuple[str, ...]:
        """The words at both ends, exactly."""
        low, high = (str(int(end)) if self.whole else repr(end) for end in (self.low, self.high))
        return low, high

    @property
    def values(self) -> tuple[float, ...] | None:
        """All of them; None where they are too many to be gone through."""
        if (step := self._between) is None or (count := round((self.high - self.low) / step) + 1) > COUNTED:
            return None
        return tuple((int if self.whole else float)(self.low + step * index) for index in range(count))

    @property
    def _between(self) -> float | None:
        """How far one is from the next; None where any number will do."""
        return self.step or (1.0 if self.whole else None)

    def suggest(self, trial: optuna.Trial, key: str) -> None:
        """Let a trial's sampler draw one, unless it has."""
        if self.whole:
            trial.suggest_int(key, int(self.low), int(self.high), step=int(self.step or 1), log=self.log)
        else:
            trial.suggest_float(key, self.low, self.high, step=self.step, log=self.log)

    def holds(self, value: object) -> bool:
        """Whether a setting is one of them."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.low <= value <= self.high:
            return False
        if (step := self._between) is None:
            return True
        return math.isclose(value, self.low + step * round((value - self.low) / step))

    def parameter(self, value: float) -> float:
        """A setting as a trial holds it."""
        return int(value) if self.whole else float(value)

    def word(self, value: float) -> str:
        """A number as it stands on a command line; rounding never leaves the range."""
        if self.whole:
            return str(int(value))
        return repr(min(max(float(f"{value:.{DIGITS}g}"), self.low), self.high))


@dataclass(frozen=True, kw_only=True)
class Choices:
    """A list of values without order: strings, numbers, lists, or the choices of a group."""

    words: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(set(self.words)) < max(2, len(self.words)):
            raise ConfigError("choices are two or more different ones", got=", ".join(self.words) or "none")

    def __str__(self) -> str:
        """As it is written on a command line."""
        return ",".join(self.words)

    @property
    def corners(self) -> tuple[str, ...]:
        """All of them."""
        return self.words

    @property
    def values(self) -> tuple[str, ...]:
        """All of them."""
        return self.words

    def suggest(self, trial: optuna.Trial, key: str) -> None:
        """Let a trial's sampler draw one, unless it has."""
        trial.suggest_categorical(key, self.words)

    def holds(self, value: object) -> bool:
        """Whether a setting is one of them."""
        return self.parameter(value) in self.words

    def parameter(self, value: object) -> str:
        """A setting as a trial holds it: its word."""
        return word_of(value)

    def word(self, value: str) -> str:
        """A choice is its own word."""
        return value


Dimension = Numbers | Choices


def word_of(value: object) -> str:
    """A single value as it stands on a command line."""
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def numbers(text: str) -> Numbers | None:
    """The range that ``log:1e-4:1e-2`` and its like describe; None for text that begins otherwise."""
    form, colon, rest = text.partition(":")
    if not colon or form not in ("log", "float", "int", "logint"):
        return None
    parts = [_number(part, text) for part in rest.split(":")]
    stepped = not form.startswith("log")
    if len(parts) != 2 and not (stepped and len(parts) == 3):
        raise ConfigError("not a range", got=text, expected=" or ".join(f for f in FORMS if f.startswith(f"{form}:")))
    step = parts[2] if len(parts) == 3 else None
    return Numbers(low=parts[0], high=parts[1], step=step, log=not stepped, whole=form.endswith("int"))


def _number(part: str, text: str) -> float:
    try:
        return float(part)
    except ValueError as error:
        raise ConfigError("not a number", got=f"{part!r} in {text}", expected="a number such as 1e-4") from error
