"""The size at which a segmenter looks at pictures: that of the pictures it learnt from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from factory.core.picture import within
from factory.core.sample import Sample
from factory.segment.data import Size


@dataclass(frozen=True, kw_only=True)
class Working:
    """``size_hw`` (height, width) is what every picture is brought to; without it, ``longest`` is the most pixels that
    the longer side keeps. Without either, pictures keep their own size.
    """

    size_hw: Size | None = None
    longest: int | None = None

    def of(self, shape_hw: Size) -> Size:
        """The size at which a picture of ``shape_hw`` is looked at."""
        if self.size_hw:
            return self.size_hw
        return within(shape_hw, self.longest) if self.longest else shape_hw

    @classmethod
    def learnt_from(cls, samples: Iterable[Sample]) -> Working:
        """What `factory ingest` brought all of these pictures to; their own size where it did so to some alone."""
        said = [sample.provenance.get("brought_to", {}) for sample in samples]
        if not said or any(one != said[0] for one in said):
            return cls()
        return cls.of_numbers((said[0].get("size") or [])[::-1], said[0].get("longest"))

    @classmethod
    def of_numbers(cls, size_hw: Sequence[int] | None, longest: int | None) -> Working:
        """As files hold it."""
        return cls(size_hw=(int(size_hw[0]), int(size_hw[1])) if size_hw else None, longest=longest and int(longest))

    def __str__(self) -> str:
        if self.size_hw:
            return "{} x {} (height x width)".format(*self.size_hw)
        return f"at most {self.longest} pixels a side" if self.longest else "the pictures' own"
