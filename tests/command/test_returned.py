"""What lies in a round's folder: which answers and times are taken, in which order, and what is named as neither."""

from pathlib import Path
from typing import Any

import pytest

from factory.command.already import digest_of
from factory.command.looping.returned import Return, chained, passed_over, require_in_time, returned
from factory.command.looping.times import hand_on, noted
from factory.core.artefact import Identity, Kind
from factory.core.errors import ConfigError
from factory.core.writer import open_writer


def test_answers_are_taken_however_their_names_are_written(tmp_path: Path) -> None:
    """Late ones first, the earliest round's before the others'; then the round's own, by name."""
    for folder in ("Corrections-Anna", "late-2-anna", "select", "review"):
        (tmp_path / folder).mkdir()
    for name in ("corrections (1).ZIP", "LATE-1.xml", "late-1-zoe.zip", "late-10.zip", "Times-anna.CSV", "log.csv"):
        (tmp_path / name).touch()
    found = [(one.path.name, one.number) for one in returned(tmp_path, 11)]
    assert found[:4] == [("LATE-1.xml", 1), ("late-1-zoe.zip", 1), ("late-2-anna", 2), ("late-10.zip", 10)]
    assert found[4:] == [("Corrections-Anna", 11), ("corrections (1).ZIP", 11)]
    assert passed_over(tmp_path) == []


def test_what_looks_like_answers_or_times_and_is_not_called_so_is_named(tmp_path: Path) -> None:
    """Nobody's work is passed over without a word."""
    strays = ["Late-1.zip.part", "annotations.xml", "corrections.rar", "photo.PNG", "photo.json", "queue.csv"]
    for name in (*strays, "notes.txt"):
        (tmp_path / name).touch()
    assert returned(tmp_path, 2) == []
    assert passed_over(tmp_path) == strays


@pytest.mark.parametrize("name", ["late.zip", "late-0.zip", "late-2.zip", "Late-9.xml"])
def test_a_late_return_names_an_earlier_round(tmp_path: Path, name: str) -> None:
    """Not this one, none before the first, none to come."""
    (tmp_path / name).touch()
    with pytest.raises(ConfigError, match="no earlier round") as caught:
        returned(tmp_path, 2)
    assert name in str(caught.value)


def test_each_return_is_merged_beside_its_own_queue_one_after_the_other(tmp_path: Path) -> None:
    """The last merge is the round's own; the others replace what lies there only where the round may begin anew."""
    config: dict[str, Any] = {f"select-{one}": {"out": f"queue-{one}"} for one in (1, 2)}
    inputs = {"source": "labels", "queue": "queue-2", "corrections": None}
    config["merge-2"] = {"inputs": inputs, "out": "top/merge", "overwrite": False}
    names = chained(config, 2, [Return(tmp_path / "late-1", 1), Return(tmp_path / "corrections", 2)], anew=True)
    assert names == ["merge-2-1", "merge-2"]
    assert [config[name]["out"] for name in names] == ["top/merge-1", "top/merge"]
    assert [config[name]["inputs"] for name in names] == [
        {"source": "labels", "queue": "queue-1", "corrections": str(tmp_path / "late-1")},
        {"source": "top/merge-1", "queue": "queue-2", "corrections": str(tmp_path / "corrections")},
    ]
    assert all(config[name]["overwrite"] for name in names)


@pytest.fixture
def gone_on(tmp_path: Path):
    """A check of the answers to round 1, which has gone on with those of three people; of which two changed nothing."""
    before = ""
    for name, content in (("label", "0"), ("merge-1", "0"), ("merge-2", "0"), ("merge", "1")):
        answers = tmp_path / f"corrections-{name}.xml"
        answers.write_text(name)
        inputs = {"source": before, "corrections": digest_of(answers)}
        identity = Identity(stage="merge", config={}, seed=0, inputs=inputs, code="test")
        with open_writer(tmp_path / name, identity, Kind.REPORT) as out:
            out.write("mask", content.encode())
            before = out.seal().digest

    def check(*names: str, overwrite: bool = False) -> None:
        inputs = {"source": str(tmp_path / "label")}
        config = {"merge-1": {"inputs": inputs, "out": str(tmp_path / "merge"), "overwrite": overwrite}}
        require_in_time(config, 1, [Return(tmp_path / f"corrections-{name}.xml", 1) for name in names])

    return check


def test_a_round_that_went_on_takes_what_it_went_on_with(gone_on) -> None:
    """Whether or not what changed nothing is still there: the same is made of it."""
    for names in (("merge-1", "merge-2", "merge"), ("merge-1", "merge"), ("merge",)):
        gone_on(*names)


def test_a_round_that_went_on_takes_nothing_else(gone_on, tmp_path: Path) -> None:
    """More of it, nothing, or other answers under an old name, which only ``overwrite`` lets count."""
    three = ("merge-1", "merge-2", "merge")
    (tmp_path / "corrections-new.xml").write_text("new")
    for names, said in (
        ((*three, "new"), "3 of them"),
        ((), "nothing"),
        (("merge-1", "new", "merge"), "new.xml, changed"),
    ):
        with pytest.raises(ConfigError, match="round 1 has gone on") as caught:
            gone_on(*names)
        assert said in str(caught.value)
        assert "late-1.zip" in str(caught.value)
    (tmp_path / "corrections-merge.xml").write_text("mended")
    with pytest.raises(ConfigError, match=r"merge\.xml, changed since"):
        gone_on(*three)
    gone_on(*three, overwrite=True)


def test_a_queue_learns_from_the_times_of_earlier_rounds_as_they_were_when_it_was_made(tmp_path: Path) -> None:
    """Not from its own round's, and later ones change neither the queue nor what it learnt from."""
    config = {f"{step}-{one}": {"out": str(tmp_path / f"{one}/{step}"), "inputs": {}} for step in ("select", "review")
              for one in (1, 2, 3)}  # fmt: skip
    for number in (1, 2, 3):
        (tmp_path / f"{number}/review").mkdir(parents=True)
    times = "image,border,taken\na.png,{},2\n"
    (tmp_path / "2/times.csv").write_text(times.format(5))
    for number in (1, 2):
        hand_on(config, number)
        assert config[f"select-{number}"]["inputs"] == {}
    (tmp_path / "1/times.csv").write_text(times.format(3))
    (tmp_path / "2/select").mkdir()
    hand_on(config, 2)
    assert config["select-2"]["inputs"] == {}, "the queue was made without"
    hand_on(config, 3)
    log = tmp_path / "3/log.csv"
    assert config["select-3"]["inputs"] == {"log": str(log)}
    assert log.read_text() == "image,border,taken\n0/a.png,3,2\n1/a.png,5,2\n"
    (tmp_path / "1/times-late.csv").write_text(times.format(9))
    hand_on(config, 3)
    assert "9" not in log.read_text()


def test_times_of_several_people_are_added_up(tmp_path: Path) -> None:
    """Regions with a time, and their seconds."""
    (tmp_path / "Times.CSV").write_text("image;border;taken\na.png;3;1,5\na.png;2;1\nb.png;1;\n")
    (tmp_path / "times-ben.csv").write_text("image,border,taken\na.png,3,4\n")
    assert noted({"review-1": {"out": str(tmp_path / "review")}}, 1) == (3, 6.5)
