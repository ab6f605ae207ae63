"""One DICOM file on its way out, and what the archive said about it.

A file is read once more when it is sent, and only bytes with the signed digest are sent.
"""

import io
import warnings
from dataclasses import dataclass, field
from pathlib import Path

from privgan.errors import IntegrityError
from privgan.files import open_regular, sha256_bytes

LARGEST_BYTES = 1 << 30
DUPLICATE = 0x0111  # PS3.7 C.5.6


@dataclass(frozen=True, kw_only=True)
class Instance:
    """A file to be stored. name: by which the journal knows it. sha256: hex, of the bytes that were verified."""

    name: str
    path: Path
    sha256: str

    def read(self) -> bytes:
        """The bytes that were verified.

        Raises:
            IntegrityError: the file is not what it was.
        """
        with open_regular(self.path) as stream:
            content: bytes = stream.read(LARGEST_BYTES)
        if sha256_bytes(content) != self.sha256:
            raise IntegrityError(f"Expected {self.name} as it was verified, it was changed since. It was not sent.")
        return content


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What an archive must know of a file to take it, from its file meta information (PS3.10 7.1)."""

    sop_class: str
    sop_instance: str = field(repr=False)
    transfer_syntax: str

    @classmethod
    def of(cls, content: bytes) -> "Identity":
        """The identity of a DICOM file.

        Raises:
            IntegrityError: it is not one.
        """
        from pydicom import dcmread
        from pydicom.errors import InvalidDicomError

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # they repeat values of the file
                meta = dcmread(io.BytesIO(content), stop_before_pixels=True, specific_tags=[]).file_meta
            return cls(
                sop_class=str(meta.MediaStorageSOPClassUID),
                sop_instance=str(meta.MediaStorageSOPInstanceUID),
                transfer_syntax=str(meta.TransferSyntaxUID),
            )
        except (InvalidDicomError, AttributeError, EOFError, ValueError, KeyError, RecursionError):
            raise IntegrityError("Expected DICOM in every .dcm file, one is something else.") from None


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What became of one instance. refused: why the archive does not want it, a code; empty when it has it."""

    name: str
    refused: str = ""


def judged(status: int) -> str:
    """Why a status of C-STORE (PS3.4 B.2.3) or a reason of STOW-RS (PS3.18 I.2.2) refuses; empty if it does not.

    A duplicate is no refusal: our UIDs are random, so what the archive has under one of them is that instance.

    >>> judged(0x0000), judged(0xB000), judged(0x0122)
    ('', '', 'sop_class')
    """
    if status in (0, DUPLICATE) or status >> 12 == 0xB:
        return ""
    if status >> 8 == 0xA7:
        return OUT_OF_RESOURCES
    by_code = {0x0122: "sop_class", 0xC122: "transfer_syntax", 0x0124: "not_authorised"}
    by_range = {0xA9: "data_set", 0xC0: "not_understood"}
    return by_code.get(status) or by_range.get(status >> 8) or "other"


OUT_OF_RESOURCES = "out_of_resources"
"""The one refusal that passes: a full disk, a busy archive."""
