"""The factory's own short forms on the command line, and Hydra's words that come of them."""

from pathlib import Path

import pytest

from factory.command.compose import quote_text
from tests.command.composing import composed


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        ("source=o/seed=1/train", "source='o/seed=1/train'"),
        ("committee.models=[o/seed=1, o/seed=2]", "committee.models=['o/seed=1','o/seed=2']"),
        ("source=o/seed=1,o/seed=2", "source='o/seed=1','o/seed=2'"),
        ("""names=['a=1',"b=2"]""", """names=['a=1',"b=2"]"""),
        (r"source=a\=1", r"source=a\=1"),
        ("loss={ce: {weight: 1=1}}", "loss={ce: {weight: 1=1}}"),
        ("refiner@label.refiner=argmax", "refiner@label.refiner=argmax"),
        ("experiment=o/seed=1/best.yaml", "experiment=o/seed=1/best.yaml"),
        ("~peer", "~peer"),
        ("images=fotos_für", "images='fotos_für'"),
        ("images=w/my photos (2024)", "images='w/my photos (2024)'"),
        ("images=w/my photos", "images=w/my photos"),
        ("images=w/Anna's", r"images='w/Anna\'s'"),
        ("classes=[bg,Fläche]", "classes=[bg,'Fläche']"),
        ("classes=[bg,driver's]", r"classes=[bg,'driver\'s']"),
        ("classes=[bg, x (y), 'a,b']", "classes=[bg,'x (y)', 'a,b']"),
        ("inputs.images=2024_05,photos", "inputs.images='2024_05',photos"),
        ("label.out=1e3", "label.out='1e3'"),
        ("steps=1e3", "steps=1e3"),
        ("refiner=argmax,dense_crf", "refiner=argmax,dense_crf"),
        ("mask_ids=[[11,255],[3,0]]", "mask_ids=[[11,255],[3,0]]"),
        ("mask_ids=[[11,255]],[[3,0]]", "mask_ids=[[11,255]],[[3,0]]"),
        ("steps=range(1,10,step=2)", "steps=range(1,10,step=2)"),
        ("refiner=sort(b,a,reverse=true)", "refiner=sort(b,a,reverse=true)"),
        ("source=choice(o/seed=1,fotos_für)", "source=choice('o/seed=1','fotos_für')"),
        ("model=glob([a*,u?],exclude=*x)", "model=glob([a*,u?],exclude=*x)"),
        ("out=${root}/für", "out=${root}/für"),
        ("out=~/made", f"out={Path.home()}/made"),
        ("labeler.weights=~/a (1).pth", f"labeler.weights='{Path.home()}/a (1).pth'"),
        ("out=~made", "out='~made'"),
        ("out=true", "out='true'"),
        ("loss={ce: {what: für}}", "loss={ce: {what: für}}"),
    ],
)
def test_values_that_hydra_wants_quoted_need_no_quotes(word, quoted) -> None:
    """Folders of sweeps have an equals sign in their names, those of people any character; lists, sweeps, functions,
    mappings and what is quoted mean what they always did.
    """
    assert quote_text(word) == quoted


def test_hydra_takes_names_with_any_character_as_they_are() -> None:
    """Folders, classes and points of a sweep."""
    ((config, _),) = composed("ingest", "images=w/Anna's für (2024)", "classes=[bg, driver's, x (y)]", "out=2024_05")
    assert config["inputs"]["images"] == "w/Anna's für (2024)"
    assert config["classes"] == ["bg", "driver's", "x (y)"]
    assert config["out"] == "2024_05"
    jobs = composed("ingest", "images=fotos_für,b (1)", sweep=True)
    assert [config["inputs"]["images"] for config, _ in jobs] == ["fotos_für", "b (1)"]


@pytest.mark.parametrize(
    ("stage", "words", "key"),
    [
        ("render", ["quota.coin.images=40"], ()),
        ("run", ["experiment=coins", "render.quota.coin.images=40"], ("render",)),
    ],
)
def test_a_quota_takes_classes_that_no_file_lists(stage: str, words: list[str], key: tuple[str, ...]) -> None:
    """As the pack, not the configuration, names the classes."""
    ((config, _),) = composed(stage, *words)
    for name in key:
        config = config[name]
    assert config["quota"] == {"coin": {"images": 40}}


def test_a_quota_can_be_swept() -> None:
    """Its points are named as the user wrote them."""
    assert [swept for _, swept in composed("render", "quota.coin.images=1,2", sweep=True)] == [
        ["quota.coin.images=1"],
        ["quota.coin.images=2"],
    ]


def test_a_quota_can_come_from_an_artefact() -> None:
    """``quota.from`` is an input like any other."""
    ((config, _),) = composed("render", "quota.from=there/label")
    assert (config["inputs"]["lacking"], config["quota"]) == ("there/label", {})


@pytest.mark.parametrize(
    ("stage", "words", "inputs"),
    [
        ("predict", ["images=photos", "model=outputs/train"], {"images": "photos", "model": "outputs/train"}),
        ("predict", ["images=photos", "inputs.model=a.onnx"], {"images": "photos", "model": "a.onnx"}),
        ("evaluate", ["model=unet", "source=b"], {"model": "unet", "source": "b"}),
        ("train", ["real=a", "synthetic=b", "model=unet"], {"real": "a", "synthetic": "b"}),
        ("ingest", ["images=a", "masks=b", "classes=[x]"], {"images": "a", "masks": "b"}),
    ],
)
def test_an_input_may_be_named_without_its_prefix(stage: str, words: list[str], inputs: dict[str, str]) -> None:
    """Unless the stage has a key or group of that name, which then is meant."""
    ((config, _),) = composed(stage, *words)
    assert {name: path for name, path in config["inputs"].items() if path not in (None, "there")} == inputs
    if stage == "train":
        assert config["model"]["architecture"] == "unet"


def test_short_inputs_can_be_swept() -> None:
    """Each point has a folder of its own, named by the whole key."""
    jobs = composed("predict", "images=photos", "model=a.ckpt,b.onnx", sweep=True)
    assert [swept for _, swept in jobs] == [["inputs.model=a.ckpt"], ["inputs.model=b.onnx"]]


def test_nothing_can_be_chosen_where_a_part_may_be_left_out() -> None:
    """Also for a step of a line whose experiment chose something."""
    ((config, _),) = composed("evaluate", "peer=null")
    assert config["peer"] is None
    ((config, _),) = composed("run", "experiment=coins", "evaluate.peer=null")
    assert config["evaluate"]["peer"] is None


def test_a_choice_can_be_made_however_deep_its_group_lies() -> None:
    """A network's views within a labeler within a labeler, for a stage and for a step of a line."""
    place = "labeler.members.across.labeler.tta"
    ((config, _),) = composed("label", "labeler=fused", f"{place}=flip")
    assert config["labeler"]["members"]["across"]["labeler"]["tta"]["scales"] == [1.0]
    jobs = composed("run", "experiment=camvid", f"label.{place}=flip,none", sweep=True)
    views = [config["label"]["labeler"]["members"]["across"]["labeler"]["tta"]["flip"] for config, _ in jobs]
    assert views == [True, False]
    ((config, _),) = composed("label", "labeler=model", "tta@labeler.tta=flips_twice")  # Hydra's own words
    assert config["labeler"]["tta"]["scales"] == [1.0, 2.0]
    jobs = composed("label", "labeler=tags", "labeler.method=cam,layercam", "labeler.background=rest", sweep=True)
    assert [swept for _, swept in jobs] == [["labeler.method=cam"], ["labeler.method=layercam"]]
    assert [config["labeler"]["method"]["_target_"].rpartition(".")[2] for config, _ in jobs] == ["Cam", "LayerCam"]
    assert "exponent" in jobs[0][0]["labeler"]["background"]
    ((config, _),) = composed("label", "labeler=spots", "labeler.confidence=0.7")  # `confidence` is a group as well
    assert config["labeler"]["confidence"] == 0.7
