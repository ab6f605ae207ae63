"""What is public about images, all of one cohort alike: one fact, handed on from the cohort to the last file."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from privgan.checks import positive
from privgan.errors import UsageError
from privgan.language import kept

if TYPE_CHECKING:
    from numpy.typing import NDArray  # a recipient reads manifests without it

_ANY = "OT"  # DICOM's word for all other modalities
# One kind of image under several words of DICOM.
_SAME = ({"CR", "DX", "RG"}, {"HEAD", "BRAIN", "SKULL"}, {"CHEST", "LUNG"})


@dataclass(frozen=True, kw_only=True)
class ImageForm:
    """Configuration, never computed from patients' images.

    side: pixels a side. channels: 1 for grey, 3 for red, green and blue. classes: names in the order of the labels.
    modality, body_part: DICOM code strings; empty where nothing is said. window: Hounsfield units of black and white;
    None where values have no unit. each_image_is_a_patient: nobody knew whose each image is, and each counts as one
    person's.
    """

    side: int
    channels: int = 1
    classes: tuple[str, ...] = ()
    modality: str = ""
    body_part: str = ""
    window: tuple[float, float] | None = None
    each_image_is_a_patient: bool = False

    def __post_init__(self) -> None:
        positive(side=self.side)
        if self.channels not in (1, 3):
            raise UsageError(f"Expected 1 channel (grey) or 3 (colour), got {self.channels}.")
        if self.window is not None and not -math.inf < self.window[0] < self.window[1] < math.inf:
            raise UsageError(f"Expected a window from a lower to a higher finite value, got {self.window}.")

    @classmethod
    def of(cls, images: "NDArray[Any]") -> Self:
        """What square images (n, h, h, c) show of it by themselves: side and channels."""
        return cls(side=images.shape[1], channels=images.shape[3])

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one stored image: (h, w), or (h, w, 3)."""
        return image_shape(self.side, self.channels)

    @property
    def colour(self) -> bool:
        """Whether images have red, green and blue."""
        return self.channels == 3

    @property
    def bare(self) -> "ImageForm":
        """What networks are built for: the same without words and units, which no array shows."""
        return ImageForm(side=self.side, channels=self.channels, classes=self.classes)

    @property
    def kind(self) -> tuple[str, str]:
        """The modality and the body part, empty where nobody says one: OT stands for any."""
        return "" if self.modality == _ANY else self.modality, self.body_part

    @property
    def called(self) -> str:
        """The kind in words, as far as it is said."""
        return " ".join(filter(None, self.kind))

    def contradicts(self, other: "ImageForm") -> bool:
        """Whether both say of which modality, or of which body part they are, and not the same.

        >>> head, chest = (ImageForm(side=64, modality="CT", body_part=part) for part in ("HEAD", "CHEST"))
        >>> head.contradicts(chest), head.contradicts(ImageForm(side=64, modality="CT"))
        (True, False)
        """
        pairs = zip(self.kind, other.kind, strict=True)
        return any(one and two and one != two and not any({one, two} <= same for same in _SAME) for one, two in pairs)

    def __str__(self) -> str:
        return kept("{side} x {side} pixels in colour" if self.colour else "{side} x {side} pixels", side=self.side)


def image_shape(side: int, channels: int) -> tuple[int, ...]:
    """Of one square image, grey or with red, green and blue last.

    >>> image_shape(64, 1), image_shape(64, 3)
    ((64, 64), (64, 64, 3))
    """
    return (side, side) if channels == 1 else (side, side, channels)
