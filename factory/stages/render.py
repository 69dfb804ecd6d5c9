"""Stage `render`: a scene pack -> a data set of rendered pictures with exact masks."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from factory.core import masks
from factory.core.dataset import Dataset
from factory.core.errors import ConfigError, FactoryError
from factory.core.queue import Queue
from factory.core.words import many
from factory.core.writer import Writer
from factory.execute import Executor
from factory.execute.progress import Progress
from factory.render import audit, environment, sheet
from factory.render import frame as raw
from factory.render.blender import Farm
from factory.render.collect import collect, sample_id, split_of
from factory.render.derive import derived
from factory.render.job import Job, Request, ScenePlan, Settings
from factory.render.quota import wishes
from factory.render.steering import Steering

SHEET = "contact_sheet.png"
"""Where the contact sheet lies in the artefact."""


def run(
    *,
    lacking: Dataset | Queue | None,
    out: Writer,
    seed: int,
    scene: ScenePlan,
    frames: int,
    quota: dict[str, Any],
    patience: int,
    width: int,
    height: int,
    samples: int,
    denoise: bool,
    depth: bool,
    normals: bool,
    amodal: bool,
    audit_share: float,
    device: str,
    val_share: float,
    executor: Executor,
) -> None:
    """Render ``frames`` pictures of ``width`` x ``height`` pixels; one sample each, its plan in the provenance.

    With a ``quota`` (see `factory.render.quota`), or one derived from what a real data set or queue is ``lacking``,
    pictures are made until it is met, at most ``frames``; a wish that gains nothing for ``patience`` proposals is
    given up and reported. ``audit_share`` of the pictures have their masks made by a second route and compared.
    """
    kept = {"depth": depth, "normals": normals, "amodal": amodal}
    outputs = tuple(name for name, wanted in kept.items() if wanted)
    settings = Settings(width=width, height=height, samples=samples, denoise=denoise, outputs=outputs, device=device)
    _check(frames, patience, {"val_share": val_share, "audit_share": audit_share})
    job = Job(scene=scene, seed=seed, settings=settings, audit_share=audit_share)
    out.classes = job.classes
    lacked = derived(lacking, job.classes, frames=frames) if lacking is not None else None
    if lacked == {}:
        out.report("quota", "none came of quota.from: no class that it shares with the scene is rarer there than most")
    wanted = wishes((lacked or {}) | quota, job.classes)
    environment.check()
    places = environment.places(device, executor.workers)
    with Farm(job=job, out=out.scratch / "frames", places=places) as farm:
        line = _Line(out=out, job=job, farm=farm, val_share=val_share)
        if wanted:
            line.fill(Steering(wishes=wanted, patience=patience), frames)
        else:
            line.make([job.request(index) for index in range(frames)], frames)
        line.close()


@dataclass(kw_only=True)
class _Line:
    """Requests in, samples out, and an account of what went wrong on the way."""

    out: Writer
    job: Job
    farm: Farm
    val_share: float
    kept: list[int] = field(default_factory=list)
    left_out: int = 0
    again: int = 0

    @property
    def frames(self) -> Path:
        return self.farm.out

    def make(self, requests: Sequence[Request], total: int) -> None:
        """Render all requests."""
        with Progress("render", total) as progress:
            self._take(requests, self.farm.render(requests, on_frame=lambda _: progress.advance()))

    def fill(self, steering: Steering, limit: int) -> None:
        """Propose and render in rounds until the quota is met, given up, or ``limit`` pictures are made."""
        with Progress("render", sum(wish.target for wish in steering.wishes)) as progress:
            while requests := steering.ask(self.job, limit - steering.rendered):
                before = sum(steering.missing_of_all())
                self._round(steering, requests)
                progress.advance(before - sum(steering.missing_of_all()))
        for sentence in steering.shortfalls():
            self.out.report("quota", sentence)
        self.out.figures["quota"] = steering.account()
        met = sum(row["met"] for row in steering.account())
        self.out.figures["quotas_met"] = f"{met} of {len(steering.wishes)}"
        self.out.figures["proposals"] = steering.proposals
        self.out.figures["acceptance"] = round(steering.rendered / max(steering.proposals, 1), 4)

    def _round(self, steering: Steering, requests: Sequence[Request]) -> None:
        """Render what is wanted of some proposals; only pictures that are kept count for the quota."""
        failures = self.farm.render(requests, on_frame=lambda _: None)
        stories = {r.index: raw.story(self.frames, r.index) for r in requests if r.index not in failures}
        shown = [r for r in requests if r.index in failures or stories[r.index]["accepted"]]
        left_out = self._take(shown, failures)
        for request in requests:
            steering.learn(None if request.index in left_out else stories[request.index])

    def _take(self, requests: Sequence[Request], failures: dict[int, str]) -> set[int]:
        """Audit and collect what was rendered; a frame with objections is rendered once more, then left out.

        Returns the numbers of those that are left out.
        """
        done, left_out = self.out.done(), set()
        for request in requests:
            name, why = sample_id(request.index), failures.get(request.index)
            if why is None and name not in done:
                why = self._collected(request) and self._again(request)
            if why is None:
                self.kept.append(request.index)
            else:
                left_out.add(request.index)
                self.out.report(name, f"frame left out (scene seed {self.job.seed}, index {request.index}): {why}")
        self.left_out += len(left_out)
        return left_out

    def _collected(self, request: Request) -> str | None:
        """Collect one delivered frame; else say what the audit objects to."""
        frame = raw.read(self.frames, request.index)
        if objections := audit.reasons(frame, classes=self.job.classes, settings=self.job.settings):
            return "; ".join(objections)
        split = split_of(self.job.seed, request.index, self.val_share)
        collect(self.out, self.job, request, self.frames, frame, split=split)
        return None

    def _again(self, request: Request) -> str | None:
        self.again += 1
        raw.forget(self.frames, request.index)
        failures = self.farm.render([request], on_frame=lambda _: None)
        return failures.get(request.index) or self._collected(request)

    def close(self) -> None:
        """Put the account into the artefact's figures and report."""
        if not self.kept:
            got = self.out.issues[0]["reason"] if self.out.issues else "none"
            raise FactoryError("no picture was made", got=got, todo="check the scene and its quota")
        self._show()
        for sentence in self.job.scene.left_out:
            self.out.report("scene", sentence)
        stories = [raw.story(self.frames, index) for index in self.kept]
        for note, times in sorted(Counter(note for story in stories for note in story["notes"]).items()):
            self.out.report("scene", f"{note} (in {many(times, 'picture')})")
        self.out.figures |= {"frames": len(self.kept), "audited": sum(story["audited"] for story in stories)}
        self.out.figures["left_out"] = self.left_out
        self._tell()

    def _tell(self) -> None:
        """What went wrong and was made good is said, not sealed: another run may have had no such trouble."""
        troubles = (
            (self.again, "pictures rendered again, as their masks did not agree"),
            (self.farm.lost, "workers lost and replaced"),
            (self.farm.retried, "frames tried again"),
        )
        if told := [f"{count} {what}" for count, what in troubles if count]:
            print(f"render: {', '.join(told)}", file=sys.stderr)

    def _show(self) -> None:
        """Put the contact sheet beside the manifest."""
        there = list(self.out.samples())
        pairs = []
        for sample in (there[place] for place in sheet.chosen(len(there))):
            assert sample.mask is not None
            image, mask = (masks.read_png(self.out.root / path) for path in (sample.image, sample.mask))
            pairs.append((image.astype(np.uint8), mask.astype(np.uint8)))
        self.out.write(SHEET, masks.encode_png(sheet.contact_sheet(pairs, self.job.classes)))


def _check(frames: int, patience: int, shares: dict[str, float]) -> None:
    for name, number in {"frames": frames, "patience": patience}.items():
        if number < 1:
            raise ConfigError(f"{name} must be positive", where=name, got=number, expected="1 or more")
    for name, share in shares.items():
        if not 0 <= share <= 1 or (name == "val_share" and share == 1):
            raise ConfigError(f"{name} must be a share", where=name, got=share, expected="from 0 to 1")
