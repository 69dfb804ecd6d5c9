"""The queue as a folder an annotator can start from, and one page that shows a stranger the whole run."""

from __future__ import annotations

from factory.core.artefact import Model, Report
from factory.core.dataset import Dataset, require_same_classes
from factory.core.errors import ConfigError
from factory.core.queue import Queue
from factory.core.writer import ReportWriter
from factory.review.queue import pack, queued_samples
from factory.review.report import Line, page


def run(
    *,
    queue: Queue,
    source: Dataset,
    rendered: Dataset | None,
    labelled: Dataset | None,
    audit: Report | None,
    adapted: Dataset | None,
    model: Model | None,
    evaluation: Report | None,
    calibration: Report | None,
    comparison: Report | None,
    out: ReportWriter,
    seed: int,
    title: str,
    examples: int,
) -> None:
    """Write `annotate/` and `index.html`; ``source`` holds the queue's images, everything else may be absent.

    ``examples`` pictures are shown of each stage; ``seed`` decides which.
    """
    if examples < 1:
        raise ConfigError("examples must be at least 1", got=examples)
    require_same_classes(source, queue)
    out.classes = source.classes
    line = Line(
        queue=queue,
        source=source,
        rendered=rendered,
        labelled=labelled,
        audit=audit,
        adapted=adapted,
        model=model,
        evaluation=evaluation,
        calibration=calibration,
        comparison=comparison,
    )
    html = page(line, title=title, seed=seed, examples=examples)  # what it cannot show is said before anything is made
    pack(queue, source, out, "annotate")
    out.write("index.html", html)
    images = len(queued_samples(queue, source))
    out.figures |= {"regions": len(queue.items), "images": images, "page_megabytes": round(len(html) / 1e6, 2)}
