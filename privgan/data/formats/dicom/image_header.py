"""What a header says about its pixels, checked from numbers alone before anything is allocated for them."""

from dataclasses import dataclass

from pydicom.uid import UID, JPEG2000TransferSyntaxes

from privgan.data.formats.dicom.parsing import UNDEFINED_LENGTH, Parsed
from privgan.data.formats.dicom.values import integer_of, text_of
from privgan.data.refusals import RefusedError, check_shape

GREY = ("MONOCHROME1", "MONOCHROME2")
PALETTE = "PALETTE COLOR"
COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422")
_COLOUR_OF_JPEG_2000 = ("YBR_ICT", "YBR_RCT")
MAX_FRAMES = 16384
KEYWORDS = (
    "PhotometricInterpretation", "SamplesPerPixel", "NumberOfFrames", "Rows", "Columns", "BitsAllocated",
    "BitsStored", "HighBit", "PixelRepresentation", "PlanarConfiguration",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ImageHeader:
    """The shape and coding of the pixels (PS3.3 C.7.6.3); every combination that exists can be decoded."""

    rows: int
    columns: int
    frames: int
    samples: int
    photometric: str
    allocated: int
    stored: int
    signed: bool
    planar: int

    @property
    def coloured(self) -> bool:
        """Whether a pixel has a colour, stored or by its palette."""
        return self.photometric not in GREY

    @property
    def low(self) -> int:
        """The smallest value that can be stored."""
        return -(1 << (self.stored - 1)) if self.signed else 0

    @property
    def high(self) -> int:
        """The largest."""
        return self.low + (1 << self.stored) - 1


def image_header(parsed: Parsed) -> ImageHeader:
    """Read and check it.

    Raises:
        RefusedError: no_pixels, damaged, too_large, colour, bit_depth or truncated.
    """
    if parsed.pixel_bytes is None:
        raise RefusedError("no_pixels")
    dataset = parsed.dataset
    rows, columns = integer_of(dataset, "Rows"), integer_of(dataset, "Columns")
    check_shape(rows, columns)
    frames = max(1, integer_of(dataset, "NumberOfFrames", 1))
    if frames > MAX_FRAMES:
        raise RefusedError("too_large")
    stored = integer_of(dataset, "BitsStored")
    representation = integer_of(dataset, "PixelRepresentation")
    if representation not in (0, 1):
        raise RefusedError("damaged")
    header = ImageHeader(
        rows=rows,
        columns=columns,
        frames=frames,
        samples=integer_of(dataset, "SamplesPerPixel"),
        photometric=text_of(dataset, "PhotometricInterpretation"),
        allocated=integer_of(dataset, "BitsAllocated"),
        stored=stored,
        signed=representation == 1,
        planar=integer_of(dataset, "PlanarConfiguration", 0),
    )
    _check_colour(header, parsed.syntax)
    packed = integer_of(dataset, "HighBit", stored - 1) != stored - 1
    if header.allocated not in (8, 16) or not 8 <= stored <= header.allocated or packed:
        raise RefusedError("bit_depth")
    if parsed.pixel_bytes != UNDEFINED_LENGTH and min(parsed.pixel_bytes, parsed.remaining) < _native_bytes(header):
        raise RefusedError("truncated")
    if (parsed.pixel_bytes == UNDEFINED_LENGTH) != parsed.syntax.is_encapsulated:
        raise RefusedError("damaged")
    return header


def _check_colour(header: ImageHeader, syntax: UID) -> None:
    known = (*COLOUR, *_COLOUR_OF_JPEG_2000) if syntax in JPEG2000TransferSyntaxes else COLOUR
    if header.photometric in (*GREY, PALETTE):
        fits = header.samples == 1
    else:
        ybr = header.photometric.startswith("YBR_FULL")
        fits = header.photometric in known and header.samples == 3 and not header.signed
        fits = fits and header.planar in (0, 1) and not (ybr and header.stored != 8)
    if not fits:
        raise RefusedError("colour")


def _native_bytes(header: ImageHeader) -> int:
    """Bytes that uncompressed pixels of this header take; YBR_FULL_422 halves both colours (PS3.3 C.7.6.3.1.2)."""
    samples = 2 if header.photometric == "YBR_FULL_422" else header.samples
    return header.frames * header.rows * header.columns * samples * header.allocated // 8
