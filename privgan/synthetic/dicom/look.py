"""What all DICOM files of one set have in common, and what a viewer will read about where they come from."""

from dataclasses import dataclass
from typing import Self

from privgan.errors import UsageError
from privgan.synthetic.dicom.form import SECONDARY_CAPTURE, DicomForm
from privgan.synthetic.dicom.kinds import FIELD_OF_VIEW_MM
from privgan.synthetic.dicom.values import Window
from privgan.synthetic.synthetic_set import Manifest

_PLAIN = DicomForm()


@dataclass(frozen=True, kw_only=True)
class DicomLook:
    """What all files of one synthetic set have in common.

    modality, body_part: the cohort's configured values (DICOM code strings; modality may be empty).
    created: the day of generation, YYYYMMDD; nothing finer is written.
    epsilon, delta: the run's claim, for the derivation text. not_private: no claim is written then.
    size: pixels a side. colour: three samples a pixel. form: kind, bits and frames. window: Hounsfield units of black
    and white, None where values have no unit.
    """

    modality: str
    body_part: str
    created: str
    epsilon: float
    delta: float
    not_private: bool
    size: int
    colour: bool = False
    form: DicomForm = _PLAIN
    window: Window | None = None

    def __post_init__(self) -> None:
        if self.colour and (self.form.kind, self.form.bits) != (SECONDARY_CAPTURE, 8):
            raise UsageError("Expected 8 bits and secondary-capture for colour images.")

    @classmethod
    def of(cls, manifest: Manifest) -> Self:
        """The look of the files of a set with this manifest."""
        return cls(
            modality=manifest.modality,
            body_part=manifest.body_part,
            created=manifest.created.replace("-", ""),
            epsilon=manifest.epsilon,
            delta=manifest.delta,
            not_private=manifest.not_private,
            size=manifest.image_size,
            colour=manifest.channels == 3,
            form=manifest.dicom,
            window=manifest.window,
        )

    @property
    def provenance(self) -> str:
        """How the image came to be, in one sentence."""
        if self.not_private:
            return "Synthetic image from a generator trained WITHOUT privacy (a test run)."
        return (
            "Synthetic image, not of a patient; generator trained under patient-level differential privacy "
            f"(epsilon {self.epsilon:.3g}, delta {self.delta:.3g}).{self._scale}"
        )

    @property
    def _scale(self) -> str:
        return " Geometry is nominal, not measured." if self.form.kind in FIELD_OF_VIEW_MM else ""
