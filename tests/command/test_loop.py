"""A line drawn out into rounds: what each reads and makes, what points of a sweep share, and what cannot go round."""

import pytest

from factory.command import tree
from factory.command.bind import bind
from factory.command.looping.places import apart
from factory.command.looping.results import row_of
from factory.command.looping.rounds import drawn_out
from factory.core.errors import ConfigError
from factory.review.rounds import Row
from tests.command.composing import composed


def drawn(*words: str):
    """The loop of one point."""
    ((config, _),) = composed(tree.LOOP, "experiment=camvid", "oracle=true", "root=top", *words)
    return drawn_out(config)


def test_a_round_asks_about_the_newest_labels_and_everything_that_hangs_on_the_answers_is_made_anew() -> None:
    """Hints and answers together are labelled again; validation is measured on as it was."""
    loop = drawn("rounds=2")
    assert list(loop.first) == ["truth", "ingest", "validation", "label", "train", "evaluate"]
    steps = ["select", "answer", "merge", "label", "train", "evaluate"]
    assert [list(names) for names in loop.rounds] == [[f"{name}-{number}" for name in steps] for number in (1, 2)]
    second = {name: loop.config[f"{name}-2"] for name in steps}
    assert second["select"]["inputs"] == {
        "model": "top/round-1/train", "source": "top/round-1/label", "log": "top/round-1/answer",
    }  # fmt: skip
    assert second["answer"]["inputs"] == {"queue": "top/round-2/select", "truth": "top/truth"}
    assert second["merge"]["inputs"]["source"] == "top/round-1/label"
    assert second["label"]["inputs"]["source"] == "top/round-2/merge"
    assert second["train"]["inputs"]["real"] == "top/round-2/label"
    assert second["train"]["inputs"]["validation"] == "top/validation"
    assert second["evaluate"]["inputs"] == {"model": "top/round-2/train", "source": "top/validation"}
    assert loop.judged == "evaluate"
    for name in loop.config["line"]:
        bind(name, loop.config[name])


def test_a_round_has_a_precision_only_where_its_merges_can_tell_it() -> None:
    """Two returns, of which one does not say what was found right; one that brought nothing has no say."""
    before = Row(round=0, regions=0, pixels=0, seconds=0.0, precision=None, miou=0.1)

    def merged(returned: int, precision: float | None) -> dict[str, object]:
        counted = {"regions_returned": returned, "regions_changed": 1, "regions_again": 0, "pixels_human": 9}
        return counted | {"queue_precision": precision, "pixels_replaced_by_origin": {"human": 0}}

    def precision(*merges: dict[str, object]) -> float | None:
        return row_of(1, seconds=1.0, merged=merges, judged={"miou": 0.5}, before=before).precision

    assert row_of(1, seconds=1.0, merged=[merged(2, 0.5)], judged={"steps": 9}, before=before).miou is None
    assert precision(merged(2, 0.5), merged(2, 0.5)) == 0.5
    assert precision(merged(2, 0.5), merged(1, None)) is None
    assert precision(merged(4, 0.25), {**merged(0, None), "regions_changed": 0}) == 0.25


def test_a_region_that_two_people_answered_differently_counts_once() -> None:
    """In the sum of regions; both say whether it was worth asking."""
    before = Row(round=0, regions=4, pixels=0, seconds=0.0, precision=None, miou=0.1)
    counted = {"regions_returned": 3, "regions_changed": 3, "pixels_human": 9, "queue_precision": 1.0}
    first = counted | {"regions_again": 0, "pixels_replaced_by_origin": {"human": 0}}
    second = counted | {"regions_again": 2, "pixels_replaced_by_origin": {"human": 6}}
    row = row_of(1, seconds=1.0, merged=[first, second], judged={"miou": 0.5}, before=before)
    assert (row.regions, row.precision) == (8, 1.0)


def test_what_no_step_makes_is_told_before_the_first_one_runs() -> None:
    """A line without renders, whose training and review are still to read them."""
    with pytest.raises(ConfigError, match=r"train.inputs.synthetic, which adapt would make") as error:
        drawn("oracle=false", "train.inputs.synthetic=${adapt.out}", "review.inputs.rendered=${render.out}")
    assert "review.inputs.rendered, which render would make" in str(error.value)


def test_rounds_draw_anew_noise_decays_and_simulated_answers_are_taken_at_their_word() -> None:
    """What a simulated person leaves open is of no class, not unseen."""
    loop = drawn("rounds=3", "acquisition=stratified")
    queues = [loop.config[f"select-{number}"] for number in (1, 2, 3)]
    assert len({queue["seed"] for queue in queues}) == 3
    assert [queue["acquisition"]["round"] for queue in queues] == [0, 1, 2]
    rules = {key: loop.config["merge-1"]["rules"][key] for key in ("scope", "unstated", "unchanged")}
    assert rules == {"scope": "regions", "unstated": "void", "unchanged": "confirm"}


def test_without_a_simulated_person_each_round_is_reviewed() -> None:
    """What people start from is made in the round."""
    loop = drawn("oracle=false", "rounds=1")
    assert list(loop.rounds[0]) == [f"{name}-1" for name in ("select", "review", "merge", "label", "train", "evaluate")]
    assert loop.config["review-1"]["inputs"]["queue"] == "top/round-1/select"
    assert loop.config["merge-1"]["rules"]["unstated"] == "keep"
    assert "truth" not in loop.first


def test_without_labels_in_the_line_training_reads_what_was_merged() -> None:
    """Masks that people made need no labeler."""
    loop = drawn("line=[ingest,validation,train]", "train.inputs.real=top/ingest", "select.inputs.source=top/ingest")
    assert loop.config["train-1"]["inputs"]["real"] == "top/round-1/merge"
    assert loop.config["merge-2"]["inputs"]["source"] == "top/round-1/merge"


def test_a_data_set_that_was_there_before_is_asked_about_and_what_hangs_on_it_is_measured() -> None:
    """Made by no step of the line; the model of each round is evaluated as the first one was."""
    loop = drawn(
        "line=[validation,train,evaluate]", "train.inputs.real=mine", "select.inputs.source=mine",
        "answer.inputs.truth=truth", "rounds=2",
    )  # fmt: skip
    assert list(loop.first) == ["validation", "train", "evaluate"]
    assert list(loop.rounds[1]) == [f"{name}-2" for name in ("select", "answer", "merge", "train", "evaluate")]
    assert loop.config["merge-1"]["inputs"]["source"] == "mine"
    assert loop.config["merge-2"]["inputs"]["source"] == "top/round-1/merge"
    assert loop.config["evaluate-2"]["inputs"] == {"model": "top/round-2/train", "source": "top/validation"}
    assert loop.judged == "evaluate"


def test_what_measures_anything_but_the_model_does_not_judge_it() -> None:
    """Labels are evaluated too; without an evaluation of the model its own validation stands."""
    reads = {
        "label": {"source": "mine"}, "train": {"real": "top/label"}, "labels": {"model": "top/label", "source": "true"},
        "select": {"model": "top/train", "source": "top/label"}, "review": {"queue": "top/select"},
        "merge": {"source": "top/label", "queue": "top/select", "corrections": None},
    }  # fmt: skip
    stage = {name: "evaluate" if name == "labels" else name for name in reads}
    rest = {"seed": 0, "acquisition": {}, "rules": {"unchanged": "skip"}}
    config = {
        name: {"_target_": f"factory.stages.{stage[name]}.run", "inputs": inputs, "out": f"top/{name}", **rest}
        for name, inputs in reads.items()
    }
    about = {"rounds": 1, "oracle": False, "budget": None, "least_precision": 0.0, "root": "top"}
    loop = drawn_out({**config, **about, "line": ["label", "train", "labels"]})
    assert loop.judged == "train"
    assert list(loop.rounds[0]) == [f"{name}-1" for name in ("select", "review", "merge", "label", "train", "labels")]


def test_points_of_a_sweep_share_what_they_make_alike() -> None:
    """One seed's first training serves every acquisition; folders are named after what sets them apart, in one name."""
    swept = composed(
        tree.LOOP, "experiment=camvid", "oracle=true", "root=top", "seed=0,1", "rounds=1",
        "acquisition=random,stratified", sweep=True,
    )  # fmt: skip
    settings = [dict(word.split("=") for word in words) for _, words in swept]
    assert settings[0] == {"seed": "0", "select.acquisition": "random"}
    settings = [
        {"rounds": "1", "photos": f"a/{one['seed']}", "acquisition": one["select.acquisition"]} for one in settings
    ]
    configs = apart([drawn_out(config).config for config, _ in swept], settings)
    assert [config["train"]["out"] for config in configs] == ["top/photos=a_0/train"] * 2 + ["top/photos=a_1/train"] * 2
    outs = [config["train-1"]["out"] for config in configs]
    assert outs[0] == "top/round-1/photos=a_0,acquisition=random/train"
    assert len(set(outs)) == 4
    assert [config["select-1"]["inputs"]["model"] for config in configs] == [c["train"]["out"] for c in configs]
    assert [config["label-1"]["inputs"]["source"] for config in configs] == [c["merge-1"]["out"] for c in configs]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["rounds=0"], "rounds"),
        (["rounds=true"], "wrong type"),
        (["oracle=perhaps"], "oracle"),
        (["budget=-1"], "seconds"),
        (["least_precision=null"], "least_precision"),
        (["least_precision=20"], "a share lies between 0 and 1"),
        (["least_precision=0.2", "oracle=false"], "found right"),
        (["answer.inputs.truth=null"], "truth"),
        (["line=[ingest,validation,label]"], "no model learns"),
        (["line=[ingest,nothing]"], "nothing"),
    ],
)
def test_what_cannot_go_round_is_refused(words, said: str) -> None:
    """Before anything is made."""
    with pytest.raises(ConfigError, match=said):
        drawn(*words)
