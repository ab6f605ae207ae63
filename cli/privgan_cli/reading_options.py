"""Options of the verbs that read a source, and how they are understood."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from privgan_cli.options import choice

if TYPE_CHECKING:
    from privgan.data.sources.wishes import Wishes

Source = Annotated[Path, typer.Argument(help="A folder of DICOM, NIfTI, PNG or JPEG files, a DICOMDIR, or an .npz.")]
Preset = Annotated[
    str | None,
    choice("picture, cxr, ct-lung, ct-soft, mr, photo, file-window, custom; else by modality if all files agree."),
]
Csv = Annotated[
    list[Path] | None,
    typer.Option(help="Table by patient, study, instance or file: labels, patients, columns. May be repeated."),
]
CsvColumns = Annotated[
    str,
    typer.Option(
        metavar="ROLE=NAME,...", help="What columns of the tables are: file=...,patient=...,label=...,study=..."
    ),
]
Columns = Annotated[
    str,
    typer.Option(
        metavar="NAME[:TYPE],...",
        help="Further columns, kept for the audit (sex,age:number) or for records: stage:ordinal(I<II<III<IV).",
    ),
]
Window = Annotated[
    str | None,
    choice("LOW,HIGH of the stored values, for --preset custom; or file: what each proposes.", metavar="LOW,HIGH"),
]
Colour = Annotated[bool, typer.Option("--colour", help="Keep red, green and blue; with no other preset it is photo.")]
Modality = Annotated[
    str, typer.Option(help="Only these DICOM modalities; all are called by the first. MG,ANY reads all as MG.")
]
BodyPart = Annotated[
    str, typer.Option(help="Only these body parts; all are called by the first. HAND,ANY reads all as HAND.")
]
View = Annotated[str, typer.Option(help="Only these view positions, such as PA,AP.")]
ImageType = Annotated[
    str, typer.Option(help="Only these image types, such as ORIGINAL; LOCALIZER or ADC reads what is else left out.")
]
Every = Annotated[int, typer.Option(help="Of a series only every n-th slice, of a file only every n-th frame.")]
Frames = Annotated[str, choice("Of a file of many frames: all, first, middle or A-B.", metavar="WHICH")]
Axis = Annotated[
    str,
    choice("Slices of a volume: axial, coronal, sagittal, or stored as they lie."),
]
Workers = Annotated[int | None, typer.Option(help="Processes that decode files; one a processor if left out.")]
EachImageIsAPatient = Annotated[
    bool,
    typer.Option("--each-image-is-a-patient", help="Nobody has two images, and nothing says whose each is. In red."),
]
AcceptBurnedIn = Annotated[
    bool, typer.Option("--accept-burned-in", help="Read kinds of images that may show text. In red in every report.")
]


def wishes_of(*, modality: str, body_part: str, view: str, image_type: str, **told: Any) -> "Wishes":
    """What the options of a verb ask for; all but four are called as a field of the wishes or of their selection."""
    from privgan.data.columns import Wanted
    from privgan.data.selection import Selection
    from privgan.data.sources.called import called_columns
    from privgan.data.sources.wishes import Wishes

    parsers: dict[str, Callable[[Any], Any]] = {
        "window": pair_of,
        "roi": box_of,
        "csv": lambda files: tuple(files or ()),
        "csv_columns": lambda text: tuple(called_columns(text).items()),
        "classes": names_of,
        "columns": Wanted.typed,
    }
    if told.get("window") == "file" and told.get("preset") in (None, "file-window"):
        told |= {"window": None, "preset": "file-window"}
    values = {name: parsers[name](value) if name in parsers else value for name, value in told.items()}
    selecting = {field.name: values.pop(field.name) for field in fields(Selection) if field.name in values}
    codes = {"modalities": modality, "body_parts": body_part, "views": view, "image_types": image_type}
    selecting |= {name: names_of(text.upper()) for name, text in codes.items()}
    selection = Selection(**selecting)
    return Wishes(selection=selection, **values)


def names_of(text: str) -> tuple[str, ...]:
    """Names separated by commas."""
    return tuple(name.strip() for name in text.split(",")) if text else ()


def pair_of(text: str | None) -> tuple[float, float] | None:
    """Two numbers separated by a comma."""
    numbers = _numbers(text, 2)
    return (numbers[0], numbers[1]) if numbers else None


def box_of(text: str | None) -> tuple[float, float, float, float] | None:
    """Four numbers separated by commas."""
    numbers = _numbers(text, 4)
    return (numbers[0], numbers[1], numbers[2], numbers[3]) if numbers else None


def _numbers(text: str | None, count: int) -> list[float]:
    if text is None:
        return []
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != count:
        raise typer.BadParameter(f"Expected {count} numbers separated by commas, got {text!r}.")
    return numbers
