"""How the images of a cohort are prepared, in public words: a preset's window, a size, a crop, colour.

Windows come from the preset or the user, never from the data set: a minimum or percentile over patients would
leak outside the privacy accounting. `mr` scales each image by its own range, and `file-window` by the window that its
header proposes; both concern one patient only.
"""

from dataclasses import dataclass

import numpy as np

from privgan.checks import one_of, within
from privgan.errors import UsageError
from privgan.images.form import image_shape

SMALLEST, LARGEST = 28, 256
STORED_RANGE = "stored"  # the full range of the stored bits is the window
OWN_RANGE = "own"  # each image's low and high percentiles are its window
GIVEN = "given"  # low and high in units after rescale
FILES_OWN = "file"  # each file's own window or table, which concerns its patient only
PICTURE, PHOTO, FILE_WINDOW = "picture", "photo", "file-window"


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A named window, which says how values are scaled and not what an image shows.

    admits: DICOM modalities it may be applied to; excludes: those it may not; both empty: any. colour: whether
    images keep theirs: True, False, or None where the user says so.
    """

    name: str
    scaling: str
    window: tuple[float, float] = (0.0, 1.0)
    admits: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    colour: bool | None = False

    @property
    def modality(self) -> str:
        """The only one that it admits, which whoever names the preset has named, too; empty if there are others."""
        return self.admits[0] if len(self.admits) == 1 else ""

    def accepts(self, modality: str) -> bool:
        """Whether a DICOM modality may be read with this window."""
        return modality not in self.excludes and (not self.admits or modality in self.admits)


# Units that would be scaled wrongly; masks and doses, which are no pictures; whole slides, whose labels show names.
_NO_PICTURES = ("CT", "MR", "PT", "NM", "SEG", "RTDOSE", "SM")

PRESETS = {
    preset.name: preset
    for preset in (
        Preset(name=PICTURE, scaling=STORED_RANGE, excludes=_NO_PICTURES),
        # As pictures are; the name that whoever has chest X-rays looks for, and that nobody gets who did not type it.
        Preset(name="cxr", scaling=STORED_RANGE, excludes=_NO_PICTURES),
        Preset(
            name="ct-lung",
            scaling=GIVEN,
            window=(-1350.0, 150.0),
            admits=("CT",),
        ),
        Preset(
            name="ct-soft",
            scaling=GIVEN,
            window=(-160.0, 240.0),
            admits=("CT",),
        ),
        Preset(name="mr", scaling=OWN_RANGE, admits=("MR",)),
        Preset(
            name=PHOTO,
            scaling=STORED_RANGE,
            excludes=_NO_PICTURES,
            colour=True,
        ),
        Preset(name=FILE_WINDOW, scaling=FILES_OWN, excludes=("SEG", "RTDOSE", "SM")),
        Preset(name="custom", scaling=GIVEN, colour=None),
    )
}


def preset_for(modality: str) -> str:
    """The preset that is used when nobody names one: CT gives ct-soft, MR gives mr, all else picture."""
    return {"CT": "ct-soft", "MR": "mr"}.get(modality, PICTURE)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How every image of a cohort is prepared: public configuration.

    size: side of the square result, 28 to 256 pixels.
    window: (low, high) after rescale; only with preset `custom`, and then required.
    roi: (left, top, right, bottom) as fractions of width and height; None keeps the whole picture.
    colour: images keep red, green and blue, by a preset that can; `photo` always does.
    """

    preset: str = PICTURE
    size: int = 64
    window: tuple[float, float] | None = None
    roi: tuple[float, float, float, float] | None = None
    colour: bool = False

    def __post_init__(self) -> None:
        one_of(tuple(PRESETS), preset=self.preset)
        within(SMALLEST, LARGEST, size=self.size)
        if (self.preset == "custom") != (self.window is not None):
            raise UsageError("Expected a window with the preset custom, and with no other preset.")
        if self.colour and self.rule.colour is False:
            raise UsageError(f"Expected colour with the preset {PHOTO} or custom, got {self.preset}, which is grey.")
        if self.window is not None and not (np.isfinite(self.window).all() and self.window[0] < self.window[1]):
            raise UsageError(f"Expected a finite window with low < high, got {self.window}.")
        if self.roi is not None:
            left, top, right, bottom = self.roi
            if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
                raise UsageError(f"Expected roi left,top,right,bottom as fractions from 0 to 1, got {self.roi}.")

    @property
    def rule(self) -> Preset:
        """The preset's full description."""
        return PRESETS[self.preset]

    @property
    def limits(self) -> tuple[float, float]:
        """The window in force; (0, 1) stands for the whole range where the scaling is `stored` or `own`."""
        return self.window or self.rule.window

    @property
    def channels(self) -> int:
        """3 where images keep their colour, else 1."""
        return 3 if self.colour or self.rule.colour else 1

    @property
    def shape(self) -> tuple[int, ...]:
        """Of a prepared image."""
        return image_shape(self.size, self.channels)
