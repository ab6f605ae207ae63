"""One HTML file to learn stages from: move through them, see what changed, hide the name and test oneself.

It asks for nothing: images are in it, its one script is named by its digest, and without script every image is there
in a table. Nobody on it exists.
"""

import base64
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from jinja2 import Environment
from markupsafe import Markup

from privgan.arrays import Images
from privgan.checks import LONGEST_NAME
from privgan.errors import UsageError
from privgan.images.containers import png_bytes
from privgan.images.stored import are_images, as_stored
from privgan.language import tag, tr
from privgan.languages.pages import page_environment, source_of

PICTURE = "data:image/png;base64,"
_FRAME = ("default-src 'none'", "img-src data:", "base-uri 'none'", "form-action 'none'")


@dataclass(frozen=True, kw_only=True, eq=False)
class Lesson:
    """Invented patients, each once in every stage.

    images: uint8 (patients x stages, h, w, c), the stages of a patient one after the other. column: what the stages
    are of. stages: their names, in order. source: a sentence on where they come from, for the foot of the page.
    """

    images: Images
    column: str
    stages: tuple[str, ...]
    source: str

    def __post_init__(self) -> None:
        count = len(self.stages)
        if count < 2 or not are_images(self.images) or not len(self.images) or len(self.images) % count:
            raise UsageError("Expected at least one patient with an image of each of two stages or more.")
        if not all(0 < len(name) <= LONGEST_NAME for name in (self.column, *self.stages)):
            raise UsageError(f"Expected names of stages of 1 to {LONGEST_NAME} characters.")


def lesson_page(lesson: Lesson) -> str:
    """The page in the current language: the same bytes for the same lesson."""
    script, style = (files(__package__).joinpath(name).read_text("utf-8") for name in ("lesson.js", "lesson.css"))
    every, count = [_picture(image) for image in lesson.images], len(lesson.stages)
    pictures = [every[first : first + count] for first in range(0, len(every), count)]
    said = {
        "right": tr("Right: {stage}.", stage="{stage}"),
        "wrong": tr("This is {stage}.", stage="{stage}"),
        "score": tr("{right} of {asked} right so far.", right="{right}", asked="{asked}"),
        "described": tr(
            "Patient {patient}, {column} {stage}", patient="{patient}", column=lesson.column, stage="{stage}"
        ),
        "hidden": tr("An invented patient whose stage is hidden"),
    }
    policy = "; ".join((*_FRAME, f"script-src '{source_of(script)}'", f"style-src '{source_of(style)}'"))
    return (
        _environment()
        .get_template("lesson.html.j2")
        .render(
            lesson=lesson,
            pictures=pictures,
            said=Markup(json.dumps(said, ensure_ascii=True).replace("<", "\\u003c")),  # noqa: S704 no tag can end in it
            script=Markup(script),  # noqa: S704 our own file
            style=Markup(style),  # noqa: S704 our own file
            policy=policy,
            language=tag(),
        )
    )


@cache
def _environment() -> Environment:
    environment = page_environment("privgan.synthetic.lessons", ".")
    environment.globals["tr"] = tr
    return environment


def _picture(image: Images) -> str:
    return PICTURE + base64.b64encode(png_bytes(as_stored(image))).decode()
