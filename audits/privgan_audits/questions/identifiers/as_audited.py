"""Are the files that would leave what was audited?

The tests look at the arrays of a set; what leaves are its DICOM files, its contact sheet and its table. Every
one of them is compared here with the arrays, so that no other image and no other label can leave beside them.
"""

import io
import zipfile
from collections import Counter
from dataclasses import replace
from functools import lru_cache

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset, FileDataset

from privgan.synthetic import synthetic_set as layout
from privgan.synthetic.contact_sheet import contact_sheet
from privgan.synthetic.dicom.form import files_of
from privgan.synthetic.dicom.look import DicomLook
from privgan.synthetic.dicom.modules import template
from privgan.synthetic.dicom.values import pixel_bytes
from privgan.synthetic.dicom.writer import patient_name
from privgan.synthetic.labels_table import label_rows, labels_csv
from privgan.synthetic.synthetic_set import Manifest
from privgan_audits.evidence.interface import Sample

_IMAGE_GROUP = 0x0028  # how pixels are to be read and shown
_PIXELS = 0x7FE00010
_PIXEL_TAG = b"\xe0\x7f\x10\x00"
_ARRAYS = ("images.npy", "labels.npy", "classes.npy")
_OTHERS = (layout.CARD, layout.MARKER, layout.NOT_RELEASED)


class AsAudited:
    """Compares one file after another with what was audited.

    dicom_files: how many were compared.
    differences: how many files differ, by what: `pixels`, `label` or `patient` of a DICOM file; `missing_files`
        and `extra_files`; `arrays`, `contact_sheet` or `labels_table`. Empty when all is as audited.
    """

    def __init__(self, manifest: Manifest, audited: Sample) -> None:
        self._audited = audited
        self._manifest = manifest
        self._files = files_of(audited.labels, manifest.dicom.frames)
        self._numbers = {layout.file_name(number): number for number in range(1, len(self._files) + 1)}
        self._look = DicomLook.of(replace(manifest, form=replace(manifest.form, side=audited.images.shape[1])))
        self._found: Counter[str] = Counter()
        self.dicom_files = 0
        self._table: bytes | None = None

    def see(self, name: str, content: bytes, dataset: FileDataset | None) -> None:
        """Compare one file.

        Args:
            name: its path below the set.
            content: all of it.
            dataset: of a DICOM file that could be parsed.
        """
        if name in self._numbers:
            self.dicom_files += 1
            self._see_dicom(self._numbers[name], content, dataset)
        elif name == layout.LABELS:
            self._table = content
        elif name == layout.IMAGES:
            self._found["arrays"] += not self._same_arrays(content)
        elif name == layout.CONTACT_SHEET:
            self._found["contact_sheet"] += not self._same_sheet(content)
        elif name not in _OTHERS:
            self._found["extra_files"] += 1

    def differences(self) -> dict[str, int]:
        """What was found over all files; call it once all were seen."""
        found = Counter(self._found)
        if self.dicom_files:
            found["missing_files"] += len(self._numbers) - self.dicom_files
        found["labels_table"] += self._table != self._expected_table()
        return {name: count for name, count in sorted(found.items()) if count}

    def _expected_table(self) -> bytes:
        manifest, files = self._manifest, self._files if self.dicom_files else None
        rows = label_rows(manifest.run_id, manifest.form.classes, self._audited.labels, files)
        return labels_csv(rows).encode()

    def _see_dicom(self, number: int, content: bytes, dataset: FileDataset | None) -> None:
        if dataset is None:
            self._found["pixels"] += 1
            return
        label = self._manifest.form.classes[self._audited.labels[self._files[number - 1].start]]
        patient = (patient_name(number), layout.patient_id(self._manifest.run_id, number))
        named = (str(dataset.get("PatientName", "")), str(dataset.get("PatientID", "")))
        self._found["pixels"] += not self._same_pixels(number, content, dataset)
        self._found["label"] += str(dataset.get("ImageComments") or "") != label.rstrip(" ")
        self._found["patient"] += named != patient

    def _same_pixels(self, number: int, content: bytes, dataset: FileDataset) -> bool:
        """Uncompressed, to be read and shown as written, once in the file, and at its very end."""
        file = self._files[number - 1]
        if _PIXELS not in dataset or _image_group(dataset) != _expected_group(self._look, len(file)):
            return False
        start = dataset[_PIXELS].file_tell or 0
        images = self._audited.images[file.start : file.stop]
        expected = pixel_bytes(images, self._look.dicom, self._look.form.window)
        return content[start:] == expected and content.count(_PIXEL_TAG, 0, start) == 1

    def _same_arrays(self, content: bytes) -> bool:
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                names = sorted(archive.namelist())
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                return (
                    names == sorted(_ARRAYS)
                    and np.array_equal(arrays["images"], self._audited.images)
                    and np.array_equal(arrays["labels"], self._audited.labels)
                    and tuple(map(str, arrays["classes"])) == self._manifest.form.classes
                )
        except Exception:  # noqa: BLE001 a damaged archive may raise anything; it is not what was audited
            return False

    def _same_sheet(self, content: bytes) -> bool:
        expected = contact_sheet(self._audited.images, self._audited.labels, self._manifest.form.classes)
        try:
            with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
                mode = "L" if expected.ndim == 2 else "RGB"
                alike = image.mode == mode and image.size == expected.shape[1::-1]
                alone = getattr(image, "n_frames", 1) == 1
                return alike and alone and np.array_equal(np.asarray(image), expected)
        except Exception:  # noqa: BLE001 a damaged picture may raise anything; it is not what was audited
            return False


@lru_cache(maxsize=64)
def _expected_group(look: DicomLook, frames: int) -> dict[int, str]:
    return _image_group(template(look, frames=frames))


def _image_group(dataset: Dataset) -> dict[int, str]:
    """Group 0028 and the encoding of the pixels, as text."""
    look = {int(element.tag): str(element.value) for element in dataset.group_dataset(_IMAGE_GROUP)}
    return {0: str(dataset.file_meta.get("TransferSyntaxUID", "")), **look}
