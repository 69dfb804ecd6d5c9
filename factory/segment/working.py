"""The size at which a segmenter looks at pictures: that of the pictures it learnt from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from factory.core.picture import within
from factory.core.sample import Sample
from factory.segment.data import Size


@dataclass(frozen=True, kw_only=True)
class Working:
    """``size_hw`` (height, width) is what every picture is brought to; without it, ``longest`` is the most pixels that
    the longer side keeps. Without either, pictures keep their own size. Pictures of ``part_hw`` are tiles that were cut
    when all had been brought to ``size_hw``: they keep theirs.
    """

    size_hw: Size | None = None
    longest: int | None = None
    part_hw: Size | None = None

    def of(self, shape_hw: Size) -> Size:
        """The size at which a picture of ``shape_hw`` is looked at."""
        if self.size_hw and shape_hw != self.part_hw:
            return self.size_hw
        return within(shape_hw, self.longest) if self.longest else shape_hw

    @classmethod
    def learnt_from(cls, samples: Iterable[Sample]) -> Working:
        """What `factory ingest` brought all of these pictures to; their own size where it did so to some alone."""
        rows = list(samples)
        said = [sample.provenance.get("brought_to", {}) for sample in rows]
        if not said or any(one != said[0] for one in said):
            return cls()
        size_hw, part_hw = (said[0].get("size") or [])[::-1], [rows[0].height, rows[0].width]
        return cls.of_numbers(size_hw, said[0].get("longest"), part_hw if size_hw and part_hw != size_hw else None)

    @classmethod
    def of_numbers(cls, size_hw: Sequence[int] | None, longest: int | None, part_hw: Sequence[int] | None) -> Working:
        """As files hold it."""
        whole, part = ((int(one[0]), int(one[1])) if one else None for one in (size_hw, part_hw))
        return cls(size_hw=whole, longest=longest and int(longest), part_hw=part)

    def is_like(self, other: Working) -> bool:
        """Whether both show things equally large, whole or in tiles."""
        return (self.size_hw, self.longest) == (other.size_hw, other.longest)

    def __str__(self) -> str:
        if self.size_hw:
            return "{} x {} (height x width)".format(*self.size_hw)
        return f"at most {self.longest} pixels a side" if self.longest else "the pictures' own"


def said_of(samples: Iterable[Sample]) -> str:
    """What pictures were brought to, each size once."""
    return "; ".join(dict.fromkeys(str(Working.learnt_from([sample])) for sample in samples))


def disagreements(learnt: Sequence[Sample], others: Mapping[str, Sequence[Sample]]) -> Iterator[tuple[str, str]]:
    """Pictures of a training (``others`` by their input) that were not brought to the size of those it learns from.

    Each as a name and a sentence; of pictures to learn from that differ among themselves it is the only one.
    """
    ours = said_of(learnt)
    if ";" in ours:
        todo = "give size=[height,width], or ingest them alike"
        yield (
            "size",
            f"the pictures were brought to different sizes ({ours}): the model looks at others as they are; {todo}",
        )
        return
    for name, samples in others.items():
        if samples and (theirs := said_of(samples)) != ours:
            yield name, f"its pictures were brought to another size ({theirs}) than those to learn from ({ours})"
