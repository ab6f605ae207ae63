"""Why a file was not used: stable codes that say nothing about the patient.

| code                 | meaning                                                                  |
|----------------------|--------------------------------------------------------------------------|
| not_regular          | a link, FIFO, socket or device                                           |
| unreadable           | the operating system refused to open or read it                          |
| empty_file           | zero bytes                                                               |
| too_large            | the file, its rows and columns, or its decoding exceed the limits        |
| not_dicom            | no DICOM preamble, in a DICOM folder                                     |
| directory            | a DICOMDIR: the files that it lists are read by themselves               |
| not_an_image         | neither PNG nor JPEG, in an image folder                                 |
| not_nifti            | no NIfTI-1 header, in a folder of volumes                                |
| nifti_2              | a NIfTI-2 file, CIFTI among them                                         |
| nifti_pair           | NIfTI in two files, .hdr and .img                                        |
| no_nibabel           | a NIfTI file, and what reads it is not installed: privgan[nifti]         |
| damaged              | the parser gave up: broken structure, nested too deep, bad values        |
| truncated            | fewer bytes than the header announces                                    |
| transfer_syntax      | a DICOM compression that is not on the allow-list, or a rare kind of it  |
| no_decoder           | a compression whose decoder is not installed: privgan[jpeg-lossless]     |
| decoder_disagrees    | JPEG-LS that its decoder gives up on, a second one is not installed      |
| no_pixels            | no pixel data: a report, a plan, a header alone, floating-point pixels   |
| multi_frame          | a PNG or JPEG file of more than one picture, a NIfTI file of many volumes |
| colour               | an unknown coding of colour, or colour where Hounsfield units are needed |
| bit_depth            | not 8 to 16 stored bits, or unusual packing                              |
| datatype             | NIfTI voxels that are no single number: colour, complex, bits, 128 bits  |
| no_range             | the whole range is wanted of a volume that is not unsigned 8 or 16 bits  |
| other_modality       | a modality that the preset does not admit                                |
| burned_in            | BurnedInAnnotation is YES                                                |
| likely_burned_in     | shows names as a rule: US, SC, XA, OT, ES; a screen, a dose sheet, paper |
| recognisable         | Recognizable Visual Features is YES: a face                              |
| localizer            | a localizer, scout or survey among slices                                |
| derived_map          | computed from slices: ADC, perfusion, phase, projection and the like     |
| restored             | made artificially from another image, in part at least, as it says       |
| mosaic               | many slices side by side as one picture                                  |
| missing_rescale      | CT without slope and intercept, or whose values cannot go below zero     |
| rescale_type         | a CT preset, and values that say that they are no Hounsfield units       |
| no_window            | the file's own window is wanted, and it has none                         |
| mask                 | two values where a picture in units has many                             |
| scaling              | a NIfTI slope or intercept that is negative, NaN or infinite             |
| modality_lut         | a table instead of slope and intercept that is damaged or not in HU      |
| non_finite_pixels    | NaN or infinity, stored or after rescale                                 |
| blank                | one grey or colour alone: it shows nothing                               |
| shared_picture       | more than three patients have the same picture: it is nobody's           |
| missing_patient_id   | nobody to protect: the patient is unknown                                |
| not_selected         | not among the modalities, body parts, views, slices or frames asked for  |
| missing_slice_number | every n-th slice was asked for, and it has no Instance Number            |
| no_orientation       | a volume that does not say how it lies, or says what is impossible       |
| missing_label        | no label table names it                                                  |
| contradiction        | two label tables say different things of it, or records of its patient   |
| unknown_class        | a label outside the declared classes                                     |
| unknown_value        | a cell that holds something else than was declared of its column         |
| out_of_range         | a number outside the range that was declared of its column               |
| decoder_crashed      | the decoding process died on it                                          |
| decoder_timeout      | the decoding process took too long on it                                 |
"""

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from privgan.language import to_tr

MAX_FILE_BYTES = 128 << 20
MAX_SIDE = 16384
MAX_PIXELS = 1 << 25
REMEDIES = to_tr(
    {
        "no_decoder": 'JPEG Lossless needs python-gdcm; install it: pip install "privgan[jpeg-lossless]".',
        "decoder_disagrees": (
            "A second decoder may read the JPEG-LS files on which the first gives up; install it: "
            'pip install "privgan[jpeg-lossless]".'
        ),
        "no_nibabel": 'NIfTI needs nibabel; install it: pip install "privgan[nifti]".',
    }
)
"""What to install, by the code of what was refused for want of it."""


class RefusedError(Exception):
    """One file cannot be used; costs that file and nothing else, and never leaves the readers."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def remedies(codes: Iterable[str]) -> tuple[str, ...]:
    """One sentence for each of these codes that an installation would mend."""
    return tuple(text for code, text in REMEDIES.items() if code in set(codes))


def read_regular(path: Path, head: int | None = None) -> bytes:
    """The bytes of a regular file, or its first `head` bytes.

    Raises:
        RefusedError: not_regular, unreadable, empty_file or too_large.
    """
    with open_input(path, MAX_FILE_BYTES if head is None else None) as stream:
        try:
            return stream.read(head or MAX_FILE_BYTES)
        except OSError:
            raise RefusedError("unreadable") from None


@contextlib.contextmanager
def open_input(path: Path, most_bytes: int | None) -> Iterator[BinaryIO]:
    """A regular file of at most so many bytes; never waits for a FIFO, never follows a final link.

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
        if most_bytes is not None and facts.st_size > most_bytes:
            raise RefusedError("too_large")
        yield stream


def check_shape(rows: int, columns: int) -> None:
    """Refuse absurd dimensions before anything of that size is allocated."""
    if rows < 1 or columns < 1:
        raise RefusedError("damaged")
    if rows > MAX_SIDE or columns > MAX_SIDE or rows * columns > MAX_PIXELS:
        raise RefusedError("too_large")
