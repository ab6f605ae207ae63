"""The page of an evaluation: one HTML file without script, internal because it shows patients."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from privgan.images.containers import png_bytes
from privgan.images.stored import as_stored
from privgan.language import retold, tag, tr
from privgan.languages.pages import page_environment, source_of
from privgan_audits.telling.numbers import listed, percent
from privgan_uses.teaching.examining.pictures import Shown

_POLICY = "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; style-src '{digest}'"
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
    style = files(__package__).joinpath("page.css").read_text("utf-8")
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            record=record,
            pictures=pictures,
            diagrams=[
                (tr("As they come out"), record["chances"]["as_they_are"]),
                (
                    tr("After this house's shares of classes were taken into account"),
                    record["chances"]["with_shares"],
                ),
            ],
            side=_SIDE,
            margin=_MARGIN,
            style=Markup(style),  # noqa: S704 our own file
            policy=_POLICY.format(digest=source_of(style)),
            language=tag(),
        )
    )


@cache
def _environment() -> Environment:
    environment = page_environment("privgan_uses.teaching.examining", ".")
    environment.globals.update(
        tr=tr, retold=retold, listed=listed, percent=percent, figure=figure, rate=rate, dots=dots, picture=picture
    )
    return environment


def figure(number: Mapping[str, float] | None) -> str:
    """A number with its interval.

    >>> figure({"value": 0.91234, "low": 0.88, "high": 0.94}), figure(None)
    ('0.912 (0.880 to 0.940)', 'not known')
    """
    if number is None:
        return tr("not known")
    value, low, high = (f"{number[name]:.3f}" for name in ("value", "low", "high"))
    return tr("{value} ({low} to {high})", value=value, low=low, high=high)


def rate(number: Mapping[str, float] | None) -> str:
    """A share with its interval, in per cent.

    >>> rate({"value": 0.91234, "low": 0.88, "high": 1.0})
    '91.2 % (88.0 to 100.0)'
    """
    if number is None:
        return tr("not known")
    value, low, high = (f"{100 * number[name]:.1f}" for name in ("value", "low", "high"))
    return tr("{value} % ({low} to {high})", value=value, low=low, high=high)


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
        if each["right"] is not None
    ]


def picture(pixels: Any) -> str:
    """Pixels uint8 (h, w, c) as a data address."""
    return "data:image/png;base64," + base64.b64encode(png_bytes(as_stored(pixels))).decode()
