"""The numbers of a training run."""

from __future__ import annotations

from dataclasses import dataclass

from factory.core.errors import ConfigError

PRECISIONS = ("auto", "32-true", "bf16-mixed", "16-mixed")
LEAST = {"steps": 1, "batch": 2, "accumulate": 1, "validate_every": 1, "save_every": 1, "warmup": 0, "cycles": 1}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How long, how fast, how precisely; see conf/train.yaml.

    Learning rates fall as ``(1 - step / steps) ** power`` after a linear warm-up, ``cycles`` times, each from the top:
    what was learnt at the end of each is a snapshot, a member of an ensemble for one training's price (Huang et al.
    2017). A batch is worked through in
    ``accumulate`` parts. ``ema`` is the decay of the running mean of the weights that is validated and kept (0: none).
    ``patience`` is the number of validations without a better mIoU after which training ends (None: never).
    """

    steps: int
    batch: int
    accumulate: int
    validate_every: int
    save_every: int
    encoder_lr: float
    decoder_lr: float
    weight_decay: float
    power: float
    warmup: int
    cycles: int
    clip_norm: float | None
    ema: float
    patience: int | None
    precision: str
    channels_last: bool
    compiled: bool

    def __post_init__(self) -> None:
        for name, least in LEAST.items():
            _check(name, getattr(self, name), least, f"{least} or more")
        for name in ("encoder_lr", "decoder_lr", "weight_decay", "power"):
            _check(name, getattr(self, name), 0, "0 or more")
        if self.clip_norm is not None and self.clip_norm <= 0:
            raise ConfigError("train.clip_norm is too small", got=self.clip_norm, expected="above 0, or null")
        if self.patience is not None:
            _check("patience", self.patience, 1, "1 or more, or null")
        if self.precision not in PRECISIONS:
            raise ConfigError("unknown train.precision", got=self.precision, expected=", ".join(PRECISIONS))
        if not 0 <= self.ema < 1:
            raise ConfigError("train.ema is a decay", got=self.ema, expected="0 (off) to below 1, as in 0.99")
        self._check_parts()

    def _check_parts(self) -> None:
        if self.cycles > self.steps:
            raise ConfigError("train.cycles are more than steps", got=self.cycles, expected=f"at most {self.steps}")
        if self.batch // self.accumulate < LEAST["batch"] or self.batch % self.accumulate:
            todo = "batch norm needs two pictures: give a larger batch, or accumulate over fewer parts"
            got = f"batch={self.batch} accumulate={self.accumulate}"
            raise ConfigError("a batch must divide into equal parts of two or more", got=got, todo=todo)

    def factor(self, step: int) -> float:
        """What the learning rates are multiplied by at a step, counted from 0."""
        warm = min(1.0, (step + 1) / (self.warmup + 1))
        start = max(end for end in self.cycle_ends if end <= step)
        end = min(end for end in self.cycle_ends if end > step)
        return float(warm * (1 - (step - start) / (end - start)) ** self.power)

    @property
    def cycle_ends(self) -> list[int]:
        """The steps after which a cycle ends, 0 before them."""
        return [round(self.steps * number / self.cycles) for number in range(self.cycles + 1)]

    def snapshot(self, step: int) -> int | None:
        """The number of the cycle that ends after so many steps; None for the last one, which is no snapshot."""
        return self.cycle_ends.index(step) if step in self.cycle_ends[1:-1] else None


def _check(name: str, got: float, least: float, expected: str) -> None:
    if got < least:
        raise ConfigError(f"train.{name} is too small", got=got, expected=expected)
