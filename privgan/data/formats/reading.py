"""What every reader is asked, and what it gives back."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from privgan.data.recipe import Recipe
from privgan.data.selection import EVERYTHING, Selection

PRESENTATION = "presentation"  # a remark: a header contradicts itself about what is bright
MAX_RESULT_BYTES = 128 << 20  # of prepared images of one file, in memory at once


@dataclass(frozen=True, kw_only=True)
class Request:
    """How the files of one source are to be read.

    kind: the name of the format's module, see `known.FORMATS`. recipe: how images are prepared. selection: what of
    the files is read. patient_from_table: a label table says who the patient is; a file need not.
    probing: only what the header says is wanted. columns: further ones that the file itself must tell.
    look_at_one_in: of how many files one is looked at for text in its pixels.
    """

    kind: str
    recipe: Recipe
    selection: Selection = EVERYTHING
    patient_from_table: bool = False
    probing: bool = False
    columns: tuple[str, ...] = ()
    look_at_one_in: int = 1

    @property
    def may_be_blank(self) -> bool:
        """Whether images that show nothing are kept: those of a generator, and where only the header is asked for."""
        return self.probing or self.selection.trusted


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What one file gave: images (code is empty) or a refusal; sensitive, so its repr shows the code only.

    images: uint8 (k, *shape) of the recipe, one for each frame that was wanted. patient, study, series, instance:
    keys, empty when unknown. person: what one person has one of, such as a birth date; empty texts when unknown.
    modality, side: for choosing a preset and a size. body_part: as it says itself. identifiers: (category, value)
    pairs found in the header. colour: it had some, kept or not. deep: its grey values had 16 bits, and the whole
    stored range became 8. blank: how many more images showed nothing. remarks: what else the notes count. unstated:
    it says neither what it shows nor in what unit. frames: of a file of many the number of each image's frame, from
    1; empty of others. columns: what it tells of those that were asked for, empty texts where it tells nothing.
    """

    code: str = ""
    images: NDArray[np.uint8] | None = None
    patient: str = ""
    study: str = ""
    series: str = ""
    instance: str = ""
    modality: str = ""
    body_part: str = ""
    side: int = 0
    colour: bool = False
    deep: bool = False
    blank: int = 0
    remarks: tuple[str, ...] = ()
    unstated: bool = False
    frames: tuple[int, ...] = ()
    columns: tuple[str, ...] = ()
    person: tuple[str, ...] = ()
    identifiers: tuple[tuple[str, str], ...] = field(default=())

    def __repr__(self) -> str:
        return f"Reading({self.code or 'images'})"
