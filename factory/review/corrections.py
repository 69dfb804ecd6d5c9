"""What a returned mask says, and how it overrides what was known of an image's pixels.

Two rules hold whatever the settings: a person's pixel replaces every other origin, and nothing but a newer pixel of a
person's replaces it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from factory.core.classes import IGNORE
from factory.core.dataset import Dataset
from factory.core.errors import ArtefactError, ConfigError
from factory.core.queue import Queue
from factory.core.sample import Origin, Sample

Map = npt.NDArray[np.uint8]
Where = npt.NDArray[np.bool_]

CHOICES = {
    "scope": ("auto", "touched", "regions", "image"),
    "unstated": ("keep", "ignore", "background", "void"),
    "unchanged": ("skip", "image", "confirm"),
}


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How far a returned mask is a person's word.

    ``scope``: `image` - every stated pixel (the person drew the whole mask). With a queue the person saw the model's
    proposal as a start and was asked about regions: `regions` - stated pixels inside the queued regions only;
    `touched` - those, and any other pixel that came back different from the proposal, because only a person can have
    changed it. `auto` is `touched` with a queue, `image` without.

    ``unstated``, for pixels in no mask inside that scope: `keep` what was known, `ignore` - withdraw it (a person's
    earlier pixels stay), `background` - they are class 0, `void` - the person saw that they are of no class: ignored
    from now on, and never asked about again.

    ``unchanged``, for a queued region that came back exactly as proposed: `skip` - nobody looked at it (an annotation
    tool exports what is untouched too); `image` - in an image of which any pixel was changed all were looked at, and
    this one found right; `confirm` - all were, in every image that came back.
    """

    scope: str = "auto"
    unstated: str = "keep"
    unchanged: str = "skip"

    def __post_init__(self) -> None:
        for key, choices in CHOICES.items():
            if (value := getattr(self, key)) not in choices:
                raise ConfigError(f"unknown rules.{key}", got=value, expected=", ".join(choices))

    def settled(self, *, queued: bool) -> Rules:
        """These rules with `auto` decided; `ConfigError` for a scope that needs a queue where there is none."""
        if self.scope == "auto":
            return replace(self, scope="touched" if queued else "image")
        if self.scope != "image" and not queued:
            raise ConfigError(f"rules.scope={self.scope} needs the queue", todo="give inputs.queue=… or scope=image")
        return self

    def stated(self, returned_hw: Map) -> Map:
        """What a returned mask states: with ``unstated=background`` pixels in no mask are class 0."""
        if self.unstated != "background":
            return returned_hw
        return np.where(returned_hw == IGNORE, 0, returned_hw).astype(np.uint8)


@dataclass(frozen=True)
class Asked:
    """What an annotator was given for one image: the queued regions' numbers, and the model's proposal."""

    regions_hw: npt.NDArray[np.uint16]
    proposal_hw: Map

    @classmethod
    def of(cls, queue: Queue, sample: Sample) -> Asked:
        """Read both maps of an image that is in the queue."""
        regions, proposal = (queue.map(name, sample.id) for name in ("regions", "proposals"))
        if not regions.shape == proposal.shape == (sample.height, sample.width):
            todo = "give the queue that was selected on this data set"
            where = f"{queue.root}: {sample.id}"
            raise ArtefactError("the queue's maps are not of the image's size", where=where, todo=todo)
        return cls(regions.astype(np.uint16), proposal.astype(np.uint8))


@dataclass(frozen=True)
class Known:
    """What is known of an image's pixels; an image without a mask has ignore everywhere."""

    mask_hw: Map
    confidence_hw: Map
    source_hw: Map

    @classmethod
    def of(cls, source: Dataset, sample: Sample) -> Known:
        """Read the three maps; what a sample lacks counts as nothing known, or as vouched for by its supervision."""
        size_hw = (sample.height, sample.width)
        if sample.mask is None:
            return cls(np.full(size_hw, IGNORE, np.uint8), np.zeros(size_hw, np.uint8), np.zeros(size_hw, np.uint8))
        mask_hw = source.mask(sample)
        sure = np.where(mask_hw == IGNORE, 0, 255).astype(np.uint8)
        origin = np.where(mask_hw == IGNORE, Origin.NONE, _origin(sample)).astype(np.uint8)
        confidence: Any = sure if sample.confidence is None else source.map(sample, "confidence")
        return cls(mask_hw, confidence, origin if sample.source is None else source.map(sample, "source"))


@dataclass(frozen=True)
class Corrected:
    """The maps after a correction, and which pixels a person vouches for through it."""

    maps: Known
    human_hw: Where


def apply(known: Known, stated_hw: Map, asked: Asked | None, rules: Rules) -> Corrected:
    """Override what was known by what a person stated (`Rules` settled, `Rules.stated`).

    Where a person had spoken before and the proposal came back as it was, the earlier word stands: whoever leaves a
    proposal alone beside what they correct has not looked at every pixel of it. By default regions that came back as
    they were are left alone altogether (`Rules.unchanged`).
    """
    scope_hw = _scope(stated_hw, asked, rules)
    mask_hw, confidence_hw, source_hw = known.mask_hw.copy(), known.confidence_hw.copy(), known.source_hw.copy()
    if asked is not None and rules.scope != "image":
        scope_hw &= (source_hw != Origin.HUMAN) | (stated_hw != asked.proposal_hw)
    human_hw = scope_hw if rules.unstated == "void" else scope_hw & (stated_hw != IGNORE)
    if rules.unstated == "ignore":
        withdrawn_hw = scope_hw & ~human_hw & (source_hw != Origin.HUMAN)
        mask_hw[withdrawn_hw], confidence_hw[withdrawn_hw], source_hw[withdrawn_hw] = IGNORE, 0, Origin.NONE
    mask_hw[human_hw], source_hw[human_hw] = stated_hw[human_hw], Origin.HUMAN
    confidence_hw[human_hw] = np.where(stated_hw[human_hw] == IGNORE, 0, 255)
    return Corrected(Known(mask_hw, confidence_hw, source_hw), human_hw)


def changed_regions(stated_hw: Map, human_hw: Where, asked: Asked, rules: Rules) -> tuple[list[int], list[int]]:
    """Numbers of the queued regions that were answered, and of those in which a pixel came back other than proposed.

    Answered is what a person newly vouches for a pixel of (``human_hw``). A pixel that came back in no mask counts as
    changed if the rules withdraw what was known there.
    """
    differs_hw = stated_hw != asked.proposal_hw
    if rules.unstated in ("keep", "void"):
        differs_hw &= stated_hw != IGNORE
    answered, changed = (
        np.unique(asked.regions_hw[where_hw & (asked.regions_hw > 0)]).tolist()
        for where_hw in (human_hw | differs_hw, differs_hw)
    )
    return answered, changed


def left_alone(stated_hw: Map, asked: Asked, rules: Rules) -> list[int]:
    """Numbers of the queued regions that came back as proposed, where nobody is taken to have looked at those.

    A region of which nothing is stated did not come back.
    """
    if rules.unchanged != "skip" or rules.scope == "image":
        return []
    differs_hw = stated_hw != asked.proposal_hw
    if rules.unstated == "keep":
        differs_hw &= stated_hw != IGNORE
    changed = {0, *np.unique(asked.regions_hw[differs_hw]).tolist()}
    came_back = np.unique(asked.regions_hw[stated_hw != IGNORE])
    return [number for number in came_back.tolist() if number not in changed]


def mislabelled_regions(known_hw: Map, stated_hw: Map, asked: Asked) -> int:
    """How many queued regions had another label than the person gives for more than half the pixels with both."""
    both_hw = (known_hw != IGNORE) & (stated_hw != IGNORE) & (asked.regions_hw > 0)
    count = int(asked.regions_hw.max(initial=0)) + 1
    compared_r, wrong_r = (
        np.bincount(asked.regions_hw[where], minlength=count) for where in (both_hw, both_hw & (known_hw != stated_hw))
    )
    return int((2 * wrong_r > compared_r).sum())


def answered_before(known: Known, asked: Asked) -> list[int]:
    """Numbers of the queued regions of which people had named most pixels: no queue asks about such ones."""
    there_r, named_r = (
        np.bincount(asked.regions_hw[where], minlength=int(asked.regions_hw.max(initial=0)) + 1)
        for where in (asked.regions_hw > 0, (asked.regions_hw > 0) & (known.source_hw == Origin.HUMAN))
    )
    return np.flatnonzero(2 * named_r > there_r).tolist()


def _scope(stated_hw: Map, asked: Asked | None, rules: Rules) -> Where:
    if asked is None or rules.scope == "image":
        return np.ones(stated_hw.shape, bool)
    inside = asked.regions_hw > 0
    inside &= ~np.isin(asked.regions_hw, left_alone(stated_hw, asked, rules))
    return inside | (stated_hw != asked.proposal_hw) if rules.scope == "touched" else inside


def _origin(sample: Sample) -> Origin:
    """The origin of a mask without a source map, by the sample's supervision."""
    known = {"exact": Origin.EXACT, "human": Origin.HUMAN, "masks": Origin.HINT}
    return known.get(sample.supervision.value, Origin.PSEUDO)
