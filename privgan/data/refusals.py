"""Why a file was not used: stable codes that say nothing about the patient.

| code                 | meaning                                                                  |
|----------------------|--------------------------------------------------------------------------|
| not_regular          | a link, FIFO, socket or device                                           |
| unreadable           | the operating system refused to open or read it                          |
| empty_file           | zero bytes                                                               |
| too_large            | the file, its rows and columns, or its decoding exceed the limits        |
| not_dicom            | no DICOM preamble, in a DICOM folder                                     |
| not_an_image         | neither PNG nor JPEG, in an image folder                                 |
| damaged              | the parser gave up: broken structure, nested too deep, bad values        |
| truncated            | fewer pixel bytes than rows and columns announce                         |
| transfer_syntax      | a DICOM compression that is not on the allow-list                        |
| no_pixels            | no pixel data: a report, a DICOMDIR, a header alone                      |
| multi_frame          | more than one frame                                                      |
| colour               | a colour or palette DICOM image                                          |
| bit_depth            | not 8 to 16 stored bits, or unusual packing                              |
| other_modality       | a modality that the preset does not admit                                |
| burned_in            | BurnedInAnnotation is YES                                                |
| likely_burned_in     | a modality that usually shows names in the picture (US, SC, XA, OT, ES)  |
| missing_rescale      | CT without slope and intercept: its Hounsfield units are unknown         |
| modality_lut         | a table instead of slope and intercept                                   |
| non_finite_pixels    | NaN or infinity, stored or after rescale                                 |
| missing_patient_id   | nobody to protect: the patient is unknown                                |
| missing_label        | no label table names it                                                  |
| contradiction        | two label tables say different things of it                              |
| unknown_class        | a label outside the declared classes                                     |
| decoder_crashed      | the decoding process died on it                                          |
| decoder_timeout      | the decoding process took too long on it                                 |
"""

import os
import stat
from pathlib import Path

MAX_FILE_BYTES = 128 << 20
MAX_SIDE = 16384
MAX_PIXELS = 1 << 25


class RefusedError(Exception):
    """One file cannot be used; costs that file and nothing else, and never leaves the readers."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def read_regular(path: Path, head: int | None = None) -> bytes:
    """The bytes of a regular file, or its first `head` bytes; never waits for a FIFO, never follows a final link.

    Raises:
        RefusedError: not_regular, unreadable, empty_file or too_large.
    """
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            raise RefusedError("not_regular")
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        raise RefusedError("unreadable") from None
    with os.fdopen(descriptor, "rb") as stream:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise RefusedError("not_regular")
        if facts.st_size == 0:
            raise RefusedError("empty_file")
        if head is None and facts.st_size > MAX_FILE_BYTES:
            raise RefusedError("too_large")
        try:
            return stream.read(head or MAX_FILE_BYTES)
        except OSError:
            raise RefusedError("unreadable") from None


def check_shape(rows: int, columns: int) -> None:
    """Refuse absurd dimensions before anything of that size is allocated."""
    if rows < 1 or columns < 1:
        raise RefusedError("damaged")
    if rows > MAX_SIDE or columns > MAX_SIDE or rows * columns > MAX_PIXELS:
        raise RefusedError("too_large")
