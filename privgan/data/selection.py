"""Which images of a source are read, by what their headers say: public configuration, never a patient's value.

>>> Selection(frames="middle").frame_numbers(9)
range(4, 5)
>>> list(Selection(every=3).frame_numbers(8))
[0, 3, 6]
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from privgan.checks import one_of
from privgan.data.terms import require_modality
from privgan.errors import UsageError

ALL, FIRST, MIDDLE = "all", "first", "middle"
ANY = "ANY"  # among modalities or body parts: every file, whatever it says
STORED = "stored"
AXES = ("axial", "coronal", "sagittal", STORED)
_SPAN = re.compile(r"([1-9]\d{0,5})-([1-9]\d{0,5})")
_CODE = re.compile(r"[A-Z0-9 _]{1,16}")


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What is read of what could be read; the default is everything.

    modalities, body_parts, views, image_types: DICOM code strings in capitals, of which a file must carry one; empty:
    any. Of modalities and body parts the first is what all that are read are called (see `naming`), and ANY reads
    every file. Image types that are named are read also where they are left out by default, as localizers and maps
    are.
    every: of the slices of a series, only number 1, 1 + every, ... by Instance Number; of the frames of one file,
    in the order in which they are stored. frames: "all", "first", "middle" or "A-B" (from 1, both included) of a file
    of many frames, which the slices of a volume are, too. axis: which slices those are, by the patient's axes, or
    "stored": as they lie in the file, whatever it says of them.
    accept_burned_in: read kinds of images that may show names. trusted: the files were made by a generator; the rules
    that protect patients (burned-in text, modality, patient number) do not apply.
    """

    modalities: tuple[str, ...] = ()
    body_parts: tuple[str, ...] = ()
    views: tuple[str, ...] = ()
    image_types: tuple[str, ...] = ()
    every: int = 1
    frames: str = ALL
    axis: str = AXES[0]
    accept_burned_in: bool = False
    trusted: bool = False

    def __post_init__(self) -> None:
        for name in ("modalities", "body_parts", "views", "image_types"):
            if not all(_CODE.fullmatch(code) for code in getattr(self, name)):
                raise UsageError(f"Expected {name} as DICOM code strings: capitals, digits and _, at most 16.")
        if self.modalities and self.modalities[0] != ANY and not self.trusted:
            require_modality(self.modalities[0])
        one_of(AXES, axis=self.axis)
        if self.every < 1:
            raise UsageError(f"Expected every at least 1, got {self.every}.")
        if self.frames not in (ALL, FIRST, MIDDLE) and self._span() is None:
            raise UsageError(f"Expected frames as all, first, middle or A-B with A <= B, got {self.frames!r}.")

    def wants(self, *, modality: str, body_part: str, view: str, image_types: Sequence[str]) -> bool:
        """Whether a file with these code strings is wanted."""
        said = (
            (self.modalities, (modality,)),
            (self.body_parts, (body_part,)),
            (self.views, (view,)),
            (self.image_types, image_types),
        )
        return all(not wanted or ANY in wanted or set(wanted) & set(found) for wanted, found in said)

    def wants_slice(self, number: int) -> bool:
        """Whether a slice with this Instance Number is wanted."""
        return (number - 1) % self.every == 0

    def frame_numbers(self, count: int) -> range:
        """Positions, from 0, of the wanted frames of a file that has `count`."""
        match self.frames:
            case "all":
                chosen = range(count)
            case "first":
                chosen = range(min(count, 1))
            case "middle":
                chosen = range(count // 2, min(count, count // 2 + 1))
            case _:
                first, last = self._span() or (1, count)
                chosen = range(first - 1, min(last, count))
        return chosen[:: self.every]

    def _span(self) -> tuple[int, int] | None:
        match = _SPAN.fullmatch(self.frames)
        if match is None or int(match[1]) > int(match[2]):
            return None
        return int(match[1]), int(match[2])


EVERYTHING = Selection()
