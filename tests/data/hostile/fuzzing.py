"""Mutations of valid files, and a worker that lives through many of them."""

import struct
from collections.abc import Callable

import numpy as np
from hypothesis import strategies as st
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from privgan.data.formats.isolation import Job, _Pool
from tests.data.conftest import build_dicom
from tests.data.hostile import crafting as craft

Edit = Callable[[bytearray], None]
_INTERESTING = (
    b"",
    b"\0",
    b"\xff" * 4,
    b"\xfe\xff\x00\xe0",
    b"\xfe\xff\xdd\xe0",
    b"\0\0\0\x80",
    b"nan",
    b"1e999",
    b"\\",
    b"\x1b$B",
)


def bases() -> list[bytes]:
    """One valid file of each kind."""
    import io

    rng = np.random.default_rng(0)
    values = rng.integers(0, 4096, (2, 40, 40)).astype(np.uint16)
    found = [craft.meta(craft.EXPLICIT) + craft.body()]
    for syntax in (None, RLELossless, JPEGLSLossless, JPEG2000Lossless):
        dataset = build_dicom(values[0], BitsStored=12, HighBit=11, NumberOfFrames=2, PatientName=craft.PERSON)
        dataset.SpecificCharacterSet = "ISO_IR 192"
        dataset.PixelData = values.tobytes()
        if syntax:
            dataset.compress(syntax)
        stream = io.BytesIO()
        dataset.save_as(stream, enforce_file_format=True)
        found.append(stream.getvalue())
    return found


def _at(where: float, content: bytearray) -> int:
    return int(where * len(content))


def _put(where: float, new: bytes) -> Edit:
    def edit(content: bytearray) -> None:
        start = _at(where, content)
        content[start : start + len(new)] = new

    return edit


def _insert(where: float, new: bytes) -> Edit:
    def edit(content: bytearray) -> None:
        content[_at(where, content) : _at(where, content)] = new

    return edit


def _cut(where: float, length: int) -> Edit:
    def edit(content: bytearray) -> None:
        del content[_at(where, content) : _at(where, content) + length]

    return edit


def _end(where: float) -> Edit:
    def edit(content: bytearray) -> None:
        del content[_at(where, content) :]

    return edit


def _relabel(where: float, new: bytes) -> Edit:
    """Overwrite tag, VR or length of some element of the image group, where a header is most believed."""

    def edit(content: bytearray) -> None:
        places = [
            i
            for i in range(132, min(len(content), 4000))
            if content[i : i + 2] in (b"\x28\0", b"\x10\0", b"\xe0\x7f")
        ]
        if places:
            start = places[int(where * len(places))] + 2
            content[start : start + len(new)] = new

    return edit


_WHERE = st.floats(0, 1, exclude_max=True)
# Most of what decides anything stands in the first kilobyte: half of all edits go there.
_PLACE = st.one_of(_WHERE, st.floats(0, 0.3))
_BYTES = st.one_of(
    st.binary(min_size=1, max_size=8),
    st.sampled_from(_INTERESTING),
    st.integers(0, 2**32 - 1).map(lambda n: struct.pack("<L", n)),
)
EDITS: st.SearchStrategy[Edit] = st.one_of(
    st.builds(_put, _PLACE, _BYTES),
    st.builds(_insert, _PLACE, _BYTES),
    st.builds(_cut, _PLACE, st.integers(1, 200)),
    st.builds(_end, _WHERE),
    st.builds(_relabel, _WHERE, _BYTES),
)


class LivingWorker:
    """The isolated pool, kept alive over many examples; `answer` is what the parent of a real run would get."""

    def __init__(self, job: Job) -> None:
        self._requests: list[bytes] = []
        self._pool = _Pool(job, self._requests, 1)

    def answer(self, request: bytes) -> bytes:
        """The answer to one request, or the pool's own word for a lost worker."""
        self._requests.append(request)
        index = len(self._requests) - 1
        while index not in self._pool.answers:
            self._pool.step(index)
        return self._pool.take(index)

    def stop(self) -> None:
        """End the process."""
        self._pool.stop()
