"""The command line: one clear message for every mistake, nothing half-written, nothing made twice."""

import errno
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from factory.__main__ import main
from factory.command import perform
from factory.command.explain import explained
from factory.command.perform import place_sweep
from factory.core.dataset import Dataset
from factory.core.errors import MachineError
from factory.core.sample import Origin
from tests.command.composing import composed


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Three small pictures with points on them."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in "abc":
        Image.fromarray(rng.integers(0, 255, (24, 32, 3), np.uint8)).save(folder / f"{name}.png")
    (tmp_path / "points.csv").write_text("image,x,y,class\n" + "".join(f"{n},3,4,b\n{n},20,9,a\n" for n in "abc"))
    return folder


@pytest.fixture
def ingested(photographs: Path, tmp_path: Path) -> Path:
    """The same as a sealed data set."""
    words = [f"inputs.images={photographs}", f"inputs.points={tmp_path}/points.csv", "classes=[a,b]", "executor=serial"]
    assert main(["ingest", *words, "val_share=0", f"out={tmp_path}/ingest"]) == 0
    return tmp_path / "ingest"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["lable"], "did you mean label? "),
        (["label", "--fast"], "mean nothing"),
        (["label", "refinr=argmax"], "got:      'refinr', which is no key"),
        (["evaluate", "executor=serial"], "got:      'executor', which is no key"),
        (["evaluate", "train.model=unet"], "got:      'train.model', which is no key"),
        (["label", "refiner=argmix"], "did you mean argmax"),
        (["label", "refiner=argmix"], "got:      refiner=argmix, which is no choice\n  expected: argmax, dense_crf"),
        (["label", "min_confidence=0,6"], "a decimal is written with a point"),
        (["label", "refiner=3"], "expected: argmax, dense_crf"),
        (["label", "inputs.source=gone", "refiner.iteratons=3"], "iteratons"),
        (["label", "inputs.source=gone", "min_confidence=much"], "expected: float"),
        (["label", "inputs.source=gone", "min_confidence=true"], "expected: float"),
        (["label", "inputs.source=gone", "refiner.bilateral_sxy=-1"], "bilateral_sxy is out of range"),
        (["label", "inputs.source=gone", "seed=-1"], "seed"),
        (["label", "inputs.source=gone", "refiner._target_=os.system"], "_target_ is not one of ours"),
        (["label", "inputs.source=gone", "refiner._target_=factory.refine.gone.Gone"], "does not resolve"),
        (["label", "inputs.source=gone", "+extra=1"], "unknown key"),
        (["label", "inputs.source=gone", "+refiner.extra=1"], "unknown key"),
        (["label", "inputs.source=gone", "refiner=argmax", "+refiner.extra=1"], "expected: no key"),
        (["label", "~min_confidence", "inputs.source=gone"], "expected: min_confidence\n  do:       give min_confid"),
        (["label", "~out", "inputs.source=gone"], "expected: out\n  do:       give out=…"),
        (["adapt", "adapter=null", "synthetic=x", "real=x"], "do:       give adapter=colour|colour_fourier|fourier"),
        (["label", "inputs=null"], "inputs are keys of their own"),
        (["label", "inputs.source=gone", "overwrite=no"], "expected: bool"),
        (["label", "inputs.source=[a,b]"], "a path is a single name"),
        (["label", "inputs.source=gone", "out=[a]"], "a path is a single name"),
        (["label", "inputs.source=gone", "out=."], "a folder of its own"),
        (["label", "inputs.source=gone", "out=/"], "a folder of its own"),
        (["label", "inputs.source=gone", "refiner=[argmax,dense_crf]"], "only one can be chosen"),
        (
            ["label", "inputs.source=gone", "refiner=argmax,dense_crf"],
            "got:      refiner=argmax,dense_crf\n  do:       -m",
        ),
        (["label", "inputs.source=gone", "refiner.iterations=range(1,3)"], "several values for one key"),
        (["label", "inputs.source=gone", "min_confidence=interval(0,1)", "-m"], "give the values one by one"),
        (["label", "inputs.source=${oc.env:GONE}"], "do:       what ${…} names has to be there"),
        (["label", "inputs.source=gone", "experiment=camvid"], "a stage by itself takes a file"),
        (["label", "=3"], "words that mean nothing here"),
        (["run", "line=[]"], "the line is a list of steps"),
        (["run", "line=[ingest]", "root="], "where:    root"),
        (["run", "line=[ingest]", "ingest.sise=3"], "did you mean ingest.size? factory ingest --help"),
        (
            ["run", "line=[ingest]", "train_unadapted.images=3"],
            "factory train --help lists every key of train_unadapted",
        ),
        (["run", "line=[ingest]", "ingest.images=photos"], "did you mean ingest.inputs.images?"),
        (["run", "line=[ingest]", "images=photos"], "name its step: ingest.inputs.images=…"),
        (["run", "line=[ingest]", "lable.refiner=argmax"], "name its step: label.refiner=…\n"),
        (["label", "inputs.source=gone", "labeler=fused", "labeler.members.across.labeler.tta=flap"], "a part belongs"),
        (["train", "real=gone", "augmentation=3"], "a choice is a name"),
        (["label", "refiner=[", "inputs.source=gone"], "does not fit"),
        (["ingest", "images='w", "classes=[a]"], "quotes help"),
        (["ingest", "images=.", "classes=coin"], "expected: list"),
        (["render", "quota=coin"], "expected: keys of its own"),
        (["label", "source=.", "labeler=across", "labeler.spread=null"], "label.labeler.spread"),
        (["ingest", "images=.", "classes=[[a]]"], "ingest.classes.0"),
        (["ingest", "images=.", "classes=[a,b]", "mask_ids=[1]"], "ingest.mask_ids.0"),
        (["ingest", "images=.", "classes=[a,b]", "mask_ids=[[a,b]]"], "ingest.mask_ids.0.0"),
        (["ingest", "images=2024", "classes=[a,b]"], "images: 2024"),
        (["label", "inputs.source=gone", "min_confidence=nan"], "not finite"),
        (["label", "inputs.source=gone", "min_confidence=[0.5]"], "expected: float"),
        (["label"], "give inputs.source=…"),
        (["train", "real=gone", "ema=2"], "train.ema is a decay"),
        (["run", "experiment=coins", "train_unadapted.ema=2"], "where:    train_unadapted"),
        (["train", "real=gone", "steps=many"], "expected: int"),
        (["train", "real=gone", "~steps"], "keys are missing"),
        (["predict", "model=gone"], "give inputs.images=…"),
        (["predict", "model=gone", "image=."], "did you mean images"),
        (["predict", "model=gone", "images=."], "missing input"),
        (["predict", "model=gone", "images=.", "tta=flop"], "did you mean flip"),
        (["export", "model=gone", "int8=yes"], "expected: bool"),
        (["label", "inputs.source=gone"], "missing input"),
        (["run", "experiment=gone"], "gone"),
        (["render", "framse=3"], "did you mean frames?"),
        (["select", "budget=3"], "did you mean acquisition.budget? factory select"),
        (["select", "acquisition.passes=3"], "did you mean committee.passes? "),
        (["train", "lr=1"], "did you mean encoder_lr or decoder_lr? "),
        (["run", "line=[ingest]", "budget=3"], "name its step: select.acquisition.budget=…"),
        (["run", "line=[ingest]", "trian.steps=3"], "did you mean train?"),
        (["train", "train.steps=3"], "leave out the train. before it: steps=…"),
        (["run", "teacher=ema"], "name its step: train.teacher=… or train_unadapted.teacher=…"),
        (["label", "labeler=across", "labeler.training.steps=3"], "did you mean labeler.training.recipe.steps or"),
        (
            ["label", "labeler=across", "labeler.steps=3"],
            "did you mean labeler.training.steps or labeler.training.recipe.steps",
        ),
        (["render", "scene=street", "scene.trees.cuont=[1,2]"], "did you mean scene.trees.count"),
        (["render", "scene=stret"], "did you mean street?"),
        (["render", "scene.exposure.highlight=[5,2]"], "highlight: got [5, 2]"),
        (["render", "quota.cion.images=3", "out=x"], "did you mean coin?"),
        (["run", "line=[ingest,gone]"], "no configuration"),
        (["ingest", "images=", "classes=[a,b]"], "ingest.inputs.images"),
        (["ingest", "images=.", "classes=[a,b]", "out="], "a path is empty"),
        (["ingest", "images=.", "classes=[a,b]", "out=null", "-m", "size=[8,8],null"], "a path is empty"),
    ],
)
def test_a_mistake_ends_in_one_message_and_leaves_nothing(words, said, tmp_path, monkeypatch, capfd) -> None:
    """No traceback, a status that is not 0, an empty folder."""
    monkeypatch.chdir(tmp_path)
    assert main(words) == 1
    printed = capfd.readouterr().err
    assert printed.count("error: ") == 1
    assert said in printed
    assert "Traceback" not in printed
    assert list(tmp_path.iterdir()) == []


def test_what_a_sweep_made_can_be_given_as_it_is_called(ingested, tmp_path) -> None:
    """Read from such a folder, written to another."""
    shutil.copytree(ingested, tmp_path / "seed=1" / "ingest")
    words = [f"source={tmp_path}/seed=1/ingest", "labeler=points", "refiner=argmax", "executor=serial"]
    assert main(["label", *words, f"out={tmp_path}/refiner=argmax/label"]) == 0
    assert Dataset.open(tmp_path / "refiner=argmax" / "label").samples


def test_an_input_of_the_wrong_kind_is_named_before_anything_is_made(ingested, tmp_path, capfd) -> None:
    """A data set is no model."""
    assert main(["select", f"inputs.model={ingested}", f"inputs.source={ingested}", f"out={tmp_path}/queue"]) == 1
    printed = capfd.readouterr().err
    assert "wrong kind" in printed
    assert "expected: model" in printed
    assert not list(tmp_path.glob("queue*"))


def test_nothing_is_made_within_an_artefact(ingested, tmp_path, capfd) -> None:
    """It would go with it when that one is replaced."""
    before = sorted(ingested.rglob("*"))
    assert main(["label", f"inputs.source={ingested}", "executor=serial", f"out={ingested}/label"]) == 1
    assert "lies within another artefact" in capfd.readouterr().err
    assert sorted(ingested.rglob("*")) == before


def test_a_stage_is_made_once_then_skipped_and_refused_when_something_differs(ingested, tmp_path, capfd) -> None:
    """The same command again touches nothing; another setting is refused by name; overwrite=true replaces."""
    words = ["label", f"inputs.source={ingested}", f"out={tmp_path}/label", "refiner=argmax", "executor=serial"]
    assert main(words) == 0
    before = (tmp_path / "label/artefact.json").stat().st_mtime_ns
    assert main(words) == 0
    assert "there" in capfd.readouterr().out
    assert (tmp_path / "label/artefact.json").stat().st_mtime_ns == before
    assert main([*words, "min_confidence=0.9"]) == 1
    assert "config.min_confidence: 0.6 there, 0.9 asked" in capfd.readouterr().err
    assert main([*words, "min_confidence=0.9", "overwrite=true"]) == 0


def test_workers_and_places_do_not_change_the_artefact(ingested, tmp_path) -> None:
    """One, two or none: the same bytes, header included."""
    headers = []
    for name, executor in (("one", ["executor.count=1"]), ("two", ["executor.count=2"]), ("none", ["executor=serial"])):
        assert main(["label", f"inputs.source={ingested}", f"out={tmp_path}/{name}", *executor]) == 0
        headers.append((tmp_path / name / "artefact.json").read_bytes())
    assert len(set(headers)) == 1


def test_what_the_factory_made_among_the_photographs_is_none_of_them(photographs, tmp_path, monkeypatch, capfd) -> None:
    """Neither an artefact nor an unfinished one nor a hidden folder: the same command finds the same pictures."""
    monkeypatch.chdir(tmp_path)
    words = ["ingest", "images=.", "classes=[a,b]", "executor=serial", "val_share=0"]
    assert main([*words, "out=first"]) == 0
    (tmp_path / ".cache").mkdir()
    shutil.copy(photographs / "a.png", tmp_path / ".cache" / "kept.png")
    (tmp_path / "killed.partial" / "images").mkdir(parents=True)
    (tmp_path / "killed.partial" / "lock").touch()
    shutil.copy(photographs / "a.png", tmp_path / "killed.partial" / "images")
    capfd.readouterr()
    assert main([*words, "out=first"]) == 0
    assert "there" in capfd.readouterr().out
    assert main([*words, "out=second"]) == 0
    names = ["photographs__a", "photographs__b", "photographs__c"]
    assert names == [sample.id for sample in Dataset.open(tmp_path / "second").samples]


def test_brackets_in_names_are_printed_as_they_are(photographs, tmp_path, monkeypatch, capfd) -> None:
    """They are no markup: neither do they vanish from the table, nor end the command after it has sealed."""
    monkeypatch.chdir(tmp_path)
    words = ["ingest", f"images={photographs}", "executor=serial", "classes=[a,b]"]
    for out in ("a[/b]", "a[bold]c"):
        assert main([*words, f"out={out}"]) == 0
        assert out in capfd.readouterr().out


def test_a_folder_whose_name_is_a_number_is_a_folder(photographs, tmp_path, monkeypatch) -> None:
    """Also where a file says so, without quotes."""
    monkeypatch.chdir(tmp_path)
    photographs.rename("2024")
    (tmp_path / "mine.yaml").write_text("inputs: {images: 2024}\nout: 7\n")
    assert main(["ingest", "experiment=mine.yaml", "classes=[0,1]", "executor=serial"]) == 0
    assert Dataset.open(tmp_path / "7").classes.names == ("0", "1")


def test_a_sweep_makes_every_point_in_a_folder_of_its_own(ingested, tmp_path, monkeypatch) -> None:
    """Named after what was swept; one that fails does not stop the others, but the status tells."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    words = ["label", f"inputs.source={ingested}", f"out={tmp_path}/sweep/label", "executor=serial", "-m"]
    assert main([*words, "refiner=argmax", "min_confidence=0.5,2.0,0.9"]) == 1
    made = sorted(path.parent.name for path in (tmp_path / "sweep").glob("*/label"))
    assert made == ["min_confidence=0.5", "min_confidence=0.9"]
    assert list((tmp_path / "here").iterdir()) == []


def test_a_sweep_over_out_makes_each_where_it_was_asked_for() -> None:
    """Folders of its own are there already; other keys that vary have theirs within."""
    points = composed("label", "out=a/x,a/y", "seed=0,1", sweep=True)
    assert [point["out"] for point in place_sweep("label", points)] == [
        "a/seed=0/x",
        "a/seed=1/x",
        "a/seed=0/y",
        "a/seed=1/y",
    ]
    points = composed("label", "out=a/x,a/y", sweep=True)
    assert [point["out"] for point in place_sweep("label", points)] == ["a/x", "a/y"]


def test_a_file_that_a_part_is_to_read_and_is_not_there_is_named(ingested, tmp_path, capfd) -> None:
    """It counted as an empty one, and its unfinished artefact lay in the way of the right one."""
    (tmp_path / "coder.pth").touch()
    before = sorted(tmp_path.iterdir())
    words = [f"inputs.source={ingested}", "labeler=across", f"labeler.weights={tmp_path}/codr.pth", "executor=serial"]
    assert main(["label", *words, f"out={tmp_path}/label"]) == 1
    printed = capfd.readouterr().err
    assert "missing file" in printed
    assert f"did you mean {tmp_path}/coder.pth?" in printed
    assert main(["label", f"inputs.source={ingested}s", f"out={tmp_path}/label"]) == 1
    assert f"did you mean {ingested}?" in capfd.readouterr().err
    assert "where:    label.labeler.weights" in printed
    assert sorted(tmp_path.iterdir()) == before


def test_a_sweep_over_the_line_shares_the_steps_it_does_not_touch() -> None:
    """A swept refiner leaves rendering where it is and moves everything that reads the labels."""
    jobs = composed("run", "experiment=coins", "label.refiner=argmax,dense_crf", sweep=True)
    placed = place_sweep("run", jobs)
    assert [swept for _, swept in jobs] == [["label.refiner=argmax"], ["label.refiner=dense_crf"]]
    assert [config["label"]["refiner"]["_target_"].rpartition(".")[2] for config in placed] == ["Argmax", "DenseCrf"]
    same = [name for name in placed[0]["line"] if placed[0][name]["out"] == placed[1][name]["out"]]
    assert same == ["ingest", "photograph", "render", "adapt"]  # a calibration is of one refiner
    assert placed[0]["label"]["out"] == "outputs/coins/label.refiner=argmax/label"
    assert placed[1]["calibrate"]["out"] == "outputs/coins/label.refiner=dense_crf/calibrate"
    assert placed[0]["train"]["inputs"]["real"] == placed[0]["label"]["out"]
    assert placed[0]["train"]["inputs"]["synthetic"] == "outputs/coins/adapt"


def test_a_sweep_moves_what_a_part_of_a_step_reads() -> None:
    """A second teacher is read by a part, not as an input: its settings move the student, the first stays."""
    jobs = composed("run", "experiment=camvid_taught", "second.steps=300,600", sweep=True)
    placed = place_sweep("run", jobs)
    same = [name for name in placed[0]["line"] if placed[0][name]["out"] == placed[1][name]["out"]]
    assert same == ["ingest", "validation", "label", "first"]
    assert placed[0]["train"]["teacher"]["models"] == [placed[0]["second"]["out"]]
    assert placed[0]["first"]["seed"] != placed[0]["second"]["seed"]


def test_a_full_disk_ends_in_one_message_and_the_same_command_goes_on(ingested, tmp_path, capfd) -> None:
    """A file system of 48 KiB stands in for a full disk; after making room the stage finishes whole."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        filler = disk / "filler"
        filler.write_bytes(b"0" * 40_000)
        words = ["label", f"inputs.source={ingested}", f"out={disk}/label", "refiner=argmax", "executor=serial"]
        assert main(words) == 1
        printed = capfd.readouterr().err
        assert "free some disk space" in printed
        assert os.strerror(errno.ENOSPC) in printed
        assert not (disk / "label").exists()
        filler.unlink()
        subprocess.run(["mount", "-o", "remount,size=4m", str(disk)], check=True)
        assert main(words) == 0
        assert Dataset.open(disk / "label").damaged() == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_fault_of_ours_is_logged_to_a_file_not_thrown_at_the_user(ingested, tmp_path, monkeypatch, capfd) -> None:
    """The message names the file, which holds the traceback."""

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(perform, "open_writer", broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert main(["label", f"inputs.source={ingested}", f"out={tmp_path}/label"]) == 1
    printed = capfd.readouterr().err
    assert "a fault in the factory itself" in printed
    assert "Traceback" not in printed
    assert "Traceback" in next(tmp_path.glob("factory-*.log")).read_text()


def test_help_lists_stages_and_experiments_and_a_stages_keys_with_their_choices(capfd) -> None:
    """One line each, the line's stages in its order; a group's choices stand beside it, and below what each is."""
    assert main(["--help"]) == 0
    page = capfd.readouterr().out
    assert re.search(r"(?s)\ningest .*\nrender .*\ncalibrate .*\nlabel .*\nreview .*\nmerge .*experiment=coins ", page)
    assert main(["label", "--help"]) == 0
    page = capfd.readouterr().out
    assert "argmax, dense_crf" in page
    assert "refiner=dense_crf" in page
    assert "min_confidence=0.6" in page
    assert "less sure become ignore" in page
    assert "inputs. may be left out: source=…" in page
    assert re.search(r"\nlabeler=boxes +boxes: background outside", page)
    assert re.search(r"\nrefiner=argmax +the likeliest class of each pixel by itself", page)
    for words, said in ((["label", "labeler=tags"], "  labeler.method=cam "), (["render"], "  sensor@scene=print ")):
        assert main([*words, "--help"]) == 0
        assert said in capfd.readouterr().out


def test_labels_tell_hints_from_guesses(ingested, tmp_path) -> None:
    """A clicked pixel has its class, full confidence and the origin `hint`; the rest says `pseudo` or nothing."""
    assert main(["label", f"inputs.source={ingested}", f"out={tmp_path}/label", "executor=serial"]) == 0
    made = Dataset.open(tmp_path / "label")
    for sample in made.samples:
        mask, confidence, source = (made.map(sample, name) for name in ("mask", "confidence", "source"))
        for x, y, class_id in sample.hints.points:
            assert (mask[y, x], confidence[y, x], source[y, x]) == (class_id, 255, Origin.HINT)
        np.testing.assert_array_equal(mask == 255, source == Origin.NONE)


def test_the_command_starts_fast(tmp_path: Path) -> None:
    """Help needs neither torch nor Blender."""
    code = "import sys; from factory.__main__ import main; main(['--help']); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.rstrip().endswith("False")


@pytest.mark.parametrize("theirs", ["conf/run.yaml", "conf/__init__.py", "conf.py", "adapt.py"])
def test_what_lies_in_the_users_folder_is_not_taken_for_ours(theirs: str, tmp_path: Path) -> None:
    """``python -m`` looks there first; torchrun starts the command like that."""
    (tmp_path / theirs).parent.mkdir(exist_ok=True)
    (tmp_path / theirs).write_text("")
    words = ["adapt", "synthetic=nowhere", "real=nowhere", "out=made"]
    done = subprocess.run([sys.executable, "-m", "factory", *words], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1
    assert "error: missing input" in done.stderr


def test_an_allocator_that_gives_up_is_no_fault_of_ours() -> None:
    """torch raises RuntimeError where numpy raises MemoryError; the size that was asked for is told."""
    said = "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 120000000000 bytes"
    for error in (RuntimeError(said), MemoryError(said)):
        found = explained(error)
        assert isinstance(found, MachineError)
        assert (found.what, found.got) == ("out of memory", said)
