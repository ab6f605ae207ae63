"""teach, evaluate: a classifier from released images alone, and what it is worth on patients."""

from pathlib import Path
from typing import Annotated

import typer

from privgan.language import retold, tr
from privgan_cli.console import console
from privgan_cli.line import following
from privgan_cli.options import Force, choice
from privgan_uses.telling import figure, rate


def teach(
    bundles: Annotated[
        list[Path], typer.Argument(metavar="BUNDLE", help="One released bundle or several of one form.")
    ],
    model: Annotated[Path, typer.Argument(help="The folder to make.")],
    public_key: Annotated[
        list[Path], typer.Option(help="The hospital's public key, got over another channel; of several, each one's.")
    ],
    column: Annotated[str, typer.Option(help="A declared column of records.csv to learn; else the class.")] = "",
    look: Annotated[int, typer.Option(help="Pixels a side that it looks at, at most.")] = 16,
    steps: Annotated[int, typer.Option(help="Steps of learning.")] = 750,
    minutes: Annotated[float | None, typer.Option(help="An end by the clock, if that comes first.")] = None,
    seed: Annotated[int, typer.Option(help="Of everything random: the same seed gives the same model.")] = 0,
    force: Force = False,
) -> int:
    """Learn the label from released images alone: a classifier with chances that can be believed, and its card."""
    from privgan_cli.using import surface
    from privgan_uses.teaching.settings import TeachSettings

    settings = TeachSettings(steps=steps, minutes=minutes, seed=seed, look=look, column=column)
    made = surface.teach(bundles, model, public_key, settings, force=force, progress=console.progress)
    console.result(
        {
            "classes": list(made.classes),
            "column": made.column,
            "images": made.images,
            "steps": made.steps,
            "temperature": made.temperature,
            "thresholds": dict(zip(made.classes, made.thresholds, strict=True)),
            "on_synthetic": made.on_synthetic,
            "epsilon": made.epsilon,
        },
        tr(
            "learned {count} classes from {images} synthetic images in {steps} steps; no privacy was spent",
            count=len(made.classes),
            images=f"{made.images['train']:,}",
            steps=made.steps,
        ),
        tr(
            "on {images} further synthetic images, not on patients: AUC {auc}",
            images=f"{made.images['test']:,}",
            auc=figure(made.on_synthetic["auc"]),
        ),
        tr("read {card}: what it may be used for, and its limits", card=model / "README.md"),
        then=following.command("evaluate", model, "COHORT", "EVALUATION"),
    )
    return 0


def evaluate(
    model: Annotated[Path, typer.Argument(help="A classifier that `teach` made.")],
    cohort: Annotated[Path, typer.Argument(help="A prepared cohort: real patients.")],
    report: Annotated[Path, typer.Argument(help="The folder to make; internal.")],
    on: Annotated[str | None, choice("held-back or all; left out, all whom the model cannot know.", "--on")] = None,
    force: Force = False,
) -> int:
    """Examine a classifier on real patients whom it cannot know; the page is internal."""
    from privgan_cli.using import surface

    found = surface.evaluate(model, cohort, report, on, force=force, progress=console.progress)
    console.result(
        {name: value for name, value in found.items() if name not in ("schema_version", "kind")},
        tr(
            "examined on {patients} real patients: AUC {auc}",
            patients=f"{found['patients']:,}",
            auc=figure(found["auc"]),
        ),
        *(
            tr(
                "{name}: sensitivity {sensitivity}, specificity {specificity}",
                name=each["name"],
                sensitivity=rate(each["sensitivity"]),
                specificity=rate(each["specificity"]),
            )
            for each in found["classes"]
        ),
        *(retold(note) for note in found["notes"]),
        tr("page: {page} (internal: it shows real patients)", page=report / "evaluation.html"),
    )
    return 0
