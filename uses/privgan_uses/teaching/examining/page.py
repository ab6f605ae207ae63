"""The page of an evaluation: one HTML file without script, internal because it shows patients."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from privgan.arrays import Images
from privgan.images.stored import as_stored
from privgan.language import retold, tag, tr
from privgan.languages.pages import page_environment
from privgan_audits.report.pictures import data_uri
from privgan_audits.report.write import style_of
from privgan_audits.telling.numbers import percent
from privgan_uses.teaching.examining.pictures import Shown
from privgan_uses.telling import figure, rate

_SIDE, _MARGIN = 240, 34  # of the diagram, in its own units


@dataclass(frozen=True, kw_only=True)
class Dot:
    """A bin in the reliability diagram. x, y, low, high: in the diagram's units, from its upper left corner."""

    x: float
    y: float
    low: float
    high: float


def evaluation_page(record: Mapping[str, Any], pictures: Sequence[Shown]) -> str:
    """The page in the current language: the same bytes for the same record and pictures."""
    environment = page_environment("privgan_uses.teaching.examining", ".", over="privgan_audits.report")
    environment.globals.update(
        tr=tr, retold=retold, percent=percent, figure=figure, rate=rate, dots=dots, picture=picture
    )
    return environment.get_template("page.html.j2").render(
        record=record,
        pictures=pictures,
        diagrams=[
            (tr("As they come out"), record["chances"]["as_they_are"]),
            (tr("After this house's shares of classes were taken into account"), record["chances"]["with_shares"]),
        ],
        side=_SIDE,
        margin=_MARGIN,
        style=style_of(environment),
        language=tag(),
    )


def dots(bins: Sequence[Mapping[str, Any]]) -> list[Dot]:
    """Where the bins of a diagram stand."""
    return [
        Dot(
            x=_SIDE * each["said"],
            y=_SIDE * (1 - each["right"]["value"]),
            low=_SIDE * (1 - each["right"]["low"]),
            high=_SIDE * (1 - each["right"]["high"]),
        )
        for each in bins
    ]


def picture(pixels: Images) -> str:
    """Pixels uint8 (h, w, c) as a data address."""
    return data_uri(as_stored(pixels))
