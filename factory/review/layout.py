"""Pages from templates: self-contained, no network, equal values give equal bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2

from factory.review.charts import series
from factory.review.measures import percent

TEMPLATES = Path(__file__).parent


def render(template: str, **values: Any) -> bytes:
    """The page that one of the templates beside this file makes of the values; a missing one is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"rgb": _rgb, "percent": percent, "series": series}
    return environment.get_template(template).render(**values).encode()


def _rgb(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
