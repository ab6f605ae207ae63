"""Slices of a volume as radiology shows them, of which no more lies in memory than is needed.

Patients' right is on the left of the picture and what is up or in front is on top, whatever order the voxels are
stored in; a sagittal slice looks to the left. Oblique volumes are cut along the nearest axes. Slices are numbered
from the patient's feet, back and left.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from privgan.arrays import Floats
from privgan.data.formats.nifti.header import VolumeHeader
from privgan.data.refusals import RefusedError
from privgan.data.selection import STORED

MAX_BLOCK_BYTES = 256 << 20  # of slices across the stored planes, which can only be cut all at once
# What runs from left to right, from top to bottom and from slice to slice: 0 sideways, 1 back to front, 2 upwards.
_VIEWS = {"axial": (0, 1, 2), "coronal": (0, 2, 1), "sagittal": (1, 2, 0)}


@dataclass(frozen=True, kw_only=True)
class View:
    """How to cut: stored axes that become columns, rows and slices, and whether each is turned around."""

    axes: tuple[int, int, int]
    turned: tuple[bool, bool, bool]

    def upright(self, plane: NDArray[np.generic]) -> NDArray[np.generic]:
        """The picture (rows, columns) of a slice, whose two axes come in the order of storage."""
        picture = plane if self.axes[1] < self.axes[0] else plane.T
        columns, rows, _ = (-1 if turned else 1 for turned in self.turned)
        return picture[::rows, ::columns]


def view_of(affine: Floats | None, axis: str) -> View:
    """How slices of the wanted axis are cut.

    Raises:
        RefusedError: no_orientation; the file does not say, or says what is impossible, how it lies.
    """
    if axis == STORED:
        return View(axes=(0, 1, 2), turned=(False, False, False))
    from nibabel.orientations import io_orientation

    if affine is None or not np.isfinite(affine).all():
        raise RefusedError("no_orientation")
    orientation = io_orientation(affine)  # for each stored axis: the nearest of the patient's, and its direction
    if np.isnan(orientation).any():
        raise RefusedError("no_orientation")
    stored = {int(towards): number for number, (towards, _) in enumerate(orientation)}
    columns, rows, slices = (stored[towards] for towards in _VIEWS[axis])
    ahead = orientation[:, 1] > 0
    return View(axes=(columns, rows, slices), turned=(bool(ahead[columns]), bool(ahead[rows]), not ahead[slices]))


def slices(
    stream: BinaryIO, header: VolumeHeader, view: View, wanted: range
) -> Iterator[tuple[int, NDArray[np.generic]]]:
    """Wanted slices with their places in `wanted`, upright, in the order in which they are found.

    Args:
        stream: stands at the first voxel; everything up to the last one is read.
        header: what the file says.
        view: how to cut.
        wanted: numbers of slices, from 0.

    Raises:
        RefusedError: too_large or truncated.
    """
    axis, last = view.axes[2], header.shape[view.axes[2]] - 1
    places = {last - number if view.turned[2] else number: place for place, number in enumerate(wanted)}
    planes = enumerate(_planes(stream, header))
    if axis == 2:
        yield from ((places[number], view.upright(plane)) for number, plane in planes if number in places)
    else:
        other = header.shape[1 - axis]
        if len(places) * other * header.shape[2] * header.dtype.itemsize > MAX_BLOCK_BYTES:
            raise RefusedError("too_large")
        block = np.empty((len(places), other, header.shape[2]), dtype=header.dtype)
        for number, plane in planes:
            block[:, :, number] = np.moveaxis(plane.take([*places], axis), axis, 0)
        yield from zip(places.values(), map(view.upright, block), strict=True)


def _planes(stream: BinaryIO, header: VolumeHeader) -> Iterator[NDArray[np.generic]]:
    """The planes of the first two stored axes, one after another."""
    first, second, count = header.shape
    for _ in range(count):
        content = exactly(stream, math.prod((first, second)) * header.dtype.itemsize)
        yield np.frombuffer(content, dtype=header.dtype).reshape(second, first).T
    stream.read(1)  # a compressed file that ends here has its checksum compared


def exactly(stream: BinaryIO, count: int) -> bytes:
    """So many bytes and never more, however much a compressed file would unpack to.

    Raises:
        RefusedError: truncated.
    """
    try:
        content = stream.read(count)
    except EOFError:
        raise RefusedError("truncated") from None
    if len(content) < count:
        raise RefusedError("truncated")
    return content
