"""DICOM files as a format: how one is known. What reads it is loaded by those who do, not by their parent."""

from pathlib import Path

from privgan.data.formats.reading import Reading, Request
from privgan.data.refusals import RefusedError, read_regular

has_units = names_patients = True
tells = ("sex", "age")


def claims(file: Path) -> bool:
    """Whether it is called as a DICOM file is, or begins as one does."""
    if file.suffix.lower() in (".dcm", ".dicom"):
        return True
    try:
        return read_regular(file, head=132)[128:] == b"DICM"
    except RefusedError:
        return False


def read(path: Path, request: Request) -> Reading:
    """See `file.read`."""
    from privgan.data.formats.dicom import file  # with pydicom, which takes longer to load than fifty files to read

    return file.read(path, request)
