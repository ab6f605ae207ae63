"""Are the files that would leave what was audited?

The tests look at the arrays of a set; what leaves are its files. Each of them is written again here from the arrays
and the manifest, and has to be that to the byte, so that nothing else can leave in it, behind it or beside it.
"""

import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from pydicom import dcmread
from pydicom.dataset import Dataset, FileDataset

from privgan.errors import UsageError
from privgan.files import readable_json
from privgan.images.containers import Piece
from privgan.images.stored import as_stored
from privgan.synthetic import synthetic_set as layout
from privgan.synthetic.set_files import SetFiles, formats_of
from privgan.synthetic.synthetic_set import Manifest
from privgan_audits.evidence.interface import Sample

_KINDS = {
    layout.IMAGES: "arrays",
    layout.CONTACT_SHEET: "contact_sheet",
    layout.LABELS: "labels_table",
    layout.RECORDS: "records",
    layout.DICTIONARY: "data_dictionary",
    layout.LESSON: "lesson",
    layout.CARD: "card",
    layout.MARKER: "manifest",
}
_IMAGE_GROUP = 0x0028  # how pixels are to be read and shown
_PIXELS = 0x7FE00010
_PIXEL_TAG = b"\xe0\x7f\x10\x00"


class AsAudited:
    """Compares one file after another with what privgan writes of what was audited.

    dicom_files: how many were compared.
    differences: how many files differ, by what: `pixels`, `label`, `patient` or any other `header` of a DICOM file;
        `arrays`, `contact_sheet`, `labels_table`, `records`, `data_dictionary`, `lesson`, `card` or `manifest`;
        `missing_files` and `extra_files`. Empty when all is as audited.
    """

    def __init__(self, manifest: Manifest, listed: Mapping[str, str], audited: Sample) -> None:
        """Nothing is compared yet.

        Args:
            manifest: of the set.
            listed: the digests that the manifest lists, by name.
            audited: the images and labels that all tests saw.
        """
        self._files = SetFiles(
            manifest, as_stored(audited.images), audited.labels, formats_of(listed), audited.records
        )
        self._manifest = readable_json(manifest.to_json(dict(listed)))
        self._missing = {*self._files.names, layout.MARKER}
        self._found: Counter[str] = Counter()
        self.dicom_files = 0

    def see(self, name: str, content: bytes, dataset: FileDataset | None) -> None:
        """Compare one file.

        Args:
            name: its path below the set.
            content: all of it.
            dataset: of a DICOM file that could be parsed.
        """
        if name in layout.STAY_BEHIND:
            return
        if name not in self._missing:
            self._found["extra_files"] += 1
            return
        self._missing.remove(name)
        is_dicom = name not in _KINDS
        self.dicom_files += is_dicom
        if not is_dicom:
            pieces = [self._manifest] if name == layout.MARKER else self._files.pieces(name)
            self._found[_KINDS[name]] += not _same(content, pieces)
        elif (expected := self._dicom(name)) != content:
            self._found.update(_unlike(content, dataset, expected))

    def differences(self) -> dict[str, int]:
        """What was found over all files; call it once all were seen."""
        found = {**self._found, "missing_files": len(self._missing)}
        return {name: count for name, count in sorted(found.items()) if count}

    def _dicom(self, name: str) -> bytes:
        """Empty where the manifest has words that privgan would not write."""
        try:
            return b"".join(self._files.pieces(name))
        except (UsageError, ValueError):
            return b""


def _same(content: bytes, pieces: Iterable[Piece]) -> bool:
    """Whether the pieces, one after another, are the content."""
    rest = memoryview(content)
    for piece in pieces:
        if rest[: len(piece)] != piece:
            return False
        rest = rest[len(piece) :]
    return not rest


def _unlike(content: bytes, found: FileDataset | None, written: bytes) -> set[str]:
    """What of a DICOM file differs from the one that privgan writes; at least one thing does."""
    if not written:
        return {"header"}
    expected = dcmread(io.BytesIO(written))
    if found is None or _PIXELS not in found or _image_group(found) != _image_group(expected):
        return {"pixels"}
    kinds = set(_named(found, expected))
    start, length = found[_PIXELS].file_tell or 0, len(expected[_PIXELS].value)
    if content[start:] != written[-length:] or content.count(_PIXEL_TAG, 0, start) != 1:
        kinds.add("pixels")
    return kinds or {"header"}


def _named(found: Dataset, expected: Dataset) -> Iterator[str]:
    for kind, keywords in {"label": ("ImageComments",), "patient": ("PatientName", "PatientID")}.items():
        if any(str(found.get(keyword) or "") != str(expected[keyword].value) for keyword in keywords):
            yield kind


def _image_group(dataset: FileDataset) -> dict[int, str]:
    """Group 0028 and the encoding of the pixels, as text."""
    look = {int(element.tag): str(element.value) for element in dataset.group_dataset(_IMAGE_GROUP)}
    return {0: str(dataset.file_meta.get("TransferSyntaxUID", "")), **look}
