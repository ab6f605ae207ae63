"""prior: what public images have in common, learned before any patient's image is looked at."""

from pathlib import Path
from typing import Annotated

import typer

from privgan.language import tr
from privgan_cli.console import console
from privgan_cli.line import following
from privgan_cli.options import Device, Force
from privgan_cli.reading_options import (
    Axis,
    BodyPart,
    Colour,
    Every,
    Frames,
    ImageType,
    Modality,
    Preset,
    View,
    Window,
    Workers,
    wishes_of,
)


def prior(
    public: Annotated[Path, typer.Argument(help="Public images: a folder or an .npz, as `prepare` reads them.")],
    folder: Annotated[Path, typer.Argument(metavar="PRIOR", help="The folder to make.")],
    source: Annotated[str, typer.Option(help="Whose images these are, in words; said wherever the result goes.")],
    licence: Annotated[str, typer.Option(help="Under which terms they may be used, in words.")],
    size: Annotated[int, typer.Option(help="Pixels a side: that of the cohort.")] = 64,
    read_as: Preset = None,
    window: Window = None,
    colour: Colour = False,
    modality: Modality = "",
    body_part: BodyPart = "",
    view: View = "",
    image_type: ImageType = "",
    every: Every = 1,
    frames: Frames = "all",
    axis: Axis = "axial",
    workers: Workers = None,
    minutes: Annotated[float | None, typer.Option(help="An end by the clock, if that comes first.")] = None,
    steps: Annotated[int, typer.Option(help="Steps of learning.")] = 8000,
    config: Annotated[Path | None, typer.Option(help="train.toml of the trainings to come.")] = None,
    device: Device = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted learning.")] = False,
    force: Force = False,
) -> int:
    """Learn from public images what is alike in all of their kind; no patient is involved."""
    from privgan.gan.finishing.settings import LearningSettings
    from privgan.gan.prior.request import PriorRequest
    from privgan.gan.training.settings import read_settings
    from privgan_cli import surface

    wishes = wishes_of(
        size=size,
        preset=read_as,
        window=window,
        colour=colour,
        modality=modality,
        body_part=body_part,
        view=view,
        image_type=image_type,
        every=every,
        frames=frames,
        axis=axis,
        workers=workers,
    )
    request = PriorRequest(
        source=source,
        licence=licence,
        settings=read_settings(config),
        learning=LearningSettings(steps=steps),
        minutes=minutes,
        device=device or "auto",
    )
    made = surface.prior(public, folder, request, wishes, force=force, resume=resume, progress=console.progress)
    console.result(
        {"images": made.images, "size": made.form.side, "steps": made.steps, "source": made.source},
        tr(
            "learned {steps} steps from {images} public images of {side} px",
            steps=made.steps,
            images=made.images,
            side=made.form.side,
        ),
        tr("look at {file}", file=folder / "contact.png"),
        then=following.after_prior(folder),
    )
    return 0
