"""Artefacts are whole, unchanged and accounted for, or they are not there."""

import errno
import itertools
import json
import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from factory.core import digests, disk, writer
from factory.core.artefact import Artefact, Identity, Kind, Model, read_header
from factory.core.dataset import Dataset, require_same_classes
from factory.core.errors import ArtefactError, ConfigError, InputError
from factory.core.writer import is_begun, is_sealed, open_writer
from tests.artefacts import CLASSES, add_sample, dataset, identity, sealed
from tests.full_disk import cut_at

MASK = np.zeros((6, 8), np.uint8)


class Killed(BaseException):
    """What ends a process, as far as code that handles exceptions can tell."""


def killed_in(monkeypatch: pytest.MonkeyPatch, place: Any, name: str, *, after: int = 0) -> None:
    """A call of a function ends the process, the one that follows ``after`` others; later ones work as ever."""
    usual, calls = getattr(place, name), itertools.count()

    def dies(*given: object) -> object:
        if next(calls) < after:
            return usual(*given)
        monkeypatch.setattr(place, name, usual)
        raise Killed

    monkeypatch.setattr(place, name, dies)


def make(target: Path, asked: Identity, *, overwrite: bool = False) -> set[str]:
    """What the command line does around a stage; returns the samples it had to make."""
    if is_sealed(target, asked, overwrite=overwrite):
        return set()
    with open_writer(target, asked, Kind.DATASET, overwrite=overwrite) as out:
        out.classes = CLASSES
        missing = {"a", "b"} - out.done()
        for name in missing:
            add_sample(out, name, MASK)
        out.scratch.joinpath("state").write_text("kept over a kill")
        out.seal()
    return missing


def test_a_folder_without_a_header_is_not_an_artefact(tmp_path: Path) -> None:
    """Whatever else lies in it."""
    (tmp_path / "manifest.parquet").write_bytes(b"something")
    with pytest.raises(ArtefactError, match="no sealed artefact"):
        Dataset.open(tmp_path)


def test_an_artefact_of_the_wrong_kind_is_refused_with_both_kinds_named(tmp_path: Path) -> None:
    """The message tells what was got and what was expected."""
    made = dataset(tmp_path / "data", {"a": MASK})
    with pytest.raises(ArtefactError) as caught:
        Model.open(made.root)
    assert (caught.value.got, caught.value.expected) == (Kind.DATASET, Kind.MODEL)


def test_changing_a_sealed_file_is_found(tmp_path: Path) -> None:
    """The check reads every file; changing the list of checksums itself stops the artefact from opening."""
    made = dataset(tmp_path / "data", {"a": MASK, "b": MASK})
    assert made.damaged() == []
    made.path("masks/b.png").write_bytes(b"scribbled over")
    assert made.damaged() == ["masks/b.png"]
    with made.path("SHA256SUMS").open("a") as stream:
        stream.write("0  nothing\n")
    with pytest.raises(ArtefactError, match="changed after sealing"):
        Dataset.open(made.root)


def test_the_checksums_are_what_coreutils_read(tmp_path: Path) -> None:
    """Anyone can check an artefact without us."""
    made = dataset(tmp_path / "data", {"a": MASK})
    assert os.system(f"cd {made.root} && sha256sum --check --quiet SHA256SUMS") == 0


def test_equal_samples_make_equal_digests_in_any_order(tmp_path: Path) -> None:
    """Neither the order of adding nor the place on disk matters."""
    masks = {name: np.full((6, 8), i, np.uint8) for i, name in enumerate("abc")}
    forth = dataset(tmp_path / "forth", masks)
    back = dataset(tmp_path / "back", dict(reversed(masks.items())))
    assert forth.digest == back.digest


def test_the_same_identity_is_skipped_and_another_is_refused_by_name(tmp_path: Path) -> None:
    """What differs is said; overwriting has to be asked for."""
    target = tmp_path / "data"
    asked = Identity(stage="s", config={"part": {"sigma": 1}}, seed=0, inputs={"source": "d1"}, code="c")
    other = Identity(stage="s", config={"part": {"sigma": 2}}, seed=0, inputs={"source": "d1"}, code="c")
    with open_writer(target, asked, Kind.DATASET) as out:
        out.seal()
    assert is_sealed(target, asked)
    with pytest.raises(ArtefactError, match="different settings") as caught:
        is_sealed(target, other)
    assert caught.value.got == "config.part.sigma: 1 there, 2 asked"
    assert not is_sealed(target, other, overwrite=True)
    parts = [replace(asked, config={"part": {"_target_": name, key: 1}}) for name, key in (("A", "a"), ("B", "b"))]
    assert parts[0].differences(parts[1]) == ['config.part._target_: "B" there, "A" asked']
    assert asked.differences(replace(asked, stage="t", seed=1)) == ["what t made there, s asked"]


def test_a_process_beside_the_first_knows_when_the_artefact_has_been_begun(tmp_path: Path) -> None:
    """Not by another's, not before there is a place to work in, and no more once it is sealed."""
    target, asked, other = tmp_path / "a", identity("train"), identity("train", size=5)
    assert not is_begun(target, asked)
    with open_writer(target, asked, Kind.REPORT) as out:
        assert is_begun(target, asked)
        assert not is_begun(target, other)
        out.write("index.html", b"page")
        out.seal()
    assert not is_begun(target, asked)


def test_an_unfinished_artefact_of_other_settings_is_not_mixed_in(tmp_path: Path) -> None:
    """Half a rendering with one set of lights is no start for another."""
    target = tmp_path / "data"
    with open_writer(target, identity("one"), Kind.DATASET) as out:
        add_sample(out, "a", MASK)
    with pytest.raises(ArtefactError, match="unfinished"), open_writer(target, identity("two"), Kind.DATASET):
        pass
    with open_writer(target, identity("two"), Kind.DATASET, overwrite=True) as out:
        assert out.done() == frozenset()


def test_settings_and_inputs_that_cannot_work_leave_nothing_in_the_way_of_those_that_can(tmp_path: Path) -> None:
    """What they were found out by may be files already; what an earlier try made of the same settings stays."""
    target = tmp_path / "data"

    def fail(error: Exception) -> None:
        with open_writer(target, identity("one"), Kind.DATASET) as out:
            add_sample(out, "a", MASK)
            raise error

    for error in (ConfigError("loss.class_weights must be one a class"), InputError("too few pictures")):
        with pytest.raises(type(error)):
            fail(error)
        assert not list(tmp_path.iterdir())
    for error in (ArtefactError("another model is missing"), ConfigError("devices")):
        with pytest.raises(type(error)):
            fail(error)
    with open_writer(target, identity("one"), Kind.DATASET) as out:
        assert out.done() == {"a"}


def test_folders_that_were_made_for_nothing_are_taken_away(tmp_path: Path) -> None:
    """As those of a sweep's points that failed; what was there before, or holds something else by then, stays."""
    (tmp_path / "there").mkdir()

    def fail(place: str, beside: str | None = None) -> None:
        with open_writer(tmp_path / place, identity("one"), Kind.DATASET):
            if beside:
                (tmp_path / beside).touch()
            raise ConfigError("impossible")

    for places in (("there/new/data",), ("there/other/new/data", "there/other/note")):
        with pytest.raises(ConfigError):
            fail(*places)
    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*"))
    assert left == ["there", "there/other", "there/other/note"]


def test_what_was_journalled_before_a_kill_is_taken_up_and_half_files_are_not(tmp_path: Path) -> None:
    """A row counts when all its files are there; what was being written is forgotten."""
    target, whole = tmp_path / "data", tmp_path / "whole"
    with open_writer(target, identity("s"), Kind.DATASET) as out:
        add_sample(out, "a", MASK)
        add_sample(out, "b", MASK)
        (out.root / "masks/b.png").write_bytes(b"")
        (out.root / "masks/.c.png.123").write_bytes(b"half a pict")
        out.scratch.joinpath("state").write_text("kept over a kill")
    with open_writer(target, identity("s"), Kind.DATASET) as out:
        out.classes = CLASSES
        assert out.done() == {"a"}
        assert (out.scratch / "state").read_text() == "kept over a kill"
        add_sample(out, "b", MASK)
        out.seal()
    with open_writer(whole, identity("s"), Kind.DATASET) as out:
        out.classes = CLASSES
        add_sample(out, "a", MASK)
        add_sample(out, "b", MASK)
        out.seal()
    first, second = Dataset.open(target), Dataset.open(whole)
    assert first.digest == second.digest
    assert (target / "artefact.json").read_bytes() == (whole / "artefact.json").read_bytes()


@pytest.mark.parametrize(
    ("place", "name"),
    [(writer, "_synced_digest"), (digests, "canonical"), (writer, "_swap_in"), (digests, "sync_folder"),
     (Path, "rename"), (writer, "_tidy")],
)  # fmt: skip
def test_a_kill_while_sealing_costs_no_finished_work(place, name, tmp_path: Path, monkeypatch) -> None:
    """Wherever it falls: the samples are not made again, and nothing of the making is left in the artefact."""
    target, asked = tmp_path / "data", identity("s")
    with open_writer(target, asked, Kind.DATASET) as out:
        out.classes = CLASSES
        for sample in "ab":
            add_sample(out, sample, MASK)
        killed_in(monkeypatch, place, name)
        with pytest.raises(Killed):
            out.seal()
    assert make(target, asked) == set()
    assert Dataset.open(target).damaged() == []
    whole = dataset(tmp_path / "whole", {"a": MASK, "b": MASK})
    assert sorted(path.name for path in target.iterdir()) == sorted(path.name for path in whole.root.iterdir())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "whole"]
    assert Dataset.open(target).digest == whole.digest


def test_a_whole_artefact_that_is_not_in_its_place_is_not_thrown_away_for_another(tmp_path: Path, monkeypatch) -> None:
    """It is in the way like any unfinished one; overwriting has to be asked for."""
    target = tmp_path / "data"
    killed_in(monkeypatch, Path, "rename")
    with pytest.raises(Killed):
        make(target, identity("one"))
    with pytest.raises(ArtefactError, match="unfinished"):
        make(target, identity("two"))
    assert make(target, identity("two"), overwrite=True) == {"a", "b"}


@pytest.mark.parametrize(("place", "name", "calls"), [(Path, "rename", 0), (Path, "rename", 1), (disk, "remove", 3)])
def test_a_kill_while_replacing_an_artefact_is_made_up_for(place, name, calls, tmp_path: Path, monkeypatch) -> None:
    """The same command puts the new one in its place, another one replaces both; the old one goes in the end."""
    target = tmp_path / "data"
    for version, following in enumerate(("same", "other")):
        make(target, identity("old"), overwrite=True)
        killed_in(monkeypatch, place, name, after=calls)
        with pytest.raises(Killed):
            make(target, identity("new", version=version), overwrite=True)
        asked = identity("new", version=version) if following == "same" else identity("another")
        make(target, asked, overwrite=True)
        assert read_header(target).identity == asked
        assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_second_command_does_not_touch_what_is_being_put_in_its_place(tmp_path: Path, monkeypatch) -> None:
    """Started between the last file and the renaming, it waits for that and finds the artefact."""
    target, asked = tmp_path / "data", identity("s")
    second = threading.Thread(target=lambda: found.append(make(target, asked)))
    found: list[set[str]] = []
    sync, waiting = digests.sync_folder, threading.Event()

    def slow(folder: Path) -> None:
        if not waiting.is_set():
            waiting.set()
            second.start()
            second.join(0.2)
            assert (second.is_alive(), found) == (True, [])
        sync(folder)

    monkeypatch.setattr(digests, "sync_folder", slow)
    assert make(target, asked) == {"a", "b"}
    second.join()
    assert found == [set()]
    assert Dataset.open(target).damaged() == []


def test_a_command_that_asked_before_the_sealing_is_refused_after_it(tmp_path: Path) -> None:
    """It would begin anew what is there."""
    target, asked = tmp_path / "data", identity("s")
    assert not is_sealed(target, asked)
    make(target, asked)
    with pytest.raises(ArtefactError, match="just made"), open_writer(target, asked, Kind.DATASET):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_is_no_artefact_is_in_the_way_and_stays(overwrite: bool, tmp_path: Path) -> None:
    """A folder of photographs, or a file: another place has to be given. An empty folder is none."""
    (tmp_path / "photos").mkdir()
    assert not is_sealed(tmp_path / "photos", identity("s"), overwrite=overwrite)
    (tmp_path / "photos" / "a.png").write_bytes(b"picture")
    for place in (tmp_path / "photos", tmp_path / "photos" / "a.png"):
        with pytest.raises(ArtefactError, match="no artefact is in the way") as caught:
            is_sealed(place, identity("s"), overwrite=overwrite)
        assert "another out=" in str(caught.value)


def test_two_processes_cannot_write_the_same_artefact(tmp_path: Path) -> None:
    """The second is told, instead of both spoiling it."""
    with (
        open_writer(tmp_path / "data", identity("s"), Kind.DATASET),
        pytest.raises(ArtefactError, match="another process"),
        open_writer(tmp_path / "data", identity("s"), Kind.DATASET),
    ):
        pass


def test_replacing_a_carried_file_leaves_the_sealed_one_alone(tmp_path: Path) -> None:
    """Carried files may share their disk blocks with the source: writing must not go through."""
    source = dataset(tmp_path / "source", {"a": MASK})
    with open_writer(tmp_path / "next", identity("n"), Kind.DATASET) as out:
        out.classes = source.classes
        carried = out.carry(source, source.samples[0])
        out.write_map("mask", "a", np.ones((6, 8), np.uint8))
        out.add(carried)
        out.seal()
    assert source.damaged() == []
    assert Dataset.open(tmp_path / "next").mask(carried).all()


def test_overwriting_replaces_the_old_artefact_only_when_the_new_one_is_whole(tmp_path: Path) -> None:
    """Until then the old one stays readable."""
    old = dataset(tmp_path / "data", {"a": MASK})
    with open_writer(old.root, identity("new"), Kind.DATASET, overwrite=True) as out:
        out.classes = CLASSES
        add_sample(out, "b", MASK)
        assert Dataset.open(old.root).digest == old.digest
        out.seal()
    assert [sample.id for sample in Dataset.open(old.root).samples] == ["b"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


def test_a_header_from_another_world_is_refused_in_one_message(tmp_path: Path) -> None:
    """Neither a future schema nor broken JSON ends in a traceback."""
    made = dataset(tmp_path / "data", {"a": MASK})
    header = made.path("artefact.json")
    body = json.loads(header.read_text())
    for text in (json.dumps(body | {"schema": 99}), "{ not json", json.dumps({"schema": 1})):
        header.write_text(text)
        with pytest.raises(ArtefactError):
            Artefact.open(made.root)


def test_different_class_lists_are_refused_with_both_lists(tmp_path: Path) -> None:
    """Order counts: ids are positions."""
    first = dataset(tmp_path / "a", {"a": MASK})
    second = Dataset.open(sealed(tmp_path / "b", Kind.DATASET, lambda _: None, classes=CLASSES.of(["coin", "x"])))
    with pytest.raises(ArtefactError, match="class lists") as caught:
        require_same_classes(first, second)
    assert caught.value.got == "coin, x"


def test_what_a_full_disk_cuts_short_is_removed_and_named(tmp_path):
    """It took the room that was left, under a name that nobody looks for; the message did not say on which disk."""
    with open_writer(tmp_path / "a", identity("a"), Kind.REPORT) as out:
        for write in (out.write, lambda name, data: digests.write_atomically(out.root / name, data)):
            with cut_at(1000), pytest.raises(OSError, match="large") as error:
                write("big.bin", bytes(5000))
            assert error.value.filename == str(out.root / "big.bin")
        assert not list(out.root.glob("*big*"))


def test_a_copy_that_a_full_disk_cuts_short_is_named_where_it_was_to_be(tmp_path, monkeypatch):
    """The source, on a disk with room, was named: whoever made room there had the same message again."""
    (tmp_path / "big.bin").write_bytes(bytes(5000))
    monkeypatch.setattr(os, "link", unlinkable)
    with open_writer(tmp_path / "a", identity("a"), Kind.REPORT) as out:
        with cut_at(1000), pytest.raises(OSError, match="large") as error:
            out.link(tmp_path / "big.bin", "big.bin")
        assert error.value.filename == str(out.root / "big.bin")
        assert not list(out.root.glob("*big*"))
        out.link(tmp_path / "big.bin", "big.bin")
        assert (out.root / "big.bin").read_bytes() == bytes(5000)


def unlinkable(*_: object) -> None:
    """As between two disks."""
    raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
