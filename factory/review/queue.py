"""The queue as a folder an annotator can start from.

Made for CVAT and for LabelMe (`factory.exchange`): `factory merge` reads what either gives back.
"""

from __future__ import annotations

import csv
import io
from pathlib import PurePosixPath

import numpy as np
import numpy.typing as npt

from factory.core import masks
from factory.core.dataset import Dataset
from factory.core.errors import ArtefactError
from factory.core.queue import Queue
from factory.core.sample import Sample
from factory.core.words import many
from factory.core.writer import Writer
from factory.exchange import cvat, labelme
from factory.measure.cost import TAKEN
from factory.review import pictures

README = """\
{regions} in {images}, the most urgent first.

  annotations.xml   the model's proposal: every connected part of a class is a mask of its own
  labels.json       the class list; labels.txt for LabelMe
  images/           what to upload
  labelme/          the same proposal as LabelMe's files
  overlays/         the same images with the regions outlined and numbered by rank
  queue.csv         every region: rank, image, box, class and what else it may be, what it takes, and why it is asked

Correct them in CVAT
  1. Create a task. Under Labels choose Raw and paste the content of labels.json. Upload the files in images/.
  2. Open the task, then Actions > Upload annotations > CVAT 1.1, and choose annotations.xml.
  3. Go from image to image: they are in order, the most urgent first. Look at all numbered regions of its overlay in
     overlays/, and make their masks right. Paint with "remove underlying pixels" switched on, so that a pixel has one
     class. Where two masks overlap, the upper one counts, and everything lies above {ground}.
     Erasing a mask says nothing about its pixels: paint the right class there instead.
     You need not finish: a region that comes back exactly as proposed counts as not looked at. If you looked at all
     regions of every image in which you changed anything, say so with rules.unchanged=image below, and those you found
     right count as well; if you looked at all there are, with rules.unchanged=confirm.
  4. Actions > Export task dataset > CVAT for images 1.1.

Or in LabelMe
  In a copy of this folder: labelme images --output labelme --labels labels.txt --nodata
  Draw outlines over what is wrong: what is drawn later counts. A mask that is deleted says nothing about its pixels.
  Save what you changed. The folder labelme/ goes back in place of the ZIP.

If you note the seconds that regions took you, in the column "taken" of queue.csv, the next queue knows what your time
buys: factory select inputs.log=<queue.csv> …, or put it beside the corrections of a factory loop as times.csv.

Bring the corrections back
  factory merge inputs.source=<data set> inputs.queue=<queue> inputs.corrections=<that ZIP> out=<new data set>

  Your pixels replace every guess inside the numbered regions, and wherever else you changed the proposal.
  Any other tool will do as well: save one PNG an image, named like it, in class ids or in the colours of labels.json,
  255 or transparent where you say nothing, and give their folder in place of the ZIP.
"""


def pack(queue: Queue, source: Dataset, out: Writer, folder: str) -> None:
    """Write the folder. Images stand in the order of their most urgent region."""
    samples = queued_samples(queue, source)
    for codec, place in ((cvat.Cvat(), folder), (labelme.LabelMe(images="../images/"), f"{folder}/labelme")):
        proposals = ((image_name(sample), queue.map("proposals", sample.id)) for sample in samples)
        for name, data in codec.write(proposals, source.classes):
            out.write(f"{place}/{name}", data)
    for sample in samples:
        out.link(source.path(sample.image), f"{folder}/images/{image_name(sample)}")
        out.write(f"{folder}/overlays/{sample.id}.png", masks.encode_png(overlay(queue, source, sample)))
    out.write(f"{folder}/labels.json", cvat.label_constructor(source.classes))
    out.write(f"{folder}/labels.txt", "".join(f"{name}\n" for name in source.classes.names).encode())
    out.write(f"{folder}/queue.csv", _table(queue, source))
    about = {"regions": many(len(queue.items), "region"), "images": many(len(samples), "image")}
    out.write(f"{folder}/README.txt", README.format(**about, ground=source.classes.names[0]).encode())


def queued_samples(queue: Queue, source: Dataset) -> list[Sample]:
    """The samples with queued regions, most urgent first; `ArtefactError` for an id the data set lacks."""
    there = {sample.id: sample for sample in source.samples}
    wanted = list(dict.fromkeys(item.sample_id for item in queue.items))
    if absent := [sample_id for sample_id in wanted if sample_id not in there]:
        todo = "give the data set the queue was selected on"
        raise ArtefactError(
            "the queue asks for images the data set lacks", where=source.root, got=absent[:5], todo=todo
        )
    return [there[sample_id] for sample_id in wanted]


def overlay(queue: Queue, source: Dataset, sample: Sample) -> npt.NDArray[np.uint8]:
    """The image with the proposal, its regions outlined and numbered by rank; small images are enlarged."""
    factor = max(1, -(-640 // max(sample.width, sample.height)))
    proposal_hw, regions_hw = (_enlarged(queue.map(name, sample.id), factor) for name in ("proposals", "regions"))
    image = pictures.enlarged(source.image(sample), factor, smooth=True)
    laid = masks.overlay(image, proposal_hw.astype(np.uint8), source.classes, opacity=0.35)
    mine = [item for item in queue.items if item.sample_id == sample.id]
    places = [(str(item.rank), pictures.middle(regions_hw == item.region)) for item in mine]
    shorter, longer = sorted(laid.shape[:2])
    outlined = pictures.outlined(laid, regions_hw, width=longer // 320)
    return pictures.numbered(outlined, places, size=max(20, min(longer // 32, shorter // 8)))


def image_name(sample: Sample) -> str:
    """The name an image is handed out under: its id, and its file's ending."""
    return f"{sample.id}{PurePosixPath(sample.image).suffix}"


def _enlarged(map_hw: npt.NDArray[np.integer], factor: int) -> npt.NDArray[np.integer]:
    return map_hw.repeat(factor, axis=0).repeat(factor, axis=1)


def _table(queue: Queue, source: Dataset) -> bytes:
    """Every region as CSV, with the byte order mark by which Excel tells UTF-8."""
    names = {sample.id: image_name(sample) for sample in source.samples}
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    place, work = ["rank", "image", "region", "x0", "y0", "x1", "y1", "pixels"], ["border", "clicks", "seconds", TAKEN]
    table.writerow([*place, "class", "alternatives", *work, "score", "reason"])
    for item in queue.items:
        others = "; ".join(f"{source.classes.names[class_id]} {share:.0%}" for class_id, share in item.alternatives)
        row = [item.rank, names[item.sample_id], item.region, *item.box, item.pixels]
        row += [source.classes.names[item.class_id], others, item.border, item.clicks, item.seconds, ""]
        table.writerow([*row, f"{item.score:.6g}", item.reason])
    return text.getvalue().encode("utf-8-sig")
