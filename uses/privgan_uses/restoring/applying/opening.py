"""A source opened as a restorer knows images, and refused where it does not know such images.

A network that meets another modality, size, colour or range still draws something, and it looks like what it has
learned. So whatever can be told from the files is asked before anything is restored.
"""

from pathlib import Path

from privgan.data.recipe import PICTURE, PRESETS, SMALLEST, preset_for
from privgan.data.selection import Selection
from privgan.data.sources.file_list import FileList
from privgan.data.sources.file_source import FileSource
from privgan.data.sources.opening import OTHER_MODALITY, open_source
from privgan.data.sources.source import Entry, Source
from privgan.data.sources.wishes import Wishes
from privgan.errors import InputRejectedError, UsageError
from privgan.images.form import ImageForm
from privgan_uses.restoring.damage import Coarse, Damage

_OF_ITS_PRESET = "custom"


def wishes_for(form: ImageForm, side: int, *, preset: str | None = None, leaves: bool = False) -> Wishes:
    """How images of a form are read: of so many pixels a side, by the window of the form or the usual preset.

    preset: where the user knows which one the cohort was prepared with. leaves: what is learned of these images
    travels; where it does not, text in the pixels is no reason to refuse.

    Raises:
        UsageError: the preset has another window than the form, so that grey levels would mean something else.
    """
    if preset is not None and PRESETS[preset].window != form.window:
        raise UsageError(
            "Expected the preset that the set's cohort was prepared with, this one has another window than the model "
            "knows: the same tissue would have other grey levels. Leave --read-as out."
        )
    named = next((name for name, each in PRESETS.items() if each.window == form.window), _OF_ITS_PRESET)
    chosen, window = preset, None
    if chosen is None and form.window is not None:
        chosen, window = named, form.window if named == _OF_ITS_PRESET else None
    if chosen is None:
        chosen = "photo" if form.colour else PICTURE if form.modality == "CT" else preset_for(form.modality)
    return Wishes(
        size=side,
        preset=chosen,
        window=window,
        colour=form.colour,
        selection=Selection(accept_burned_in=not leaves),
    )


def shown_side(form: ImageForm, damage: Damage) -> int:
    """Pixels a side of what a restorer is shown: small images of one that enlarges."""
    return form.side // damage.factor if isinstance(damage, Coarse) else form.side


def require_readable(form: ImageForm, damage: Damage) -> None:
    """Refuse a restorer of images so small that nothing here reads them.

    Raises:
        UsageError: they would be.
    """
    if (side := shown_side(form, damage)) < SMALLEST:
        raise UsageError(
            f"Expected images of at least {SMALLEST} pixels a side to restore from, a set of {form} gives {side}. "
            "Use a smaller --factor."
        )


def open_images(path: Path, form: ImageForm, damage: Damage, *, preset: str | None = None) -> Source:
    """A folder, a single file, or an .npz, to be read as the restorer knows images.

    Raises:
        UsageError: the path is missing, or a folder of privgan's own.
        InputRejectedError: it is no source, or one of volumes.
    """
    wishes = wishes_for(form, shown_side(form, damage), preset=preset)
    if path.is_file() and path.suffix.lower() != ".npz" and not path.name.upper().startswith("DICOMDIR"):
        return _single_images(FileSource(path.parent, FileList(path.parent, [path.name]), wishes))
    return _single_images(open_source(path, wishes))


def _single_images(source: Source) -> Source:
    if isinstance(source, FileSource) and source.has_units and not source.names_patients:
        raise InputRejectedError(
            "Expected DICOM files, pictures or an .npz, the source has NIfTI volumes: restored slice by slice they "
            "would no longer be volumes."
        )
    return source


def require_known(entry: Entry, form: ImageForm, side: int, *, resize: bool) -> None:
    """Refuse an image of another kind than the restorer knows.

    Raises:
        InputRejectedError: of another modality, body part, colour or size.
    """
    modality, part = entry.said
    if entry.code == OTHER_MODALITY or (modality and modality != form.modality):
        known = form.modality or "-"
        raise InputRejectedError(
            f"Expected images of the modality that the model knows ({known}), the source has another. A network "
            "shows what it has learned, whatever it is shown."
        )
    if part and form.body_part and part != form.body_part:
        raise InputRejectedError(
            f"Expected images of {form.body_part}, which the model knows, the source has others."
        )
    if {"colour", "grey"} & set(entry.remarks):
        raise InputRejectedError(
            "Expected images in colour, as the model knows them, the source has grey ones."
            if form.colour
            else "Expected grey images, as the model knows them, the source has colour."
        )
    if entry.side != side and not entry.code and not resize:
        raise InputRejectedError(
            f"Expected images of {side} pixels a side, as the model knows them, the source has others. What is noise "
            "or detail depends on the size of a pixel: a larger image cannot be restored piece by piece. --resize "
            "brings images to that size first, as `prepare` does."
        )
