"""What all DICOM files of one set have in common, and what a viewer will read about where they come from."""

from dataclasses import dataclass
from typing import Self

from privgan.dp.spend import PrivacySpend
from privgan.errors import UsageError
from privgan.images.form import ImageForm
from privgan.synthetic.dicom.form import SECONDARY_CAPTURE, DicomForm
from privgan.synthetic.dicom.kinds import FIELD_OF_VIEW_MM
from privgan.synthetic.synthetic_set import Manifest

_PLAIN = DicomForm()


@dataclass(frozen=True, kw_only=True)
class DicomLook:
    """What all files of one synthetic set have in common.

    form: of the images. dicom: of the files around them. created: the day of generation, YYYYMMDD; nothing finer is
    written. spend: the run's claim, for the derivation text. not_private: no claim is written then. seed_sha256: of
    the set's seed, from which UIDs follow.
    """

    form: ImageForm
    dicom: DicomForm = _PLAIN
    created: str
    spend: PrivacySpend
    not_private: bool
    seed_sha256: str

    def __post_init__(self) -> None:
        if self.form.colour and (self.dicom.kind, self.dicom.bits) != (SECONDARY_CAPTURE, 8):
            raise UsageError("Expected 8 bits and secondary-capture for colour images.")

    @classmethod
    def of(cls, manifest: Manifest) -> Self:
        """The look of the files of a set with this manifest."""
        return cls(
            form=manifest.form,
            dicom=manifest.dicom,
            created=manifest.created.replace("-", ""),
            spend=manifest.spend,
            not_private=manifest.not_private,
            seed_sha256=manifest.seed_sha256,
        )

    @property
    def provenance(self) -> str:
        """How the image came to be, in one sentence."""
        if self.not_private:
            return "Synthetic image from a generator trained WITHOUT privacy (a test run)."
        return (
            "Synthetic image, not of a patient; generator trained under patient-level differential privacy "
            f"(epsilon {self.spend.epsilon:.3g}, delta {self.spend.delta:.3g}).{self._scale}"
        )

    @property
    def _scale(self) -> str:
        return " Geometry is nominal, not measured." if self.dicom.kind in FIELD_OF_VIEW_MM else ""
