"""Tuned and judged where the truth is known, then used where it is not."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from factory.__main__ import main
from factory.calibrate.audit import Audit, judge, miou
from factory.calibrate.settings import space_of
from factory.calibrate.verdict import conclude
from factory.command import tree
from factory.command.bind import make_part
from factory.core import parts
from factory.core.artefact import Kind, Report
from factory.core.dataset import Dataset
from factory.core.errors import ConfigError
from factory.core.picture import Picture, mirrored
from factory.core.ranges import ranges
from factory.core.sample import Hints, Origin, Supervision
from factory.label import Scores, calibrated
from factory.label.dense import Densifier
from factory.label.mixed import Mixed, Weighed
from factory.label.points import Points
from factory.label.seeds import Seeds
from factory.measure.calibration import Isotonic, Reliability
from factory.refine.argmax import Argmax
from factory.refine.dense_crf import DenseCrf
from tests.artefacts import add_sample, sealed
from tests.calibrate.scenes import CLASSES, calibrate, scene
from tests.command.composing import composed

POINTS = Points(area=30, compactness=10.0, colour_sigma=12.0, place_sigma=0.3)
CRF = DenseCrf(
    iterations=5, spatial_sxy=3.0, spatial_compat=3.0, bilateral_sxy=50.0, bilateral_srgb=5.0, bilateral_compat=10.0
)
BLIND = ["refiner.bilateral_compat=0", "refiner.spatial_sxy=40", "refiner.spatial_compat=60"]
"""A refiner that smooths everything away."""


@pytest.fixture(scope="module")
def photographs(tmp_path_factory) -> Path:
    """Three others of which only a few pixels are known."""

    def fill(out) -> None:
        for number in range(20, 23):
            image, mask = scene(number)
            spots = np.random.default_rng(number).permutation(mask.size)[:12]
            points = tuple((int(s % 64), int(s // 64), int(mask.flat[s])) for s in spots)
            add_sample(out, f"p{number}", None, image=image, hints=Hints(points=points), supervision=Supervision.POINTS)

    return sealed(tmp_path_factory.mktemp("photographs") / "photographs", Kind.DATASET, fill, CLASSES)


def test_hints_that_audited_pictures_have_are_taken_as_they_are(tmp_path, capfd) -> None:
    """None is simulated: where nobody clicked there is nothing to judge, where people clicked much is known."""

    def audited(folder: str, clicks: int, bare: int):
        def fill(out) -> None:
            for number in range(8):
                image, mask = scene(number)
                spots = np.random.default_rng(number).permutation(mask.size)[: clicks if number >= bare else 0]
                points = tuple((int(s % 64), int(s // 64), int(mask.flat[s])) for s in spots)
                words = {"supervision": Supervision.HUMAN, "origin": Origin.HUMAN, "hints": Hints(points=points)}
                add_sample(out, f"p{number}", mask, image=image, **words)

        source = sealed(tmp_path / f"{folder}-data", Kind.DATASET, fill, CLASSES)
        words = [f"source={source}", "supervision=null", "trials=2", "executor=serial", "drawn=0"]
        return main(["calibrate", *words, f"out={tmp_path}/{folder}"])

    assert audited("clicked", clicks=12, bare=0) == 0
    report = Report.open(tmp_path / "clicked")
    assert report.figures["expected_miou"] > 0.7
    assert "hints" not in [issue["where"] for issue in report.header.issues]
    assert audited("some", clicks=12, bare=2) == 0
    (told,) = (issue for issue in Report.open(tmp_path / "some").header.issues if issue["where"] == "hints")
    assert "2 of 8" in told["reason"]
    capfd.readouterr()
    assert audited("bare", clicks=0, bare=8) == 1
    assert "no hints in any of 8 pictures with masks" in capfd.readouterr().err
    assert not list(tmp_path.glob("bare[!-]*"))


def test_what_was_found_on_scenes_labels_photographs(scenes, photographs, tmp_path, capfd) -> None:
    """Settings, curve and expectation go along; the first trial is what was given; pictures are drawn."""
    report = calibrate(scenes, tmp_path / "calibrate")
    stated = json.loads(report.path("calibration.json").read_text())
    trials = json.loads(report.path("trials.json").read_text())
    assert len(trials) == 4
    assert trials[0]["settings"]["labeler.area"] == "64"
    best = max(trials, key=lambda trial: trial["value"])
    assert {key: str(value) for key, value in stated["calibration"]["settings"].items()} == best["settings"]
    assert stated["pictures"] == 4
    assert stated["calibration"]["hints"] == ["points"]
    low, high = stated["miou_interval"]
    assert low <= stated["miou"] <= high
    assert len(list((tmp_path / "calibrate/pictures").iterdir())) == 2
    words = [f"source={photographs}", "executor=serial", f"out={tmp_path}/label"]
    assert main(["label", *words, f"calibration={tmp_path}/calibrate"]) == 0
    made = Dataset.open(tmp_path / "label")
    assert made.figures["expected_miou"] == stated["miou"]
    area = best["settings"]["labeler.area"]
    assert f"area={area}" in made.samples[0].provenance["labeler"]
    curve = np.rint(255 * np.asarray(stated["calibration"]["curve"])).astype(int)
    levels = np.unique(made.map(made.samples[0], "confidence")[made.map(made.samples[0], "source") == Origin.PSEUDO])
    assert set(levels.tolist()) <= set(curve.tolist())
    capfd.readouterr()
    assert main(["label", f"source={photographs}", f"calibration={tmp_path}/calibrate", "refiner=argmax",
                 f"out={tmp_path}/other"]) == 1  # fmt: skip
    assert "the calibration is of another refiner" in capfd.readouterr().err
    assert not (tmp_path / "other").exists()


def test_several_settings_are_pooled(scenes, photographs, tmp_path) -> None:
    """The best and the next best by the search; labels are what all of them say, by their geometric mean."""
    report = calibrate(scenes, tmp_path / "calibrate", "pool=3", "trials=8", "space.labeler.area=[20,30,40,50]")
    stated = json.loads(report.path("calibration.json").read_text())
    trials = json.loads(report.path("trials.json").read_text())
    ranked = sorted(trials, key=lambda trial: -trial["value"])
    areas = list(dict.fromkeys(trial["settings"]["labeler.area"] for trial in ranked))
    found = calibrated.read(report)
    assert [str(one["labeler.area"]) for one in (found.settings, *found.pooled)] == areas[:3]
    assert stated["miou"] == report.figures["pooled_miou"]
    assert report.figures["pooled_gain"] != 0
    labeler, _ = found.apply(POINTS, CRF)
    given = Dataset.open(photographs).picture(Dataset.open(photographs).samples[0])
    each = np.stack([replace(POINTS, area=one["labeler.area"])(given, 2) for one in (found.settings, *found.pooled)])
    expected = np.exp(np.log(each.clip(1e-6)).mean(axis=0))
    np.testing.assert_allclose(labeler(given, 2), expected / expected.sum(axis=0), atol=1e-5)


def test_a_pool_that_is_worse_beyond_doubt_is_refused_with_the_numbers(scenes, tmp_path) -> None:
    """The next best of two settings has superpixels larger than the discs."""
    words = ["pool=2", "trials=8", "refiner=argmax", "supervision.count=20", "space.labeler.area=[30,400]"]
    report = calibrate(scenes, tmp_path / "calibrate", *words)
    (issue,) = report.header.issues
    assert issue["where"] == "pooled"
    pooled, alone = report.figures["pooled_miou"], report.figures["expected_miou"]
    assert f"{pooled:.3f} with it, {alone:.3f} without" in issue["reason"]
    assert report.figures["pooled_gain"] == pytest.approx(pooled - alone)
    assert pooled < alone
    assert calibrated.read(report).pooled == ()


def test_mirror_images_are_asked_about_too(scenes, photographs, tmp_path) -> None:
    """By every labeler of the pool, once the settings are found; the same search as without them."""
    words = ["pool=2", "trials=4", "refiner=argmax", "space.labeler.area=[20,30,40]"]
    report, plain = (calibrate(scenes, tmp_path / name, *words, f"mirrored={name}") for name in ("true", "false"))
    found, alone = calibrated.read(report), calibrated.read(plain)
    assert found.mirrored
    assert not alone.mirrored
    assert (found.settings, found.pooled) == (alone.settings, alone.pooled)
    assert report.figures["expected_miou"] == report.figures["mirrored_miou"] != plain.figures["expected_miou"]
    assert report.figures["mirrored_gain"] == pytest.approx(
        report.figures["mirrored_miou"] - plain.figures["expected_miou"]
    )
    given = Dataset.open(photographs).picture(Dataset.open(photographs).samples[0])
    (labeler, _), (once, _) = (one.apply(POINTS, Argmax()) for one in (found, alone))
    looks = once(given, 2).clip(1e-6) * once(mirrored(given), 2)[:, :, ::-1].clip(1e-6)
    np.testing.assert_allclose(labeler(given, 2), np.sqrt(looks) / np.sqrt(looks).sum(axis=0), atol=1e-4)


def test_mirror_images_are_not_for_labelers_that_learn(scenes, tmp_path, capfd) -> None:
    """Said before anything is searched."""
    words = ["labeler=across", "refiner=argmax", "mirrored=true", f"out={tmp_path}/calibrate"]
    assert main(["calibrate", f"source={scenes}", *words]) == 1
    assert "is not asked about mirror images" in capfd.readouterr().err
    assert not list(tmp_path.glob("calibrate*"))


def test_the_same_search_again_is_the_same_to_the_byte(scenes, tmp_path) -> None:
    """In this process or in two workers."""
    digests = {
        calibrate(scenes, tmp_path / name, *words).digest
        for name, words in (("one", ()), ("two", ("executor=process", "executor.count=2")))
    }
    assert len(digests) == 1


def test_a_refiner_that_makes_masks_worse_is_refused_with_the_numbers(scenes, photographs, tmp_path) -> None:
    """One that smooths everything away: labels are made without it, and both reports say so."""
    words = ["space.labeler.area=int:30:32", *BLIND]
    report = calibrate(scenes, tmp_path / "calibrate", *words)
    stated = json.loads(report.path("calibration.json").read_text())
    assert stated["calibration"]["refused"]
    assert stated["refined_miou"] < stated["plain_miou"] == stated["miou"]
    (issue,) = report.header.issues
    assert issue["where"] == "refiner dense_crf"
    assert f"{stated['refined_miou']:.3f}" in issue["reason"]
    assert main(["label", f"source={photographs}", f"calibration={tmp_path}/calibrate", *BLIND, "executor=serial",
                 f"out={tmp_path}/label"]) == 0  # fmt: skip
    made = Dataset.open(tmp_path / "label")
    assert made.samples[0].provenance["refiner"] == "Argmax()"
    assert any("refused" in issue["reason"] for issue in made.header.issues)


def test_where_the_refiner_makes_masks_worse_settings_are_searched_without_it(scenes, tmp_path) -> None:
    """All settings come to the same with one that smooths everything away; the others' order is that of the scores."""
    found = []
    for given, other in ((200, 20), (20, 200)):
        words = [f"labeler.area={given}", f"space.labeler.area=[{given},{other}]", "trials=2", "pool=1", *BLIND]
        report = calibrate(scenes, tmp_path / f"first {given}", *words)
        found.append(json.loads(report.path("calibration.json").read_text()))
    assert found[0]["calibration"]["settings"] == found[1]["calibration"]["settings"]
    assert found[0]["refined_miou"] < found[0]["miou"] == found[1]["miou"]


def test_two_photographs_in_tiles_calibrate_without_an_interval_and_say_so(scenes, photographs, tmp_path) -> None:
    """One is judged on: what it says, labels are made by."""

    def fill(out) -> None:
        for number in range(6):
            image, mask = scene(number)
            add_sample(out, f"t{number}", mask, image=image, supervision=Supervision.HUMAN, origin=Origin.HUMAN,
                       photograph_of=f"{number // 3}.jpg")  # fmt: skip

    report = calibrate(sealed(tmp_path / "tiles", Kind.DATASET, fill, CLASSES), tmp_path / "calibrate", "pool=2")
    assert not {"miou_low", "miou_high"} & set(report.figures)
    assert "mIoU" in {issue["where"] for issue in report.header.issues}
    assert main(["label", f"source={photographs}", f"calibration={tmp_path}/calibrate", "executor=serial",
                 f"out={tmp_path}/label"]) == 0  # fmt: skip
    assert "expected_miou" in Dataset.open(tmp_path / "label").figures


def test_a_killed_search_goes_on_where_it_was(scenes, tmp_path, monkeypatch) -> None:
    """Trials that were finished are not tried again, and the end is the same."""
    whole = calibrate(scenes, tmp_path / "whole")
    from factory.calibrate import settings

    calls = []

    def stopping(outcomes) -> float:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return miou(outcomes)

    with monkeypatch.context() as patch:
        patch.setattr(settings, "miou", stopping)
        calibrate(scenes, tmp_path / "cut", status=130)
    assert calibrate(scenes, tmp_path / "cut").digest == whole.digest


def test_a_report_of_another_stage_is_no_calibration(photographs, scenes, tmp_path, capfd) -> None:
    """One message."""
    report = sealed(tmp_path / "report", Kind.REPORT, lambda out: out.write("metrics.json", b"{}"), CLASSES)
    assert main(["label", f"source={photographs}", f"calibration={report}", f"out={tmp_path}/label"]) == 1
    assert "not a calibration" in capfd.readouterr().err


@pytest.mark.parametrize(
    "content", [b"", b'{"calibration": {"labeler"', b"{}", b'{"calibration": {"labeler": "Points"}}']
)
def test_a_damaged_calibration_is_told(photographs, tmp_path, capfd, content) -> None:
    """Cut short, or without what belongs in it."""
    report = sealed(tmp_path / "report", Kind.REPORT, lambda out: out.write("calibration.json", content), CLASSES)
    assert main(["label", f"source={photographs}", f"calibration={report}", f"out={tmp_path}/label"]) == 1
    assert "a damaged calibration" in capfd.readouterr().err


def test_parts_recommend_their_own_ranges_which_hold_what_they_are_given() -> None:
    """Those of labeler and refiner, by key; what is stated goes before them."""
    space = space_of(None, POINTS, CRF)
    assert set(space) >= {"labeler.area", "refiner.bilateral_srgb"}
    assert set(space_of({"refiner": {"iterations": [2, 5]}}, POINTS, CRF)) == {"refiner.iterations"}
    with pytest.raises(ConfigError, match="nothing may vary"):
        space_of(None, Seeds(), Argmax())


@dataclass(frozen=True)
class Sure:
    """Stands for a labeler: ``sure`` of ground at six pixels of ten, of disc else; knows nothing of the first rows."""

    unknown: int
    sure: float = 0.96

    def __call__(self, given: Picture, classes: int) -> Scores:
        """The same for every picture."""
        guess_hw = np.random.default_rng(7).random(given.size_hw) < 0.4
        scores_khw = np.where(np.arange(classes)[:, None, None] == guess_hw, self.sure, 1 - self.sure).astype(
            np.float32
        )
        scores_khw[:, : self.unknown] = 1 / classes
        return scores_khw


@pytest.fixture(scope="module")
def clicked(tmp_path_factory) -> Audit:
    """Four pictures of nothing but ground, a tenth of whose pixels were clicked."""

    def fill(out) -> None:
        for number in range(4):
            mask = np.zeros((48, 64), np.uint8)
            spots = np.random.default_rng(number).permutation(mask.size)[: mask.size // 10]
            hints = Hints(points=tuple((int(s % 64), int(s // 64), 0) for s in spots))
            add_sample(out, f"c{number}", mask, supervision=Supervision.HUMAN, origin=Origin.HUMAN, hints=hints)

    place = sealed(tmp_path_factory.mktemp("clicked") / "clicked", Kind.DATASET, fill, CLASSES)
    return Audit(source=Dataset.open(place), supervision=None, seed=0)


@pytest.mark.parametrize(("unknown", "sure"), [(0, 0.96), (24, 0.96), (0, 1.0)])
def test_the_curve_is_of_the_pixels_it_is_applied_to_and_the_error_that_of_the_labels(clicked, unknown, sure) -> None:
    """Clicks are right, and so are unknown pixels, of the class that comes first: neither makes guesses any better."""
    densifier = Densifier(labeler=Sure(unknown, sure), refiner=Argmax(), min_confidence=0, longest=64)
    rows = clicked.source.samples
    outcomes = [judge(sample, audit=clicked, densifier=densifier) for sample in rows]
    words = {"settings": [{}], "mirrored": False, "labeler": POINTS, "refiner": Argmax(), "seed": 0, "hints": ()}
    verdict = conclude(outcomes[:2], outcomes[2:], curve=Isotonic(prior=1e-3), **words)
    guesses = densifier.labeler(clicked.hinted(rows[0]), 2).argmax(axis=0)[unknown:]
    assert verdict.calibration.curve[round(255 * sure)] == pytest.approx((guesses == 0).mean(), abs=0.01)
    made, stated = Reliability(), Reliability()
    for sample in rows[2:]:
        for seen, curve in ((made, verdict.calibration.curve), (stated, ())):
            dense = replace(densifier, curve=curve)(clicked.hinted(sample), 2)
            seen.add(clicked.source.truth(sample), dense.mask_hw, dense.confidence_hw)
    assert (verdict.ece, verdict.ece_as_stated) == (made.ece(), stated.ece())


def test_what_a_mixture_is_made_of_may_vary_but_not_what_its_members_learnt_with() -> None:
    """A learning member's own recommendation, and nothing of the labeler that its hints are spread by."""
    ((config, _),) = composed("label", "labeler=across", "labeler@labeler.spread=points")
    across = make_part("labeler", config["labeler"])
    assert set(space_of(None, across, Argmax())) == {"labeler.certainty"}
    members = {"across": Weighed(labeler=across, weight=1.0), "points": Weighed(labeler=POINTS, weight=0.3)}
    mixed = Mixed(members=members)
    assert "labeler.members.points.labeler.area" in space_of(None, mixed, Argmax())
    stated = {"labeler.members.points.labeler.compactness": "log:1:100"}
    assert set(space_of(stated, mixed, Argmax())) == set(stated)
    with pytest.raises(ConfigError, match="learn again"):
        space_of({"labeler.members.across.labeler.folds": "int:2:3"}, mixed, Argmax())


@pytest.mark.parametrize("group", ["labeler", "refiner"])
def test_every_recommended_range_holds_what_the_yaml_files_give(group: str) -> None:
    """So that a search begins with what a user would have had without one."""
    for choice in tree.choices(group):
        ((config, _),) = composed("label", f"{group}={choice}")
        part = make_part(group, config[group])
        both = {"labeler": Seeds(), "refiner": Argmax()} | {group: part}
        if not dict(ranges(both)):
            continue
        space = space_of(None, both["labeler"], both["refiner"])
        outside = {key: parts.setting(both, key) for key in space if not space[key].holds(parts.setting(both, key))}
        assert not outside, choice
