"""Which transfer syntaxes are read, and by which decoder: an allow-list, the same on every machine.

A file that several decoders could read is always given to the same one, so that the pixels of a cohort do not depend
on what else is installed. Where that one gives up on JPEG-LS, GDCM is asked, and where that is not installed the file
is refused: CharLS 2 wants nothing between the last bits of a scan and the end marker, where encoders of old left a
zero byte (MR1_JLSL of the samples of DICOM's WG04). All but the one for JPEG Lossless come with privgan, under
permissive licences.
"""

import functools
import importlib.util
from dataclasses import dataclass
from typing import Self

from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from privgan.data.refusals import RefusedError


@functools.cache  # asked for every file
def _importable(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


@dataclass(frozen=True, kw_only=True)
class Decoder:
    """What unpacks a transfer syntax.

    plugin: pydicom's name for it; empty for pixels that are not compressed. module: what must be importable.
    most_bits: stored bits of a sample that it can read. second: who is asked where it gives up on a file.
    """

    plugin: str = ""
    module: str = "pydicom"
    most_bits: int = 16
    second: Self | None = None

    @property
    def installed(self) -> bool:
        """Whether this installation has it."""
        return _importable(self.module)


_NATIVE = Decoder()
_JPEG = Decoder(plugin="pillow", module="PIL", most_bits=8)
_LOSSLESS = Decoder(plugin="gdcm", module="gdcm")
_JPEG_LS = Decoder(plugin="pyjpegls", module="jpeg_ls", second=_LOSSLESS)
_JPEG_2000 = Decoder(plugin="pylibjpeg", module="openjpeg")
_RLE = Decoder(plugin="pylibjpeg", module="rle")

DECODERS: dict[UID, Decoder] = {
    ImplicitVRLittleEndian: _NATIVE,
    ExplicitVRLittleEndian: _NATIVE,
    ExplicitVRBigEndian: _NATIVE,
    DeflatedExplicitVRLittleEndian: _NATIVE,
    RLELossless: _RLE,
    JPEGBaseline8Bit: _JPEG,
    JPEGExtended12Bit: _JPEG,
    JPEGLossless: _LOSSLESS,
    JPEGLosslessSV1: _LOSSLESS,
    JPEGLSLossless: _JPEG_LS,
    JPEGLSNearLossless: _JPEG_LS,
    JPEG2000Lossless: _JPEG_2000,
    JPEG2000: _JPEG_2000,
    HTJ2KLossless: _JPEG_2000,
    HTJ2KLosslessRPCL: _JPEG_2000,
    HTJ2K: _JPEG_2000,
}


def readable_here() -> list[str]:
    """Names of the transfer syntaxes that this installation reads."""
    return [uid.name for uid, decoder in DECODERS.items() if decoder.installed]


def missing_here() -> list[str]:
    """Names of those on the list whose decoder is not installed."""
    return [uid.name for uid, decoder in DECODERS.items() if not decoder.installed]


def decoder_for(syntax: UID, bits_stored: int) -> Decoder:
    """The decoder for pixels of so many stored bits.

    Raises:
        RefusedError: transfer_syntax, or no_decoder when one exists that is not installed.
    """
    decoder = DECODERS.get(syntax)
    if decoder is None or bits_stored > decoder.most_bits:
        raise RefusedError("transfer_syntax")
    if not decoder.installed:
        raise RefusedError("no_decoder")
    return decoder
