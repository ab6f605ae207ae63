"""augment: whether a released set helps a hospital that has few images of its own."""

from pathlib import Path
from typing import Annotated

import typer

from privgan.language import tr
from privgan_cli.console import console
from privgan_cli.options import Force


def augment(
    bundle: Annotated[Path, typer.Argument(help="A released bundle of another hospital.")],
    cohort: Annotated[Path, typer.Argument(help="Your own cohort; its held-back patients are examined on.")],
    report: Annotated[Path, typer.Argument(metavar="REPORT", help="The folder to make.")],
    public_key: Annotated[
        list[Path], typer.Option(help="The hospital's public key, got over another channel; of several, each one's.")
    ],
    patients: Annotated[
        list[int] | None,
        typer.Option(
            help="Patients of each class to learn from; may be given again. Else 5, 20 and 100, if there are so many."
        ),
    ] = None,
    repeats: Annotated[int, typer.Option(help="How often each lesson is learned, from other patients.")] = 6,
    steps: Annotated[int, typer.Option(help="Steps of learning from your own images as they are.")] = 100,
    force: Force = False,
) -> int:
    """Measure on your own held-back patients whether a released set helps beside your own images."""
    from privgan_cli.using import surface
    from privgan_uses.augmenting.design import AugmentDesign

    design = AugmentDesign(sizes=tuple(patients or ()), repeats=repeats, steps=steps)
    found = surface.augment(bundle, cohort, report, public_key, design, force=force, progress=console.progress)
    from privgan_uses.augmenting.augment import PAGE
    from privgan_uses.augmenting.page import answers

    told = {"report": str(report), **{name: found[name] for name in ("held_back", "repeats", "sizes")}}
    console.result(told, *answers(found, design.arms), tr("look at {file}", file=report / PAGE))
    return 0
